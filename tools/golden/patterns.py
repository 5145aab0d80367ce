"""Groups of nodes that a graph compiler rewrites, each beside the look-alike that it must leave alone."""

from __future__ import annotations

import numpy as np
import onnx

from .case import Cases, node, normal, positive

SHAPE = (1, 5, 6, 7)
PADS = [1, 1, 1, 1]
NORM = {"scale": positive(6), "shift": normal(6, deviation=0.5), "mean": normal(6, deviation=0.5), "variance": positive(6)}
NORM_INPUTS = "scale,shift,mean,variance"


def _conv(source: str = "x") -> onnx.NodeProto:
    """The padded 3x3 Conv `c` that most patterns begin with."""
    return node("Conv", f"{source},w,b", "c", pads=PADS)


def _folding(cases: Cases) -> None:
    weights = {"w": normal(6, 5, 3, 3), "b": normal(6, deviation=0.5)}
    conv = _conv()
    cases.add("conv_norm", "BatchNormalization", SHAPE, [conv, node("BatchNormalization", f"c,{NORM_INPUTS}")], weights | NORM)
    cases.add(
        "conv_no_bias_norm_relu",
        "BatchNormalization",
        SHAPE,
        [node("Conv", "x,w", "c", pads=PADS), node("BatchNormalization", f"c,{NORM_INPUTS}", "n"), node("Relu", "n")],
        {"w": normal(6, 5, 3, 3)} | NORM,
    )
    cases.add(
        "depthwise_norm_relu6",
        "BatchNormalization",
        (1, 6, 7, 7),
        [
            node("Conv", "x,w", "c", group=6, pads=PADS, strides=[2, 2]),
            node("BatchNormalization", f"c,{NORM_INPUTS}", "n"),
            node("Clip", "n,low,high"),
        ],
        {"w": normal(6, 1, 3, 3), "low": np.array(0, np.float32), "high": np.array(6, np.float32)} | NORM,
    )
    cases.add(
        "gemm_norm",
        "BatchNormalization",
        (1, 8),
        [node("Gemm", "x,w,b", "g"), node("BatchNormalization", f"g,{NORM_INPUTS}")],
        {"w": normal(8, 6), "b": normal(6)} | NORM,
    )
    cases.add(
        "conv_relu_norm",
        "BatchNormalization",
        SHAPE,
        [conv, node("Relu", "c", "r"), node("BatchNormalization", f"r,{NORM_INPUTS}")],
        weights | NORM,
        note="the Relu stands between: it cannot go into this Conv",
    )
    cases.add(
        "norm_padded_conv",
        "BatchNormalization",
        (1, 6, 6, 6),
        [node("BatchNormalization", f"x,{NORM_INPUTS}", "n"), node("Conv", "n,w", pads=PADS)],
        {"w": normal(5, 6, 3, 3)} | NORM,
        note="folding into the Conv behind is wrong at the border: the padding is not normalized",
    )
    cases.add(
        "norm_relu_conv",
        "BatchNormalization",
        (1, 6, 6, 6),
        [node("BatchNormalization", f"x,{NORM_INPUTS}", "n"), node("Relu", "n", "r"), node("Conv", "r,w", pads=PADS)],
        {"w": normal(5, 6, 3, 3)} | NORM,
        note="DenseNet's order",
    )
    cases.add(
        "conv_norm_and_plain_use",
        "BatchNormalization",
        SHAPE,
        [conv, node("BatchNormalization", f"c,{NORM_INPUTS}", "n"), node("Add", "n,c")],
        weights | NORM,
        note="the Conv's output is used twice",
    )
    cases.add(
        "shared_weight_norm",
        "BatchNormalization",
        (1, 5, 6, 6),
        [
            node("Conv", "x,w", "c", pads=PADS),
            node("BatchNormalization", f"c,{NORM_INPUTS}", "n"),
            node("Conv", "x,w", "d", pads=PADS),
            node("Add", "n,d"),
        ],
        {"w": normal(6, 5, 3, 3)} | NORM,
        note="two Convs share one weight; only one is normalized",
    )
    cases.add(
        "conv_mul_add_channels",
        "Mul",
        SHAPE,
        [conv, node("Mul", "c,k", "m"), node("Add", "m,a")],
        weights | {"k": normal(6, 1, 1), "a": normal(1, 6, 1, 1)},
        note="a normalization taken apart",
    )
    cases.add(
        "conv_sub_div_channels",
        "Div",
        SHAPE,
        [conv, node("Sub", "c,k", "m"), node("Div", "m,a")],
        weights | {"k": normal(6, 1, 1), "a": positive(6, 1, 1)},
    )
    cases.add(
        "conv_mul_plane",
        "Mul",
        SHAPE,
        [conv, node("Mul", "c,k")],
        weights | {"k": normal(6, 7)},
        note="a factor a pixel, not a channel",
    )
    cases.add("conv_mul_scalar", "Mul", SHAPE, [conv, node("Mul", "c,k")], weights | {"k": np.array(-0.5, np.float32)})
    cases.add(
        "conv_add_bias",
        "Add",
        SHAPE,
        [node("Conv", "x,w", "c", pads=PADS), node("Add", "c,a")],
        {"w": normal(6, 5, 3, 3), "a": normal(1, 6, 1, 1)},
    )
    cases.add(
        "normalize_input_conv",
        "Sub",
        SHAPE,
        [node("Sub", "x,mean", "s"), node("Div", "s,deviation", "d"), node("Conv", "d,w", pads=PADS)],
        {"mean": normal(5, 1, 1), "deviation": positive(5, 1, 1), "w": normal(6, 5, 3, 3)},
        note="preprocessing inside the model",
    )


