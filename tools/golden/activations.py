"""Functions of one number, and the normalizations that look across channels."""

from __future__ import annotations

import numpy as np

from .case import Cases, node, normal, positive

IMAGE = (1, 6, 5, 7)


def _activation(cases: Cases, op: str, name: str, *, opset: int = 13, note: str = "", **attributes: object) -> None:
    """On 3 x, so that every branch and the saturation of each function is met."""
    cases.add(
        name,
        op,
        IMAGE,
        [node("Mul", "x,three", "t"), node(op, "t", **attributes)],
        {"three": np.array(3, np.float32)},
        opset=opset,
        note=note,
    )


def add_activations(cases: Cases) -> None:
    """The cases of this group."""
    _activation(cases, "Relu", "relu")
    _activation(cases, "Relu", "relu_opset_7", opset=7)
    _activation(cases, "LeakyRelu", "leaky_relu", note="alpha 0.01 when absent")
    _activation(cases, "LeakyRelu", "leaky_relu_alpha", alpha=0.1, note="DarkNet's")
    _activation(cases, "Elu", "elu")
    _activation(cases, "Elu", "elu_alpha", alpha=0.5)
    _activation(cases, "Tanh", "tanh")
    _activation(cases, "Sigmoid", "sigmoid")
    _activation(cases, "HardSigmoid", "hard_sigmoid", note="alpha 0.2, beta 0.5 when absent")
    _activation(cases, "HardSigmoid", "hard_sigmoid_sixth", alpha=1 / 6, beta=0.5, note="PyTorch's")
    _activation(cases, "HardSwish", "hard_swish", opset=14)
    _activation(cases, "Identity", "identity")

    _activation(cases, "Clip", "clip_attributes", opset=7, min=0.0, max=6.0, note="ReLU6 before opset 11")
    _activation(cases, "Clip", "clip_attributes_min", opset=9, min=-0.5)
    _activation(cases, "Clip", "clip_attributes_max", opset=10, max=0.75)
    _activation(cases, "Clip", "clip_attributes_none", opset=8, note="no bounds: a copy")
    low, high = np.array(-0.5, np.float32), np.array(1.25, np.float32)
    cases.add("clip_inputs", "Clip", IMAGE, [node("Clip", "x,low,high")], {"low": low, "high": high})
    cases.add("clip_inputs_opset_11", "Clip", IMAGE, [node("Clip", "x,low,high")], {"low": low, "high": high}, opset=11)
    cases.add("clip_min_only", "Clip", IMAGE, [node("Clip", "x,low")], {"low": low})
    cases.add("clip_max_only", "Clip", IMAGE, [node("Clip", "x,,high")], {"high": high}, note="an absent input in the middle")
    cases.add("clip_none", "Clip", IMAGE, [node("Clip", "x")])
    cases.add(
        "clip_bounds_from_constant_nodes",
        "Clip",
        IMAGE,
        [
            node("Constant", "", "low", value_float=0.0),
            node("Constant", "", "high", value_float=1.0),
            node("Clip", "x,low,high"),
        ],
    )

    cases.add("prelu_channels", "PRelu", IMAGE, [node("PRelu", "x,slope")], {"slope": normal(6, 1, 1)})
    cases.add("prelu_one_slope", "PRelu", IMAGE, [node("PRelu", "x,slope")], {"slope": normal(1)}, opset=7)
    cases.add("prelu_opset_16", "PRelu", IMAGE, [node("PRelu", "x,slope")], {"slope": normal(6, 1, 1)}, opset=16)
    cases.add("prelu_rank_2", "PRelu", (1, 11), [node("PRelu", "x,slope")], {"slope": normal(11)})

    cases.add("dropout_opset_7", "Dropout", IMAGE, [node("Dropout", "x", ratio=0.5)], opset=7, note="nothing at inference")
    cases.add("dropout_with_mask", "Dropout", IMAGE, [node("Dropout", "x", "y,mask", ratio=0.5)], opset=10, note="mask unused")
    cases.add("dropout_ratio_input", "Dropout", IMAGE, [node("Dropout", "x,ratio")], {"ratio": np.array(0.4, np.float32)})
    cases.add(
        "dropout_training_input",
        "Dropout",
        IMAGE,
        [node("Dropout", "x,ratio,training")],
        {"ratio": np.array(0.4, np.float32), "training": np.array(False)},
    )

    _activation(cases, "LRN", "lrn", size=5, note="AlexNet's, defaults: alpha 1e-4, beta 0.75, bias 1")
    _activation(cases, "LRN", "lrn_strong", size=3, alpha=0.5, beta=0.6, bias=2.0)
    _activation(cases, "LRN", "lrn_wider_than_channels", size=15, alpha=0.1)

    for op, name in (("Softmax", "softmax"), ("LogSoftmax", "log_softmax")):
        cases.add(f"{name}_rank_2", op, (1, 17), [node(op, "x", axis=1)])
        cases.add(f"{name}_default_axis", op, IMAGE, [node(op, "x")], note="opset 13: the last axis")
        cases.add(f"{name}_channels", op, IMAGE, [node(op, "x", axis=1)])
        cases.add(
            f"{name}_flattened",
            op,
            IMAGE,
            [node(op, "x", axis=1)],
            opset=11,
            note="before opset 13: over all axes from this one on together",
        )
        cases.add(
            f"{name}_flattened_default", op, IMAGE, [node(op, "x")], opset=9, note="before opset 13 the default is axis 1"
        )
        cases.add(f"{name}_flattened_axis_2", op, IMAGE, [node(op, "x", axis=2)], opset=11)
    cases.add(
        "softmax_large",
        "Softmax",
        (1, 9),
        [node("Mul", "x,c", "t"), node("Softmax", "t", axis=-1)],
        {"c": np.array(200, np.float32)},
        note="e^x overflows unless the maximum is taken off first",
    )

    norm = {"scale": positive(6), "bias": normal(6, deviation=0.5), "mean": normal(6, deviation=0.5), "variance": positive(6)}
    for opset in (7, 9, 14, 15):
        cases.add(
            f"batch_normalization_opset_{opset}",
            "BatchNormalization",
            IMAGE,
            [node("BatchNormalization", "x,scale,bias,mean,variance", epsilon=1e-3)],
            norm,
            opset=opset,
        )
    cases.add(
        "batch_normalization_default_epsilon",
        "BatchNormalization",
        IMAGE,
        [node("BatchNormalization", "x,scale,bias,mean,variance")],
        norm | {"variance": np.full(6, 1e-5, np.float32)},
        note="a variance as small as epsilon (1e-5)",
    )
    cases.add(
        "batch_normalization_rank_2",
        "BatchNormalization",
        (1, 6),
        [node("BatchNormalization", "x,scale,bias,mean,variance")],
        norm,
    )
