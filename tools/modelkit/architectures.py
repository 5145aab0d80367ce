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


def alexnet(weights: Weights) -> tuple[GraphBuilder, Tensor]:
    """AlexNet in its one-tower form (Krizhevsky 2014), as torchvision has it."""
    net = Network("alexnet", weights)
    x = net.conv(net.graph.input, "conv1", 64, 11, stride=4, padding=2)
    x = net.graph.max_pool(x, "pool1", 3, 2)
    x = net.conv(x, "conv2", 192, 5, padding=2)
    x = net.graph.max_pool(x, "pool2", 3, 2)
    for number, channels in ((3, 384), (4, 256), (5, 256)):
        x = net.conv(x, f"conv{number}", channels, 3, padding=1)
    x = net.graph.flatten(net.graph.max_pool(x, "pool5", 3, 2), "flat")
    x = net.dense(net.dense(x, "fc6", 4096, "relu"), "fc7", 4096, "relu")
    return net.graph, net.dense(x, "classifier", 1000)


def vgg16(weights: Weights) -> tuple[GraphBuilder, Tensor]:
    """VGG-16, configuration D (Simonyan & Zisserman 2014)."""
    net = Network("vgg16", weights)
    x = net.graph.input
    for stage, (repeats, channels) in enumerate([(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)], start=1):
        for repeat in range(1, repeats + 1):
            x = net.conv(x, f"conv{stage}_{repeat}", channels, 3, padding=1)
        x = net.graph.max_pool(x, f"pool{stage}", 2, 2)
    x = net.graph.flatten(x, "flat")
    x = net.dense(net.dense(x, "fc6", 4096, "relu"), "fc7", 4096, "relu")
    return net.graph, net.dense(x, "classifier", 1000)


def _resnet(name: str, weights: Weights, repeats: list[int], bottleneck: bool) -> tuple[GraphBuilder, Tensor]:
    """ResNet v1 (He et al. 2015) with the stride on the 3x3 convolution of a bottleneck, as torchvision has it."""
    net = Network(name, weights)
    x = net.conv(net.graph.input, "conv1", 64, 7, stride=2, padding=3)
    x = net.graph.max_pool(x, "pool1", 3, 2, 1)
    for stage, (count, width) in enumerate(zip(repeats, (64, 128, 256, 512), strict=True), start=1):
        channels = width * 4 if bottleneck else width
        for block in range(count):
            stride = 2 if block == 0 and stage > 1 else 1
            layer = f"layer{stage}.{block}"
            shortcut = x
            if stride != 1 or x.shape[0] != channels:
                shortcut = net.conv(x, f"{layer}.downsample", channels, 1, stride=stride, activation="none", role="residual")
            if bottleneck:
                x = net.conv(x, f"{layer}.conv1", width, 1)
                x = net.conv(x, f"{layer}.conv2", width, 3, stride=stride, padding=1)
                x = net.conv(x, f"{layer}.conv3", channels, 1, activation="none", role="residual")
            else:
                x = net.conv(x, f"{layer}.conv1", width, 3, stride=stride, padding=1)
                x = net.conv(x, f"{layer}.conv2", channels, 3, padding=1, activation="none", role="residual")
            x = net.graph.add(x, shortcut, f"{layer}.add", "relu")
    return net.graph, net.dense(net.graph.global_average(x, "pool"), "classifier", 1000)


def resnet18(weights: Weights) -> tuple[GraphBuilder, Tensor]:
    """ResNet-18."""
    return _resnet("resnet18", weights, [2, 2, 2, 2], bottleneck=False)


def resnet50(weights: Weights) -> tuple[GraphBuilder, Tensor]:
    """ResNet-50."""
    return _resnet("resnet50", weights, [3, 4, 6, 3], bottleneck=True)


def squeezenet1_1(weights: Weights) -> tuple[GraphBuilder, Tensor]:
    """SqueezeNet 1.1 (Iandola et al. 2016); its classifier is a convolution with a ReLU."""
    net = Network("squeezenet1_1", weights)
    x = net.conv(net.graph.input, "conv1", 64, 3, stride=2)
    modules = [(16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256)]
    for number, (squeeze, expand) in enumerate(modules, start=2):
        if number in (2, 4, 6):
            x = net.graph.max_pool(x, f"pool{number - 1}", 3, 2, ceil=True)
        fire = f"fire{number}"
        squeezed = net.conv(x, f"{fire}.squeeze", squeeze, 1)
        wide = [
            net.conv(squeezed, f"{fire}.expand1x1", expand, 1),
            net.conv(squeezed, f"{fire}.expand3x3", expand, 3, padding=1),
        ]
        x = net.graph.concat(wide, f"{fire}.concat")
    x = net.conv(x, "classifier", 1000, 1, role="classifier")
    return net.graph, net.graph.global_average(x, "pool")


def _inverted_residual(
    net: Network, x: Tensor, name: str, channels: int, kernel: int, stride: int, expansion: int, padding: Padding
) -> Tensor:
    """MobileNetV2's block: widen, filter each channel, narrow without activation; a shortcut where the shape stays."""
    shortcut, keeps_shape = x, stride == 1 and x.shape[0] == channels
    if expansion != 1:
        x = net.conv(x, f"{name}.expand", x.shape[0] * expansion, 1, activation="relu6")
    x = net.depthwise(x, f"{name}.depthwise", kernel, stride=stride, padding=padding, activation="relu6")
    x = net.conv(x, f"{name}.project", channels, 1, activation="none", role="residual" if keeps_shape else "plain")
    return net.graph.add(x, shortcut, f"{name}.add") if keeps_shape else x


def mobilenetv2(weights: Weights) -> tuple[GraphBuilder, Tensor]:
    """MobileNetV2 at width 1 (Sandler et al. 2018), padded as PyTorch does."""
    # expansion, output channels, repeats, stride
    stages = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
    net = Network("mobilenetv2", weights)
    x = net.conv(net.graph.input, "stem", 32, 3, stride=2, padding=1, activation="relu6")
    block = 0
    for expansion, channels, repeats, first_stride in stages:
        for repeat in range(repeats):
            stride = first_stride if repeat == 0 else 1
            x = _inverted_residual(net, x, f"blocks.{block}", channels, 3, stride, expansion, 1)
            block += 1
    x = net.conv(x, "head", 1280, 1, activation="relu6")
    return net.graph, net.dense(net.graph.global_average(x, "pool"), "classifier", 1000)


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
            x = _inverted_residual(net, x, f"blocks.{block}", channels, kernel, stride, expansion, "same")
            block += 1
    x = net.conv(x, "head", 1280, 1, activation="relu6")
    return net.graph, net.dense(net.graph.global_average(x, "pool"), "classifier", 1000)