def _fusing(cases: Cases) -> None:
    weights = {"w": normal(6, 5, 3, 3), "b": normal(6, deviation=0.5)}
    conv = _conv()
    six, three, zero = np.array(6, np.float32), np.array(3, np.float32), np.array(0, np.float32)
    cases.add("conv_relu", "Relu", SHAPE, [conv, node("Relu", "c")], weights)
    cases.add("conv_relu6", "Clip", SHAPE, [conv, node("Clip", "c,zero,six")], weights | {"zero": zero, "six": six})
    cases.add("conv_leaky_relu", "LeakyRelu", SHAPE, [conv, node("LeakyRelu", "c", alpha=0.1)], weights)
    cases.add("conv_prelu", "PRelu", SHAPE, [conv, node("PRelu", "c,slope")], weights | {"slope": normal(6, 1, 1)})
    cases.add("conv_sigmoid", "Sigmoid", SHAPE, [conv, node("Sigmoid", "c")], weights)
    cases.add(
        "conv_swish", "Sigmoid", SHAPE, [conv, node("Sigmoid", "c", "s"), node("Mul", "c,s")], weights, note="x sigmoid(x)"
    )
    cases.add("conv_swish_swapped", "Sigmoid", SHAPE, [conv, node("Sigmoid", "c", "s"), node("Mul", "s,c")], weights)
    cases.add(
        "sigmoid_gate",
        "Sigmoid",
        SHAPE,
        [conv, node("Sigmoid", "c", "s"), node("Relu", "c", "r"), node("Mul", "r,s")],
        weights,
        note="not a swish: the gate works on another value",
    )
    cases.add("conv_hard_swish", "HardSwish", SHAPE, [conv, node("HardSwish", "c")], weights, opset=14)
    cases.add(
        "hard_swish_of_hard_sigmoid",
        "HardSigmoid",
        SHAPE,
        [conv, node("HardSigmoid", "c", "s", alpha=1 / 6, beta=0.5), node("Mul", "c,s")],
        weights,
        note="PyTorch's way before opset 14",
    )
    cases.add(
        "hard_swish_of_clip",
        "Clip",
        SHAPE,
        [conv, node("Add", "c,three", "a"), node("Clip", "a,zero,six", "l"), node("Mul", "c,l", "m"), node("Div", "m,six")],
        weights | {"three": three, "zero": zero, "six": six},
        note="MobileNetV3 taken apart",
    )
    cases.add(
        "relu_also_used_before",
        "Relu",
        SHAPE,
        [conv, node("Relu", "c", "r"), node("Concat", "c,r", axis=1)],
        weights,
        note="the value before the Relu is used too",
    )
    cases.add(
        "relu_relu6",
        "Relu",
        SHAPE,
        [conv, node("Relu", "c", "r"), node("Clip", "r,zero,six")],
        weights | {"zero": zero, "six": six},
    )
    cases.add(
        "residual",
        "Add",
        (1, 6, 5, 5),
        [node("Conv", "x,w,b", "c", pads=PADS), node("Add", "c,x", "a"), node("Relu", "a")],
        {"w": normal(6, 6, 3, 3), "b": normal(6)},
        note="ResNet",
    )
    cases.add(
        "residual_activated_branch",
        "Add",
        (1, 6, 5, 5),
        [node("Conv", "x,w,b", "c", pads=PADS), node("Relu", "c", "r"), node("Add", "x,r")],
        {"w": normal(6, 6, 3, 3), "b": normal(6)},
    )
    cases.add(
        "residual_projected",
        "Add",
        SHAPE,
        [
            node("Conv", "x,w", "c", pads=PADS, strides=[2, 2]),
            node("Conv", "x,v", "d", strides=[2, 2]),
            node("Add", "c,d", "a"),
            node("Relu", "a"),
        ],
        {"w": normal(6, 5, 3, 3), "v": normal(6, 5, 1, 1)},
    )
    cases.add(
        "squeeze_and_excitation",
        "Mul",
        (1, 6, 5, 5),
        [
            node("GlobalAveragePool", "x", "p"),
            node("Conv", "p,w,b", "c"),
            node("Relu", "c", "r"),
            node("Conv", "r,v,d", "e"),
            node("Sigmoid", "e", "s"),
            node("Mul", "s,x"),
        ],
        {"w": normal(3, 6, 1, 1), "b": normal(3), "v": normal(6, 3, 1, 1), "d": normal(6)},
    )
    cases.add(
        "fire",
        "Concat",
        (1, 6, 6, 6),
        [
            node("Conv", "x,s", "q"),
            node("Relu", "q", "r"),
            node("Conv", "r,a", "c1"),
            node("Relu", "c1", "e1"),
            node("Conv", "r,c", "c3", pads=PADS),
            node("Relu", "c3", "e3"),
            node("Concat", "e1,e3", axis=1),
        ],
        {"s": normal(3, 6, 1, 1), "a": normal(5, 3, 1, 1), "c": normal(5, 3, 3, 3)},
        note="SqueezeNet's module",
    )
    cases.add(
        "inverted_residual",
        "Add",
        (1, 6, 5, 5),
        [
            node("Conv", "x,a", "e"),
            node("Clip", "e,zero,six", "e6"),
            node("Conv", "e6,d", "w", group=18, pads=PADS),
            node("Clip", "w,zero,six", "w6"),
            node("Conv", "w6,p", "o"),
            node("Add", "x,o"),
        ],
        {"a": normal(18, 6, 1, 1), "d": normal(18, 1, 3, 3), "p": normal(6, 18, 1, 1), "zero": zero, "six": six},
        note="MobileNetV2's block",
    )
    cases.add(
        "nhwc_wrapped",
        "Transpose",
        (1, 6, 7, 3),
        [
            node("Transpose", "x", "t", perm=[0, 3, 1, 2]),
            node("Conv", "t,w", "c", pads=PADS),
            node("Relu", "c", "r"),
            node("Transpose", "r", perm=[0, 2, 3, 1]),
        ],
        {"w": normal(5, 3, 3, 3)},
        note="a TensorFlow model's image layout",
    )
    cases.add(
        "classifier_head",
        "Gemm",
        (1, 9, 4, 4),
        [
            node("GlobalAveragePool", "x", "p"),
            node("Flatten", "p", "f"),
            node("Dropout", "f", "d"),
            node("Gemm", "d,w,b", "g", transB=1),
            node("Softmax", "g", axis=1),
        ],
        {"w": normal(11, 9), "b": normal(11)},
        opset=12,
    )
    cases.add(
        "dead_branch",
        "Relu",
        SHAPE,
        [conv, node("Sigmoid", "c", "dead"), node("MaxPool", "dead", "deader", kernel_shape=[2, 2]), node("Relu", "c")],
        weights,
        note="two nodes lead nowhere",
    )
    cases.add(
        "identity_chain",
        "Identity",
        SHAPE,
        [node("Identity", "x", "a"), _conv("a"), node("Identity", "c", "d"), node("Identity", "d")],
        weights,
    )
    cases.add(
        "constant_only_branch",
        "Mul",
        SHAPE,
        [node("Relu", "k", "kr"), node("Mul", "kr,two", "k2"), node("Add", "x,k2")],
        {"k": normal(5, 1, 1), "two": np.array(2, np.float32)},
        note="nodes over constants alone are folded",
    )


def add_patterns(cases: Cases) -> None:
    """The cases of this group."""
    _folding(cases)
    _fusing(cases)
