"""Conv in every geometry: kernels, strides, dilations, pads, groups; channel counts that do not divide by four or sixteen."""

from __future__ import annotations

from .case import Cases, node, normal


def _conv(
    cases: Cases,
    name: str,
    shape: tuple[int, ...],
    weight: tuple[int, int, int, int],
    *,
    bias: bool = True,
    opset: int = 13,
    note: str = "",
    **attributes: object,
) -> None:
    constants = {"w": normal(*weight)} | ({"b": normal(weight[0], deviation=0.5)} if bias else {})
    cases.add(name, "Conv", shape, [node("Conv", "x,w,b" if bias else "x,w", **attributes)], constants, opset=opset, note=note)


def add_convolutions(cases: Cases) -> None:
    """The cases of this group."""
    _conv(cases, "conv_3x3", (1, 3, 9, 11), (5, 3, 3, 3), pads=[1, 1, 1, 1])
    _conv(cases, "conv_3x3_no_bias", (1, 4, 8, 8), (8, 4, 3, 3), bias=False, pads=[1, 1, 1, 1])
    _conv(cases, "conv_3x3_valid", (1, 7, 6, 5), (9, 7, 3, 3), kernel_shape=[3, 3])
    _conv(cases, "conv_3x3_one_pixel", (1, 5, 3, 3), (6, 5, 3, 3), note="the kernel covers the whole image")
    _conv(cases, "conv_3x3_wide", (1, 33, 7, 7), (65, 33, 3, 3), pads=[1, 1, 1, 1], note="one channel beyond the blocks")
    _conv(cases, "conv_one_channel", (1, 1, 10, 10), (1, 1, 3, 3), pads=[1, 1, 1, 1])
    _conv(cases, "conv_2x2_stride_2", (1, 3, 8, 10), (4, 3, 2, 2), strides=[2, 2])
    _conv(cases, "conv_4x4_even", (1, 3, 9, 9), (5, 3, 4, 4), pads=[1, 2, 2, 1])
    _conv(cases, "conv_7x7_stride_2", (1, 3, 21, 19), (8, 3, 7, 7), strides=[2, 2], pads=[3, 3, 3, 3], note="ResNet's stem")
    _conv(
        cases, "conv_11x11_stride_4", (1, 3, 35, 39), (6, 3, 11, 11), strides=[4, 4], pads=[2, 2, 2, 2], note="AlexNet's stem"
    )
    _conv(cases, "conv_5x5", (1, 6, 9, 8), (7, 6, 5, 5), pads=[2, 2, 2, 2])
    _conv(cases, "conv_stride_2_1", (1, 3, 9, 9), (4, 3, 3, 3), strides=[2, 1], pads=[1, 1, 1, 1], note="strides of two sizes")
    _conv(cases, "conv_stride_beyond_kernel", (1, 5, 10, 11), (6, 5, 2, 2), strides=[3, 4])
    _conv(
        cases, "conv_asymmetric_pads", (1, 3, 8, 8), (5, 3, 3, 3), strides=[2, 2], pads=[0, 0, 1, 1], note="TensorFlow's SAME"
    )
    _conv(cases, "conv_four_different_pads", (1, 3, 6, 7), (5, 3, 3, 3), pads=[0, 1, 2, 3])
    _conv(cases, "conv_pads_beyond_kernel", (1, 2, 4, 4), (3, 2, 2, 2), pads=[3, 2, 3, 2], note="some windows see padding only")
    _conv(cases, "conv_dilation_2", (1, 4, 11, 12), (5, 4, 3, 3), dilations=[2, 2], pads=[2, 2, 2, 2])
    _conv(cases, "conv_dilation_3_1_stride_2", (1, 3, 13, 9), (5, 3, 3, 3), dilations=[3, 1], strides=[2, 2], pads=[3, 1, 3, 1])
    _conv(cases, "conv_1x1", (1, 6, 7, 9), (10, 6, 1, 1))
    _conv(cases, "conv_1x1_wide", (1, 67, 6, 6), (131, 67, 1, 1))
    _conv(cases, "conv_1x1_stride_2", (1, 8, 7, 9), (12, 8, 1, 1), strides=[2, 2], note="ResNet's shortcut")
    _conv(cases, "conv_1x1_padded", (1, 4, 3, 3), (5, 4, 1, 1), pads=[1, 1, 1, 1], note="the border is the bias alone")
    _conv(cases, "conv_1x1_on_one_pixel", (1, 20, 1, 1), (13, 20, 1, 1), note="a fully connected layer in disguise")
    _conv(cases, "conv_1x7", (1, 5, 6, 12), (7, 5, 1, 7), pads=[0, 3, 0, 3])
    _conv(cases, "conv_7x1", (1, 5, 12, 6), (7, 5, 7, 1), pads=[3, 0, 3, 0])
    _conv(cases, "conv_1x3_stride_1_2", (1, 3, 5, 11), (4, 3, 1, 3), strides=[1, 2], pads=[0, 1, 0, 1])
    _conv(cases, "conv_groups_2", (1, 8, 7, 7), (6, 4, 3, 3), group=2, pads=[1, 1, 1, 1], note="AlexNet's second layer")
    _conv(cases, "conv_groups_3_odd", (1, 9, 6, 5), (15, 3, 3, 3), group=3, pads=[1, 1, 1, 1])
    _conv(cases, "conv_groups_4_1x1", (1, 20, 5, 5), (12, 5, 1, 1), group=4, note="ShuffleNet")
    _conv(cases, "conv_groups_32", (1, 64, 4, 4), (64, 2, 3, 3), group=32, pads=[1, 1, 1, 1], note="ResNeXt")

    _conv(cases, "depthwise_3x3", (1, 7, 9, 8), (7, 1, 3, 3), group=7, pads=[1, 1, 1, 1])
    _conv(cases, "depthwise_3x3_no_bias", (1, 16, 5, 5), (16, 1, 3, 3), bias=False, group=16, pads=[1, 1, 1, 1])
    _conv(cases, "depthwise_3x3_stride_2", (1, 12, 9, 10), (12, 1, 3, 3), group=12, strides=[2, 2], pads=[0, 0, 1, 1])
    _conv(cases, "depthwise_3x3_dilation_2", (1, 5, 10, 10), (5, 1, 3, 3), group=5, dilations=[2, 2], pads=[2, 2, 2, 2])
    _conv(cases, "depthwise_5x5", (1, 9, 8, 9), (9, 1, 5, 5), group=9, pads=[2, 2, 2, 2])
    _conv(cases, "depthwise_5x5_stride_2", (1, 8, 11, 10), (8, 1, 5, 5), group=8, strides=[2, 2], pads=[1, 2, 2, 2])
    _conv(cases, "depthwise_7x7", (1, 6, 9, 9), (6, 1, 7, 7), group=6, pads=[3, 3, 3, 3])
    _conv(cases, "depthwise_1x1", (1, 6, 4, 5), (6, 1, 1, 1), group=6, note="a factor a channel")
    _conv(cases, "depthwise_3x1", (1, 5, 7, 6), (5, 1, 3, 1), group=5, pads=[1, 0, 1, 0])
    _conv(cases, "depthwise_one_channel", (1, 1, 6, 6), (1, 1, 3, 3), group=1, pads=[1, 1, 1, 1])
    _conv(
        cases, "depthwise_multiplier_2", (1, 5, 7, 7), (10, 1, 3, 3), group=5, pads=[1, 1, 1, 1], note="two filters a channel"
    )

    for stride in (1, 2, 3):
        _conv(
            cases, f"conv_same_upper_stride_{stride}", (1, 3, 8, 11), (5, 3, 3, 3), auto_pad="SAME_UPPER", strides=[stride] * 2
        )
        _conv(
            cases, f"conv_same_lower_stride_{stride}", (1, 3, 8, 11), (5, 3, 3, 3), auto_pad="SAME_LOWER", strides=[stride] * 2
        )
    _conv(cases, "conv_same_upper_even_kernel", (1, 3, 7, 8), (4, 3, 4, 2), auto_pad="SAME_UPPER")
    _conv(cases, "conv_same_lower_even_kernel", (1, 3, 7, 8), (4, 3, 4, 2), auto_pad="SAME_LOWER")
    _conv(
        cases,
        "conv_same_upper_stride_beyond_kernel",
        (1, 3, 7, 9),
        (4, 3, 1, 1),
        auto_pad="SAME_UPPER",
        strides=[2, 2],
        note="the padding formula goes negative: none is added",
    )
    _conv(cases, "conv_valid", (1, 3, 8, 7), (4, 3, 3, 3), auto_pad="VALID", strides=[2, 2])
    _conv(cases, "conv_notset", (1, 3, 8, 7), (4, 3, 3, 3), auto_pad="NOTSET", pads=[1, 1, 1, 1])
    _conv(cases, "depthwise_same_upper_stride_2", (1, 6, 8, 9), (6, 1, 5, 5), group=6, auto_pad="SAME_UPPER", strides=[2, 2])
    _conv(cases, "conv_opset_7", (1, 3, 7, 7), (4, 3, 3, 3), opset=7, pads=[1, 1, 1, 1])
    _conv(cases, "conv_opset_21", (1, 3, 7, 7), (4, 3, 3, 3), opset=21, pads=[1, 1, 1, 1])
