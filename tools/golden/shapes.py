"""Operators that move values without computing: Reshape and its kin, Pad, Slice, Split, Transpose, and shape arithmetic."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper

from .case import Cases, ints, node, normal

IMAGE = (1, 6, 4, 5)
INT_MAX = 2**63 - 1


def _reshapes(cases: Cases) -> None:
    for axis in (0, 1, 2, 3, 4):
        cases.add(f"flatten_axis_{axis}", "Flatten", IMAGE, [node("Flatten", "x", axis=axis)])
    cases.add("flatten_negative_axis", "Flatten", IMAGE, [node("Flatten", "x", axis=-2)], opset=11)
    cases.add("flatten_default", "Flatten", IMAGE, [node("Flatten", "x")], opset=7)

    for name, target, note in [
        ("flat", (1, -1), ""),
        ("copy_dimensions", (0, 0, -1), "0 keeps the input's size"),
        ("copy_batch", (0, -1), ""),
        ("explicit", (1, 3, 8, 5), ""),
        ("split_channels", (1, 2, 3, 4, 5), "rank 5"),
        ("merge", (-1, 20), ""),
    ]:
        cases.add(f"reshape_{name}", "Reshape", IMAGE, [node("Reshape", "x,shape")], {"shape": ints(*target)}, note=note)
    cases.add("reshape_opset_7", "Reshape", IMAGE, [node("Reshape", "x,shape")], {"shape": ints(0, -1)}, opset=7)
    cases.add(
        "reshape_allow_zero_off", "Reshape", IMAGE, [node("Reshape", "x,shape", allowzero=0)], {"shape": ints(0, -1)}, opset=14
    )
    cases.add(
        "reshape_to_image",
        "Reshape",
        (1, 60),
        [node("Reshape", "x,shape", "i"), node("MaxPool", "i", kernel_shape=[2, 2])],
        {"shape": ints(1, 5, 3, 4)},
        note="a vector becomes an image",
    )

    pooled = node("GlobalAveragePool", "x", "p")
    cases.add("squeeze_attribute", "Squeeze", IMAGE, [pooled, node("Squeeze", "p", axes=[2, 3])], opset=11)
    cases.add("squeeze_negative_attribute", "Squeeze", IMAGE, [pooled, node("Squeeze", "p", axes=[-1, -2])], opset=11)
    cases.add("squeeze_input", "Squeeze", IMAGE, [pooled, node("Squeeze", "p,axes")], {"axes": ints(2, 3)})
    cases.add(
        "squeeze_all", "Squeeze", IMAGE, [pooled, node("Squeeze", "p")], note="no axes: every axis of length 1, the batch too"
    )
    cases.add("unsqueeze_attribute", "Unsqueeze", (1, 7), [node("Unsqueeze", "x", axes=[2, 3])], opset=11)
    cases.add("unsqueeze_input", "Unsqueeze", (1, 7), [node("Unsqueeze", "x,axes")], {"axes": ints(2, 3)})
    cases.add("unsqueeze_negative", "Unsqueeze", (1, 7), [node("Unsqueeze", "x,axes")], {"axes": ints(-1, 1)})

    cases.add("transpose_to_nhwc", "Transpose", IMAGE, [node("Transpose", "x", perm=[0, 2, 3, 1])])
    cases.add("transpose_to_nchw", "Transpose", IMAGE, [node("Transpose", "x", perm=[0, 3, 1, 2])])
    cases.add("transpose_height_width", "Transpose", IMAGE, [node("Transpose", "x", perm=[0, 1, 3, 2])])
    cases.add("transpose_default", "Transpose", IMAGE, [node("Transpose", "x")], note="no perm: all axes reversed")
    cases.add(
        "channel_shuffle",
        "Transpose",
        (1, 12, 3, 4),
        [node("Reshape", "x,apart", "a"), node("Transpose", "a", "t", perm=[0, 2, 1, 3, 4]), node("Reshape", "t,together")],
        {"apart": ints(1, 3, 4, 3, 4), "together": ints(1, 12, 3, 4)},
        note="ShuffleNet",
    )
    cases.add(
        "channel_shuffle_odd",
        "Transpose",
        (1, 10, 3, 3),
        [node("Reshape", "x,apart", "a"), node("Transpose", "a", "t", perm=[0, 2, 1, 3, 4]), node("Reshape", "t,together")],
        {"apart": ints(0, 2, 5, 3, 3), "together": ints(0, -1, 3, 3)},
    )


def _pads(cases: Cases) -> None:
    around = [0, 0, 1, 2, 0, 0, 3, 1]
    cases.add("pad_attributes", "Pad", IMAGE, [node("Pad", "x", pads=around)], opset=7)
    cases.add("pad_attributes_value", "Pad", IMAGE, [node("Pad", "x", pads=around, mode="constant", value=-1.5)], opset=10)
    cases.add("pad_attributes_reflect", "Pad", IMAGE, [node("Pad", "x", pads=around, mode="reflect")], opset=10)
    cases.add("pad_attributes_edge", "Pad", IMAGE, [node("Pad", "x", pads=around, mode="edge")], opset=10)
    pads = {"pads": ints(*around)}
    cases.add("pad_inputs", "Pad", IMAGE, [node("Pad", "x,pads")], pads)
    cases.add(
        "pad_inputs_value", "Pad", IMAGE, [node("Pad", "x,pads,value")], pads | {"value": np.array(2.5, np.float32)}, opset=11
    )
    cases.add("pad_reflect", "Pad", IMAGE, [node("Pad", "x,pads", mode="reflect")], pads)
    cases.add("pad_edge", "Pad", IMAGE, [node("Pad", "x,pads", mode="edge")], pads)
    cases.add("pad_axes", "Pad", IMAGE, [node("Pad", "x,pads,,axes")], {"pads": ints(1, 2, 0, 1), "axes": ints(2, 3)}, opset=18)
    cases.add(
        "pad_channels",
        "Pad",
        IMAGE,
        [node("Pad", "x,pads")],
        {"pads": ints(0, 3, 0, 0, 0, 2, 0, 0)},
        note="the shortcut of CIFAR ResNets",
    )
    cases.add("pad_negative", "Pad", IMAGE, [node("Pad", "x,pads")], {"pads": ints(0, 0, -1, 1, 0, 0, 0, -2)}, note="crops")
    cases.add(
        "pad_then_conv",
        "Pad",
        (1, 3, 6, 7),
        [node("Pad", "x,pads", "p"), node("Conv", "p,w", strides=[2, 2])],
        {"pads": ints(0, 0, 0, 0, 0, 0, 1, 1), "w": normal(5, 3, 3, 3)},
        note="how Keras writes a strided layer",
    )
    cases.add(
        "pad_then_padded_conv",
        "Pad",
        (1, 3, 6, 7),
        [node("Pad", "x,pads", "p"), node("Conv", "p,w", pads=[1, 1, 1, 1])],
        {"pads": ints(0, 0, 1, 1, 0, 0, 1, 1), "w": normal(5, 3, 3, 3)},
    )
    cases.add(
        "pad_value_then_conv",
        "Pad",
        (1, 3, 6, 7),
        [node("Pad", "x,pads,value", "p"), node("Conv", "p,w")],
        {"pads": ints(0, 0, 1, 1, 0, 0, 1, 1), "value": np.array(1, np.float32), "w": normal(5, 3, 3, 3)},
        note="not a Conv's zero padding",
    )
    cases.add(
        "pad_then_max_pool",
        "Pad",
        (1, 3, 6, 6),
        [node("Pad", "x,pads", "p"), node("MaxPool", "p", kernel_shape=[3, 3], strides=[2, 2])],
        {"pads": ints(0, 0, 1, 1, 0, 0, 1, 1)},
        note="zeros take part in the maximum, unlike a MaxPool's own padding",
    )


def _slices(cases: Cases) -> None:
    cases.add("slice_attributes", "Slice", IMAGE, [node("Slice", "x", starts=[1, 1], ends=[3, 4], axes=[2, 3])], opset=9)
    cases.add("slice_attributes_no_axes", "Slice", IMAGE, [node("Slice", "x", starts=[0, 1], ends=[1, 4])], opset=9)
    cases.add("slice_attributes_negative", "Slice", IMAGE, [node("Slice", "x", starts=[-2], ends=[INT_MAX], axes=[3])], opset=7)

    def sliced(
        name: str,
        starts: tuple[int, ...],
        ends: tuple[int, ...],
        axes: tuple[int, ...],
        steps: tuple[int, ...] = (),
        *,
        opset: int = 13,
        dtype: type[np.integer] = np.int64,
        note: str = "",
    ) -> None:
        constants = {"starts": ints(*starts, dtype=dtype), "ends": ints(*ends, dtype=dtype)}
        names = "x,starts,ends"
        if axes or steps:
            constants["axes"] = ints(*(axes or range(len(starts))), dtype=dtype)
            names += ",axes"
        if steps:
            constants["steps"] = ints(*steps, dtype=dtype)
            names += ",steps"
        cases.add(name, "Slice", IMAGE, [node("Slice", names)], constants, opset=opset, note=note)

    sliced("slice_inputs", (1, 1), (3, 4), (2, 3))
    sliced("slice_inputs_opset_10", (0, 2), (4, 5), (2, 3), opset=10)
    sliced("slice_no_axes", (0, 2, 1), (1, 5, 4), ())
    sliced("slice_int32", (1,), (2**31 - 1,), (-1,), dtype=np.int32)
    sliced("slice_channels", (1,), (5,), (1,), note="four channels that are no block of four")
    sliced("slice_steps", (0, 1), (INT_MAX, INT_MAX), (2, 3), (2, 2), note="every second pixel: the shortcut of CIFAR ResNets")
    sliced("slice_negative_steps", (-1, -1), (-INT_MAX, -INT_MAX), (2, 3), (-1, -2), note="backwards")
    sliced("slice_reversed_channels", (5,), (-7,), (1,), (-1,), note="RGB to BGR")
    sliced("slice_out_of_range", (-100, 2), (100, 100), (2, 3), note="bounds are clamped")

    for name, opset, extra, constants in [
        ("split_equal", 11, {}, {}),
        ("split_sizes_attribute", 11, {"split": [2, 4]}, {}),
        ("split_sizes_input", 13, {}, {"sizes": ints(1, 5)}),
        ("split_equal_opset_13", 13, {}, {}),
        ("split_num_outputs", 18, {"num_outputs": 2}, {}),
    ]:
        inputs = "x,sizes" if constants else "x"
        cases.add(
            name,
            "Split",
            IMAGE,
            [node("Split", inputs, "a,b", axis=1, **extra), node("Concat", "b,a", axis=1)],
            constants,
            opset=opset,
        )
    cases.add("split_width", "Split", (1, 5, 4, 6), [node("Split", "x", "a,b,c", axis=-1), node("Sum", "a,b,c")])
    cases.add(
        "split_uneven_num_outputs",
        "Split",
        (1, 7, 3, 3),
        [node("Split", "x", "a,b,c", axis=1, num_outputs=3), node("Concat", "c,a,b", axis=1)],
        opset=18,
        note="3, 3 and 1",
    )
    cases.add("split_unused_part", "Split", IMAGE, [node("Split", "x", "a,y", axis=1)], note="one output is never read")


def _shape_arithmetic(cases: Cases) -> None:
    """Chains over the shape of a value, which preparation folds away; `open_batch` is how exporters come to write them."""
    for open_batch in (False, True):
        suffix = "_open_batch" if open_batch else ""
        cases.add(
            f"shape_view{suffix}",
            "Shape",
            IMAGE,
            [
                node("Shape", "x", "s"),
                node("Gather", "s,zero", "n", axis=0),
                node("Unsqueeze", "n", "n1", axes=[0]),
                node("Concat", "n1,minus", "target", axis=0),
                node("Reshape", "x,target"),
            ],
            {"zero": np.array(0, np.int64), "minus": ints(-1)},
            opset=11,
            open_batch=open_batch,
            note="PyTorch's x.view(x.size(0), -1)",
        )
        cases.add(
            f"shape_tf2onnx_flatten{suffix}",
            "Shape",
            (1, 4, 5, 6),
            [
                node("Shape", "x", "s"),
                node("Cast", "s", "i", to=TensorProto.INT32),
                node("Slice", "i,starts,ends,axes", "n"),
                node("Concat", "n,rest", "target", axis=0),
                node("Cast", "target", "long", to=TensorProto.INT64),
                node("Reshape", "x,long"),
            ],
            {"starts": ints(0), "ends": ints(1), "axes": ints(0), "rest": ints(120, dtype=np.int32)},
            open_batch=open_batch,
            note="tf2onnx: Shape, Cast, Slice, Concat, Cast, Reshape",
        )
    cases.add(
        "shape_channel_shuffle",
        "Shape",
        (1, 12, 3, 4),
        [
            node("Shape", "x", "s"),
            node("Gather", "s,one", "c"),
            node("Div", "c,groups", "per"),
            node("Unsqueeze", "per,axis0", "per1"),
            node("Concat", "batch,groups1,per1,hw", "apart", axis=0),
            node("Reshape", "x,apart", "a"),
            node("Transpose", "a", "t", perm=[0, 2, 1, 3, 4]),
            node("Reshape", "t,s"),
        ],
        {
            "one": np.array(1, np.int64),
            "groups": np.array(3, np.int64),
            "axis0": ints(0),
            "batch": ints(1),
            "groups1": ints(3),
            "hw": ints(3, 4),
        },
        note="integer division of a channel count; the last Reshape restores the measured shape",
    )
    cases.add(
        "shape_start_end",
        "Shape",
        IMAGE,
        [node("Shape", "x", "n", start=0, end=2), node("Concat", "n,minus", "target", axis=0), node("Reshape", "x,target")],
        {"minus": ints(-1)},
        opset=15,
        note="Shape with start and end",
    )
    cases.add(
        "shape_gather_vector",
        "Shape",
        IMAGE,
        [node("Shape", "x", "s"), node("Gather", "s,order", "target"), node("Reshape", "x,target")],
        {"order": ints(0, 3, 1, 2)},
    )
    cases.add(
        "shape_gather_negative",
        "Shape",
        IMAGE,
        [
            node("Shape", "x", "s"),
            node("Gather", "s,last", "w"),
            node("Concat", "head,w", "target", axis=0),
            node("Reshape", "x,target"),
        ],
        {"last": ints(-1), "head": ints(1, -1)},
    )
    cases.add(
        "shape_product",
        "Shape",
        IMAGE,
        [
            node("Shape", "x", "s"),
            node("Gather", "s,two", "h"),
            node("Gather", "s,three", "w"),
            node("Mul", "h,w", "hw"),
            node("Concat", "head,hw", "target", axis=0),
            node("Reshape", "x,target"),
        ],
        {"two": ints(2), "three": ints(3), "head": ints(0, 0)},
        note="height times width",
    )
    cases.add(
        "shape_of_pooled",
        "Shape",
        IMAGE,
        [
            node("MaxPool", "x", "p", kernel_shape=[2, 2]),
            node("Shape", "p", "s"),
            node("Slice", "s,one,three", "chw"),
            node("Concat", "batch,chw,minus", "target", axis=0),
            node("Reshape", "p,target"),
        ],
        {"one": ints(1), "three": ints(3), "batch": ints(1), "minus": ints(-1)},
        note="the shape of a computed value",
    )

    value = helper.make_tensor("value", TensorProto.FLOAT, [1], [0.5])
    cases.add(
        "constant_of_shape",
        "ConstantOfShape",
        IMAGE,
        [node("ConstantOfShape", "shape", "c", value=value), node("Add", "x,c")],
        {"shape": ints(6, 1, 1)},
    )
    cases.add(
        "constant_of_shape_default",
        "ConstantOfShape",
        IMAGE,
        [node("ConstantOfShape", "shape", "c"), node("Add", "x,c")],
        {"shape": ints(4, 5)},
        note="zeros when no value is given",
    )
    cases.add(
        "constant_of_shape_of_x",
        "ConstantOfShape",
        IMAGE,
        [node("Shape", "x", "s"), node("ConstantOfShape", "s", "c", value=value), node("Mul", "x,c")],
    )
    cases.add(
        "constant_of_shape_pads",
        "ConstantOfShape",
        IMAGE,
        [
            node("ConstantOfShape", "eight", "zeros", value=helper.make_tensor("value", TensorProto.INT64, [1], [0])),
            node("Add", "zeros,pads", "sum"),
            node("Pad", "x,sum"),
        ],
        {"eight": ints(8), "pads": ints(0, 0, 1, 0, 0, 0, 0, 1)},
        note="how PyTorch computes a Pad's pads",
    )


def add_shapes(cases: Cases) -> None:
    """The cases of this group."""
    _reshapes(cases)
    _pads(cases)
    _slices(cases)
    _shape_arithmetic(cases)
