"""Writes a network as a TensorFlow.js graph model, as its converter does: model.json with fused operators, a file of weights."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
from network import Layer, Network
from tflite_file import channels_last

FUSED = {"none": [], "relu": ["Relu"], "relu6": ["Relu6"]}


def text(value: str) -> dict[str, str]:
    """A string attribute."""
    return {"s": base64.b64encode(value.encode()).decode()}


def integers(values: list[int]) -> dict[str, object]:
    """A list-of-integers attribute."""
    return {"list": {"i": [str(value) for value in values]}}


class Converter:
    """One network on its way into a graph model."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._nodes: list[dict[str, object]] = []
        self._weights: list[dict[str, object]] = []
        self._bytes = bytearray()

    def write(self, folder: Path) -> None:
        """Writes model.json and weights.bin."""
        network = self._network
        shape = [{"size": str(size)} for size in channels_last(network.values[network.input].shape)]
        self._node("Placeholder", network.input, [], dtype={"type": "DT_FLOAT"}, shape={"shape": {"dim": shape}})
        for layer in network.layers:
            getattr(self, f"_{layer.kind}")(layer)
        model = {
            "format": "graph-model",
            "modelTopology": {"node": self._nodes, "versions": {"producer": 987}},
            "weightsManifest": [{"paths": ["weights.bin"], "weights": self._weights}],
        }
        folder.mkdir(exist_ok=True)
        (folder / "model.json").write_text(json.dumps(model))
        (folder / "weights.bin").write_bytes(bytes(self._bytes))

    def _node(self, op: str, name: str, inputs: list[str], **attributes: object) -> str:
        self._nodes.append({"name": name, "op": op, "input": inputs, "attr": {"T": {"type": "DT_FLOAT"}, **attributes}})
        return name

    def _constant(self, name: str, data: np.ndarray) -> str:
        integral = data.dtype.kind == "i"
        data = np.ascontiguousarray(data, np.int32 if integral else np.float32)
        kind = "DT_INT32" if integral else "DT_FLOAT"
        shape = {"tensorShape": {"dim": [{"size": str(size)} for size in data.shape]}, "dtype": kind}
        self._nodes.append({"name": name, "op": "Const", "attr": {"dtype": {"type": kind}, "value": {"tensor": shape}}})
        self._weights.append({"name": name, "shape": list(data.shape), "dtype": "int32" if integral else "float32"})
        self._bytes += data.tobytes()
        return name

    def _fused(self, op: str, layer: Layer, weight: np.ndarray, **attributes: object) -> None:
        inputs = [
            layer.inputs[0],
            self._constant(f"{layer.name}/weight", weight),
            self._constant(f"{layer.name}/bias", layer.bias),
        ]
        operations = [text(name)["s"] for name in ["BiasAdd", *FUSED[layer.activation]]]
        self._node(
            op, layer.output, inputs, fused_ops={"list": {"s": operations}}, num_args={"i": "1"}, epsilon={"f": 0}, **attributes
        )

    def _conv(self, layer: Layer) -> None:
        top, left, bottom, right = layer.pads
        padding = {"padding": text("VALID")}
        if any(layer.pads):
            padding = {"padding": text("EXPLICIT"), "explicit_paddings": integers([0, 0, top, bottom, left, right, 0, 0])}
        # Height, width, in, out; of a depthwise one height, width, channels, filters a channel.
        order = (2, 3, 0, 1) if layer.depthwise else (2, 3, 1, 0)
        self._fused(
            "FusedDepthwiseConv2dNative" if layer.depthwise else "_FusedConv2D",
            layer,
            layer.weight.transpose(order),
            strides=integers([1, layer.stride, layer.stride, 1]),
            dilations=integers([1, 1, 1, 1]),
            data_format=text("NHWC"),
            **padding,
        )

    def _dense(self, layer: Layer) -> None:
        self._fused("_FusedMatMul", layer, layer.weight.T, transpose_a={"b": False}, transpose_b={"b": False})

    def _max_pool(self, layer: Layer) -> None:
        source = layer.inputs[0]
        if any(layer.pads):  # zeros, in front of a ReLU's output: see tflite_file.py
            top, left, bottom, right = layer.pads
            amounts = np.array([[0, 0], [top, bottom], [left, right], [0, 0]], np.int32)
            source = self._node("Pad", f"{layer.name}/padded", [source, self._constant(f"{layer.name}/pads", amounts)])
        self._node(
            "MaxPool",
            layer.output,
            [source],
            ksize=integers([1, layer.kernel, layer.kernel, 1]),
            strides=integers([1, layer.stride, layer.stride, 1]),
            padding=text("VALID"),
            data_format=text("NHWC"),
        )

    def _global_average(self, layer: Layer) -> None:
        axes = self._constant(f"{layer.name}/axes", np.array([1, 2], np.int32))
        self._node("Mean", layer.output, [layer.inputs[0], axes], keep_dims={"b": True})

    def _flatten(self, layer: Layer) -> None:
        source, shape = layer.inputs[0], self._network.values[layer.inputs[0]].shape
        if shape[1:] != (1, 1):
            order = self._constant(f"{layer.name}/order", np.array([0, 3, 1, 2], np.int32))
            source = self._node("Transpose", f"{layer.name}/channels_first", [source, order])
        target = self._constant(f"{layer.name}/shape", np.array([1, np.prod(shape)], np.int32))
        self._node("Reshape", layer.output, [source, target])

    def _add(self, layer: Layer) -> None:
        name = layer.output if layer.activation == "none" else f"{layer.name}/sum"
        self._node("AddV2", name, layer.inputs)
        if layer.activation != "none":
            self._node(FUSED[layer.activation][0], layer.output, [name])

    def _concat(self, layer: Layer) -> None:
        axis = self._constant(f"{layer.name}/axis", np.array(3, np.int32))
        self._node("ConcatV2", layer.output, [*layer.inputs, axis], N={"i": str(len(layer.inputs))})


def write(network: Network, folder: Path) -> None:
    """Writes the network into `folder`."""
    Converter(network).write(folder)
