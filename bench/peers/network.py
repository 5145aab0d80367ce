"""Reads the float ONNX networks of tools/random_models.py as layers with fused activations, and runs them once.

Only what those graphs hold: Conv, Gemm, MaxPool, GlobalAveragePool, Flatten, Add, Concat, Relu, Clip(0, 6). Anything else is
an error, so that no converted network computes something other than ours does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

Kind = Literal["conv", "dense", "max_pool", "global_average", "flatten", "add", "concat"]
Activation = Literal["none", "relu", "relu6"]

KINDS: dict[str, Kind] = {
    "Conv": "conv",
    "Gemm": "dense",
    "MaxPool": "max_pool",
    "GlobalAveragePool": "global_average",
    "Flatten": "flatten",
    "Add": "add",
    "Concat": "concat",
}


@dataclass
class Layer:
    """One operation and the activation behind it. Shapes are without the batch: [C, H, W], or [C] behind a Flatten."""

    kind: Kind
    name: str
    inputs: list[str]
    output: str
    activation: Activation = "none"
    weight: np.ndarray = field(default_factory=lambda: np.empty(0, np.float32))  # [out, in / groups, h, w] or [out, in]
    bias: np.ndarray = field(default_factory=lambda: np.empty(0, np.float32))
    kernel: int = 1
    stride: int = 1
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)  # top, left, bottom, right
    groups: int = 1

    @property
    def depthwise(self) -> bool:
        """Whether every channel has a filter of its own."""
        return self.groups > 1


@dataclass
class Network:
    """Layers in order; the first input is `input`, the last output the logits."""

    name: str
    input: str
    layers: list[Layer]
    values: dict[str, np.ndarray]  # by tensor name, without the batch: what one input makes of every layer

    @property
    def output(self) -> str:
        """The name of the logits."""
        return self.layers[-1].output


def read(path: Path, x: np.ndarray) -> Network:
    """The network in `path`, and the values of all its layers for the input `x` [1, 3, H, W]."""
    model = onnx.load(path)
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    producers: dict[str, Layer] = {}
    layers: list[Layer] = []
    for node in model.graph.node:
        source = node.input[0]
        if node.op_type in ("Relu", "Clip"):
            if node.op_type == "Clip":
                bounds = [weights[name].item() for name in node.input[1:]]
                assert bounds == [0, 6], f"{node.name}: Clip to {bounds}"
            layer = producers.pop(source)
            assert layer.activation == "none", f"{node.name}: a second activation"
            layer.activation = "relu" if node.op_type == "Relu" else "relu6"
            layer.output = node.output[0]
        else:
            layer = _layer(node, weights)
            layers.append(layer)
        producers[layer.output] = layer
    return Network(path.stem, model.graph.input[0].name, layers, _run(model, [layer.output for layer in layers], x))


def _layer(node: onnx.NodeProto, weights: dict[str, np.ndarray]) -> Layer:
    assert node.op_type in KINDS, f"{node.name}: no conversion of {node.op_type}"
    attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    layer = Layer(KINDS[node.op_type], node.name, [name for name in node.input if name not in weights], node.output[0])
    if layer.kind in ("conv", "dense"):
        layer.weight, layer.bias = weights[node.input[1]], weights[node.input[2]]
        layer.groups = attributes.get("group", 1)
        assert layer.groups in (1, len(layer.weight)), f"{node.name}: neither dense nor depthwise"
    if layer.kind in ("conv", "max_pool"):
        layer.kernel, layer.stride = attributes["kernel_shape"][0], attributes["strides"][0]
        layer.pads = tuple(attributes["pads"])
    return layer


def _run(model: onnx.ModelProto, names: list[str], x: np.ndarray) -> dict[str, np.ndarray]:
    outputs = {output.name for output in model.graph.output}
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in outputs)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    name = model.graph.input[0].name
    values = dict(zip(names, session.run(names, {name: x}), strict=True))
    return {name: x[0], **{key: value[0] for key, value in values.items()}}


def quantize_weight(layer: Layer) -> tuple[np.ndarray, np.ndarray]:
    """Symmetric int8 with a scale an output channel: (int8 weight, float32 scales), as both int8 peers want it."""
    rows = layer.weight.reshape(len(layer.weight), -1)
    scales = np.maximum(np.abs(rows).max(axis=1) / 127, 1e-12).astype(np.float32)
    quantized = np.rint(rows / scales[:, None]).clip(-127, 127).astype(np.int8)
    return quantized.reshape(layer.weight.shape), scales


def activation_range(values: np.ndarray) -> tuple[np.float32, int]:
    """Step and zero point (0..255) of a byte that covers all `values` and zero."""
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    step = max((high - low) / 255, 1e-8)
    return np.float32(step), int(np.clip(round(-low / step), 0, 255))
