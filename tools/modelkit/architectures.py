"""The layer graphs of classic image networks at 224 x 224, 1000 classes; where the weights come from is the caller's matter.

Each function builds one network from a `Weights` source, so that the bundled EfficientNet-Lite0 (real weights) and the
random-weight graphs of the benchmarks cannot drift apart. BatchNormalization is taken as folded into weight and bias.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from .graph import Activation, GraphBuilder, Padding, Tensor


class Weights(Protocol):
    """Weights by layer name."""

    def layer(self, name: str, shape: tuple[int, ...], activation: Activation, role: str) -> tuple[np.ndarray, np.ndarray]:
        """The weight of `shape` ([out, in / groups, height, width] or [out, in]) and the bias [out].

        `activation` follows the layer; `role` is "plain", "residual" (its output is added to a shortcut) or "classifier".
        """
        ...


class Network:
    """A graph under construction together with its weights: layers by shape instead of by array."""

    def __init__(self, name: str, weights: Weights) -> None:
        self.graph = GraphBuilder(name, (3, 224, 224))
        self._weights = weights

    def conv(
        self,
        x: Tensor,
        name: str,
        channels: int,
        kernel: int,
        *,
        stride: int = 1,
        padding: Padding = 0,
        groups: int = 1,
        activation: Activation = "relu",
        role: str = "plain",
    ) -> Tensor:
        """A square convolution."""
        shape = (channels, x.shape[0] // groups, kernel, kernel)
        weight, bias = self._weights.layer(name, shape, activation, role)
        return self.graph.conv(x, name, weight, bias, stride=stride, padding=padding, groups=groups, activation=activation)

    def depthwise(self, x: Tensor, name: str, kernel: int, *, stride: int, padding: Padding, activation: Activation) -> Tensor:
        """One filter per channel."""
        return self.conv(x, name, x.shape[0], kernel, stride=stride, padding=padding, groups=x.shape[0], activation=activation)

    def dense(self, x: Tensor, name: str, outputs: int, activation: Activation = "none") -> Tensor:
        """A fully connected layer; without activation it is the classifier."""
        role = "classifier" if activation == "none" else "plain"
        weight, bias = self._weights.layer(name, (outputs, x.shape[0]), activation, role)
        return self.graph.dense(x, name, weight, bias, activation)


def efficientnet_lite0(weights: Weights) -> tuple[GraphBuilder, Tensor]:
    """EfficientNet-Lite0 (Tan & Le 2019, the "lite" variant: ReLU6, no squeeze-and-excitation), TensorFlow SAME padding."""
    # repeats, kernel, stride, expansion, output channels
    stages = [
        (1, 3, 1, 1, 16),
        (2, 3, 2, 6, 24),
        (2, 5, 2, 6, 40),
        (3, 3, 2, 6, 80),
        (3, 5, 1, 6, 112),
        (4, 5, 2, 6, 192),
        (1, 3, 1, 6, 320),
    ]
    net = Network("efficientnet-lite0", weights)
    x = net.conv(net.graph.input, "stem", 32, 3, stride=2, padding="same", activation="relu6")
    block = 0
    for repeats, kernel, first_stride, expansion, channels in stages:
        for repeat in range(repeats):
            stride = first_stride if repeat == 0 else 1
            name = f"blocks.{block}"
            shortcut, keeps_shape = x, stride == 1 and x.shape[0] == channels
            if expansion != 1:
                x = net.conv(x, f"{name}.expand", x.shape[0] * expansion, 1, activation="relu6")
            x = net.depthwise(x, f"{name}.depthwise", kernel, stride=stride, padding="same", activation="relu6")
            x = net.conv(x, f"{name}.project", channels, 1, activation="none", role="residual" if keeps_shape else "plain")
            if keeps_shape:
                x = net.graph.add(x, shortcut, f"{name}.add")
            block += 1
    x = net.conv(x, "head", 1280, 1, activation="relu6")
    return net.graph, net.dense(net.graph.global_average(x, "pool"), "classifier", 1000)
