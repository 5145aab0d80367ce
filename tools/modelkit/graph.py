"""Builds ONNX graphs of convolutional networks: opset 13, float32, NCHW, explicit pads, weights as raw_data.

Every node and initializer gets a name that a person recognises (`blocks.3.depthwise`), because the library's errors, reports
and the page show these names. Shapes are tracked as the graph grows, which is what TensorFlow's SAME padding and tests of a
layer's size need.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 13
IR_VERSION = 8  # the first that allows everything in opset 13-15, and old enough for every reader we know

Activation = Literal["none", "relu", "relu6"]
Padding = Literal["same"] | int | tuple[int, int, int, int]


@dataclass(frozen=True)
class Tensor:
    """A value in the graph: its name, and its shape without the batch."""

    name: str
    shape: tuple[int, ...]


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """TensorFlow's SAME padding of one axis: (before, after). With a stride the odd pixel goes after, unlike PyTorch's."""
    outputs = -(-size // stride)
    total = max((outputs - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def fold_batch_norm(
    weight: np.ndarray,
    bias: np.ndarray | None,
    gamma: np.ndarray,
    beta: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
    epsilon: float,
) -> tuple[np.ndarray, np.ndarray]:
    """The weight [out, ...] and bias [out] of a convolution that includes the BatchNormalization behind it.

    Computed in float64 and rounded once: a variance near zero makes factors of several hundred.
    """
    factor = gamma.astype(np.float64) / np.sqrt(variance.astype(np.float64) + epsilon)
    before = np.zeros(len(gamma)) if bias is None else bias.astype(np.float64)
    folded = weight.astype(np.float64) * factor.reshape(-1, *[1] * (weight.ndim - 1))
    return folded.astype(np.float32), (beta + (before - mean) * factor).astype(np.float32)


class GraphBuilder:
    """Appends layers to a graph with one input; `finish` makes the model. Methods return the layer's output."""

    def __init__(self, name: str, input_shape: tuple[int, int, int]) -> None:
        self._name = name
        self._nodes: list[onnx.NodeProto] = []
        self._initializers: dict[str, onnx.TensorProto] = {}
        self.input = Tensor("input", input_shape)

    def constant(self, name: str, value: np.ndarray) -> str:
        """Adds an initializer, once per name; returns the name."""
        if name not in self._initializers:
            self._initializers[name] = numpy_helper.from_array(np.ascontiguousarray(value), name)
        return name

    def node(self, op: str, inputs: list[str], output: str, **attributes: object) -> None:
        """Appends a node with one output. The node is named as its output."""
        self._nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))

    def activate(self, x: Tensor, activation: Activation, name: str) -> Tensor:
        """x behind its activation; `relu6` is a Clip, as every exporter writes it."""
        if activation == "none":
            return x
        if activation == "relu":
            self.node("Relu", [x.name], f"{name}.relu")
            return Tensor(f"{name}.relu", x.shape)
        low, high = self.constant("zero", np.float32(0)), self.constant("six", np.float32(6))
        self.node("Clip", [x.name, low, high], f"{name}.relu6")
        return Tensor(f"{name}.relu6", x.shape)

    @staticmethod
    def _pads(x: Tensor, kernel: tuple[int, int], stride: int, padding: Padding) -> tuple[int, int, int, int]:
        """ONNX order: top, left, bottom, right."""
        if padding == "same":
            top, bottom = same_padding(x.shape[1], kernel[0], stride)
            left, right = same_padding(x.shape[2], kernel[1], stride)
            return top, left, bottom, right
        if isinstance(padding, int):
            return padding, padding, padding, padding
        return padding

    @staticmethod
    def _spatial(x: Tensor, kernel: tuple[int, int], stride: int, pads: tuple[int, int, int, int]) -> tuple[int, int]:
        height = (x.shape[1] + pads[0] + pads[2] - kernel[0]) // stride + 1
        width = (x.shape[2] + pads[1] + pads[3] - kernel[1]) // stride + 1
        return height, width

    def conv(
        self,
        x: Tensor,
        name: str,
        weight: np.ndarray,
        bias: np.ndarray,
        *,
        stride: int = 1,
        padding: Padding = 0,
        groups: int = 1,
        activation: Activation = "none",
    ) -> Tensor:
        """A convolution with weight [out, in / groups, height, width] and its activation."""
        kernel = (weight.shape[2], weight.shape[3])
        assert weight.shape[1] * groups == x.shape[0], f"{name}: weight {weight.shape} on {x.shape[0]} channels"
        pads = self._pads(x, kernel, stride, padding)
        self.node(
            "Conv",
            [x.name, self.constant(f"{name}.weight", weight), self.constant(f"{name}.bias", bias)],
            name,
            kernel_shape=kernel,
            strides=(stride, stride),
            pads=pads,
            group=groups,
        )
        y = Tensor(name, (weight.shape[0], *self._spatial(x, kernel, stride, pads)))
        return self.activate(y, activation, name)

    def dense(self, x: Tensor, name: str, weight: np.ndarray, bias: np.ndarray, activation: Activation = "none") -> Tensor:
        """A fully connected layer with weight [out, in], a Gemm with transB."""
        self.node(
            "Gemm", [x.name, self.constant(f"{name}.weight", weight), self.constant(f"{name}.bias", bias)], name, transB=1
        )
        return self.activate(Tensor(name, (weight.shape[0],)), activation, name)

    def batch_norm(
        self, x: Tensor, name: str, gamma: np.ndarray, beta: np.ndarray, mean: np.ndarray, variance: np.ndarray, epsilon: float
    ) -> Tensor:
        """A BatchNormalization that no convolution stands directly before, so that it could not be folded."""
        parameters = {"gamma": gamma, "beta": beta, "mean": mean, "variance": variance}
        inputs = [self.constant(f"{name}.{key}", value) for key, value in parameters.items()]
        self.node("BatchNormalization", [x.name, *inputs], name, epsilon=epsilon)
        return Tensor(name, x.shape)

    def max_pool(self, x: Tensor, name: str, kernel: int, stride: int, padding: Padding = 0, ceil: bool = False) -> Tensor:
        """Maximum over windows. `ceil` keeps the last, partial window, as Caffe's networks do."""
        window = (kernel, kernel)
        pads = self._pads(x, window, stride, padding)
        extra = {"ceil_mode": 1} if ceil else {}
        self.node("MaxPool", [x.name], name, kernel_shape=window, strides=(stride, stride), pads=pads, **extra)
        height, width = self._spatial(x, window, stride, pads)
        if ceil:
            height = -(-(x.shape[1] + pads[0] + pads[2] - kernel) // stride) + 1
            width = -(-(x.shape[2] + pads[1] + pads[3] - kernel) // stride) + 1
        return Tensor(name, (x.shape[0], height, width))

    def global_average(self, x: Tensor, name: str) -> Tensor:
        """Mean over all pixels, flattened to [channels]."""
        self.node("GlobalAveragePool", [x.name], name)
        return self.flatten(Tensor(name, (x.shape[0], 1, 1)), f"{name}.flat")

    def flatten(self, x: Tensor, name: str) -> Tensor:
        """[channels, height, width] to one vector."""
        self.node("Flatten", [x.name], name, axis=1)
        return Tensor(name, (int(np.prod(x.shape)),))

    def transpose(self, x: Tensor, name: str, order: tuple[int, int, int]) -> Tensor:
        """x with its axes (batch not counted) in another order."""
        self.node("Transpose", [x.name], name, perm=[0, *[axis + 1 for axis in order]])
        return Tensor(name, tuple(x.shape[axis] for axis in order))

    def add(self, a: Tensor, b: Tensor, name: str, activation: Activation = "none") -> Tensor:
        """Sum of two tensors of one shape."""
        assert a.shape == b.shape, f"{name}: {a.shape} + {b.shape}"
        self.node("Add", [a.name, b.name], name)
        return self.activate(Tensor(name, a.shape), activation, name)

    def concat(self, parts: list[Tensor], name: str) -> Tensor:
        """Channels of all parts, in order."""
        self.node("Concat", [part.name for part in parts], name, axis=1)
        return Tensor(name, (sum(part.shape[0] for part in parts), *parts[0].shape[1:]))

    def finish(self, output: Tensor, metadata: dict[str, str], output_name: str = "logits") -> onnx.ModelProto:
        """The checked model: input `input` [1, C, H, W], one output [1, ...] called `output_name`."""
        for node in self._nodes:
            for edges in (node.input, node.output):
                for i, edge in enumerate(edges):
                    if edge == output.name:
                        edges[i] = output_name
        graph = helper.make_graph(
            self._nodes,
            self._name,
            [helper.make_tensor_value_info(self.input.name, TensorProto.FLOAT, [1, *self.input.shape])],
            [helper.make_tensor_value_info(output_name, TensorProto.FLOAT, [1, *output.shape])],
            list(self._initializers.values()),
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="kdequant-tools"
        )
        helper.set_model_props(model, metadata)
        onnx.checker.check_model(model, full_check=True)
        return model
