"""MaxPool, AveragePool, the global pools, ReduceMean."""

from __future__ import annotations

from .case import Cases, ints, node


def _pool(
    cases: Cases, op: str, name: str, shape: tuple[int, ...], *, opset: int = 13, note: str = "", **attributes: object
) -> None:
    cases.add(name, op, shape, [node(op, "x", **attributes)], opset=opset, note=note)


def add_pooling(cases: Cases) -> None:
    """The cases of this group."""
    for op, short in (("MaxPool", "max_pool"), ("AveragePool", "average_pool")):
        _pool(cases, op, f"{short}_2x2", (1, 5, 8, 6), kernel_shape=[2, 2], strides=[2, 2])
        _pool(cases, op, f"{short}_3x3_stride_2", (1, 7, 9, 11), kernel_shape=[3, 3], strides=[2, 2])
        _pool(cases, op, f"{short}_stride_1", (1, 3, 5, 6), kernel_shape=[3, 2], note="no strides attribute: 1")
        _pool(cases, op, f"{short}_padded", (1, 6, 8, 8), kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
        _pool(cases, op, f"{short}_asymmetric_pads", (1, 3, 7, 8), kernel_shape=[3, 3], strides=[2, 2], pads=[0, 1, 1, 0])
        _pool(
            cases,
            op,
            f"{short}_ceil",
            (1, 5, 8, 10),
            opset=12,
            kernel_shape=[3, 3],
            strides=[2, 2],
            ceil_mode=1,
            note="the last window is partial",
        )
        _pool(
            cases,
            op,
            f"{short}_ceil_padded",
            (1, 3, 6, 7),
            opset=12,
            kernel_shape=[3, 3],
            strides=[2, 2],
            ceil_mode=1,
            pads=[1, 1, 1, 1],
        )
        _pool(
            cases,
            op,
            f"{short}_ceil_window_in_padding",
            (1, 3, 5, 7),
            opset=12,
            kernel_shape=[2, 2],
            strides=[3, 3],
            ceil_mode=1,
            pads=[0, 0, 1, 1],
            note="a window that would begin in the padding is left out",
        )
        _pool(cases, op, f"{short}_same_upper", (1, 4, 7, 8), kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER")
        _pool(cases, op, f"{short}_same_lower", (1, 4, 7, 8), kernel_shape=[2, 2], strides=[2, 2], auto_pad="SAME_LOWER")
        _pool(cases, op, f"{short}_valid", (1, 4, 7, 8), kernel_shape=[3, 3], strides=[2, 2], auto_pad="VALID")
        _pool(cases, op, f"{short}_opset_7", (1, 3, 8, 8), opset=7, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    _pool(cases, "MaxPool", "max_pool_dilated", (1, 3, 9, 10), kernel_shape=[3, 2], dilations=[2, 3])
    _pool(
        cases, "MaxPool", "max_pool_1x1", (1, 5, 4, 4), kernel_shape=[1, 1], note="nothing but a copy; some exporters write it"
    )
    _pool(cases, "MaxPool", "max_pool_5x5_stride_1", (1, 6, 7, 7), kernel_shape=[5, 5], strides=[1, 1], pads=[2, 2, 2, 2])
    _pool(cases, "AveragePool", "average_pool_dilated", (1, 3, 9, 10), opset=19, kernel_shape=[3, 2], dilations=[2, 3])
    _pool(
        cases,
        "AveragePool",
        "average_pool_count_pad",
        (1, 5, 7, 6),
        kernel_shape=[3, 3],
        strides=[2, 2],
        pads=[1, 1, 1, 1],
        count_include_pad=1,
        note="the padding counts as zeros",
    )
    _pool(
        cases,
        "AveragePool",
        "average_pool_count_pad_ceil",
        (1, 3, 6, 7),
        opset=19,
        kernel_shape=[3, 3],
        strides=[2, 2],
        pads=[1, 1, 1, 1],
        ceil_mode=1,
        count_include_pad=1,
        note="padding counts, what lies beyond it does not",
    )
    _pool(
        cases,
        "AveragePool",
        "average_pool_count_pad_same",
        (1, 3, 7, 8),
        kernel_shape=[3, 3],
        strides=[2, 2],
        auto_pad="SAME_UPPER",
        count_include_pad=1,
    )
    _pool(cases, "AveragePool", "average_pool_whole_image", (1, 9, 7, 7), kernel_shape=[7, 7], note="a global pool in disguise")

    _pool(cases, "GlobalAveragePool", "global_average_pool", (1, 11, 7, 5))
    _pool(cases, "GlobalMaxPool", "global_max_pool", (1, 11, 7, 5))
    _pool(cases, "GlobalAveragePool", "global_average_pool_one_pixel", (1, 6, 1, 1))

    _pool(cases, "ReduceMean", "reduce_mean_spatial", (1, 7, 5, 6), axes=[2, 3], keepdims=1)
    _pool(cases, "ReduceMean", "reduce_mean_spatial_flat", (1, 7, 5, 6), axes=[2, 3], keepdims=0)
    _pool(cases, "ReduceMean", "reduce_mean_negative_axes", (1, 7, 5, 6), opset=11, axes=[-1, -2])
    _pool(cases, "ReduceMean", "reduce_mean_channels", (1, 7, 5, 6), axes=[1])
    _pool(cases, "ReduceMean", "reduce_mean_rows", (1, 5, 4, 6), axes=[2], keepdims=0)
    _pool(cases, "ReduceMean", "reduce_mean_all", (1, 3, 4, 5), note="no axes: all of them")
    cases.add(
        "reduce_mean_axes_input",
        "ReduceMean",
        (1, 7, 5, 6),
        [node("ReduceMean", "x,axes", keepdims=1)],
        {"axes": ints(2, 3)},
        opset=18,
    )
    cases.add(
        "reduce_mean_axes_input_flat",
        "ReduceMean",
        (1, 7, 5, 6),
        [node("ReduceMean", "x,axes", keepdims=0)],
        {"axes": ints(-1, -2)},
        opset=18,
    )
