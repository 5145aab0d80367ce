"""Writes a network as an int8 ONNX file of QuantizeLinear / DequantizeLinear pairs: ONNX Runtime fuses them into integer kernels.

Activations: uint8 per tensor, static; weights: int8 with a scale an output channel; biases int32. An activation behind a layer
is folded into the range: its zero point is 0, so the rounding to a byte does the clipping.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from network import Layer, Network, activation_range, quantize_weight
from onnx import TensorProto, helper, numpy_helper

OPERATORS = {
    "conv": "Conv",
    "dense": "Gemm",
    "max_pool": "MaxPool",
    "global_average": "GlobalAveragePool",
    "flatten": "Flatten",
    "add": "Add",
    "concat": "Concat",
}


def attributes(layer: Layer) -> dict[str, object]:
    """The ONNX attributes of a layer."""
    window = {"kernel_shape": [layer.kernel] * 2, "strides": [layer.stride] * 2, "pads": list(layer.pads)}
    return {
        "conv": {**window, "group": layer.groups},
        "dense": {"transB": 1},
        "max_pool": window,
        "flatten": {"axis": 1},
        "concat": {"axis": 1},
    }.get(layer.kind, {})


def write(network: Network, path: Path) -> None:
    """Writes the network to `path`."""
    nodes: list[onnx.NodeProto] = []
    constants: list[onnx.TensorProto] = []
    ranges = {name: activation_range(value) for name, value in network.values.items()}
    for layer in network.layers:
        if layer.kind in ("max_pool", "flatten"):
            ranges[layer.output] = ranges[layer.inputs[0]]

    def constant(name: str, value: np.ndarray) -> str:
        constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def dequantized(name: str, quantized: np.ndarray, scales: np.ndarray) -> str:
        parts = [
            constant(f"{name}.q", quantized),
            constant(f"{name}.scale", scales),
            constant(f"{name}.zero", np.zeros(len(scales), quantized.dtype)),
        ]
        nodes.append(helper.make_node("DequantizeLinear", parts, [name], axis=0))
        return name

    def through_a_byte(source: str, name: str, output: str) -> None:
        step, zero = ranges[name]
        parameters = [constant(f"{name}.step", step), constant(f"{name}.zero_point", np.uint8(zero))]
        nodes.append(helper.make_node("QuantizeLinear", [source, *parameters], [f"{name}.byte"]))
        nodes.append(helper.make_node("DequantizeLinear", [f"{name}.byte", *parameters], [output]))

    value = {network.input: "input.value", **{layer.output: f"{layer.output}.value" for layer in network.layers}}
    value[network.output] = "logits"
    through_a_byte("input", network.input, value[network.input])
    for layer in network.layers:
        inputs = [value[name] for name in layer.inputs]
        if layer.kind in ("conv", "dense"):
            quantized, scales = quantize_weight(layer)
            steps = (scales * ranges[layer.inputs[0]][0]).astype(np.float32)
            bias = np.rint(layer.bias / steps).astype(np.int32)
            inputs += [dequantized(f"{layer.name}.weight", quantized, scales), dequantized(f"{layer.name}.bias", bias, steps)]
        result = f"{layer.output}.float"
        nodes.append(helper.make_node(OPERATORS[layer.kind], inputs, [result], name=layer.name, **attributes(layer)))
        through_a_byte(result, layer.output, value[layer.output])

    def info(name: str, tensor: str) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, *network.values[tensor].shape])

    graph = helper.make_graph(
        nodes, network.name, [info("input", network.input)], [info("logits", network.output)], constants
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path.write_bytes(model.SerializeToString())
