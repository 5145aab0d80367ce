"""Converts a Keras layer graph to ONNX: what `model_config` says, with weights by `layer/parameter`.

TensorFlow.js and Keras' own HDF5 files describe layers in the same JSON. Weights come channels last ([h, w, in, out],
[in, out]) and leave as ONNX has them. A BatchNormalization right behind a convolution is folded into it; a ZeroPadding2D
becomes explicit pads; a softmax at the very end is left off, so that the output is logits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from .graph import Activation, GraphBuilder, Padding, Tensor, fold_batch_norm

Config = dict[str, Any]
Pads = tuple[int, int, int, int]


class UnsupportedLayer(Exception):
    """A layer, or an option of one, that these networks were not known to have."""


class _Converter:
    def __init__(self, name: str, layers: list[Config], weights: Mapping[str, np.ndarray]) -> None:
        height, width, channels = layers[0]["config"]["batch_input_shape"][1:]
        self.graph = GraphBuilder(name, (channels, height, width))
        self._weights = weights
        self._layers = {layer["config"]["name"]: layer for layer in layers}
        self._inputs = self._connect(layers)
        self._uses = Counter(source for sources in self._inputs.values() for source in sources)
        self._values: dict[str, Tensor] = {}
        self._padding: dict[str, Pads] = {}  # ZeroPadding2D layers: their value is the input, the reader adds the pads

    @staticmethod
    def _connect(layers: list[Config]) -> dict[str, list[str]]:
        """Layer name -> the layers it reads: written down in a functional model, simply the order in a sequential one."""
        names = [layer["config"]["name"] for layer in layers]
        if any(layer.get("inbound_nodes") for layer in layers):
            return {
                name: [source[0] for node in layer["inbound_nodes"] for source in node]
                for name, layer in zip(names, layers, strict=True)
            }
        return {name: names[max(i - 1, 0) : i] for i, name in enumerate(names)}

    def _pads(self, config: Config, source: str) -> Padding:
        explicit = self._padding.get(source, (0, 0, 0, 0))
        if config["padding"] == "same":
            if any(explicit):
                raise UnsupportedLayer(f"{config['name']}: SAME padding behind ZeroPadding2D")
            return "same"
        return explicit

    @staticmethod
    def _square(config: Config, key: str) -> int:
        first, second = config[key]
        if first != second:
            raise UnsupportedLayer(f"{config['name']}: {key} {config[key]}")
        return int(first)

    @staticmethod
    def _activation(config: Config) -> Activation:
        known: dict[str, Activation] = {"linear": "none", "relu": "relu", "softmax": "none"}
        if config["activation"] not in known:
            raise UnsupportedLayer(f"{config['name']}: activation {config['activation']}")
        return known[config["activation"]]

    def _norm_behind(self, name: str) -> str | None:
        """The BatchNormalization that alone reads the layer `name`, if the layer has no activation of its own."""
        readers = [reader for reader, sources in self._inputs.items() if name in sources]
        if len(readers) != 1 or self._layers[name]["config"]["activation"] != "linear":
            return None
        return readers[0] if self._layers[readers[0]]["class_name"] == "BatchNormalization" else None

    def _norm_parameters(self, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float]:
        gamma, beta, mean, variance = (
            self._weights[f"{name}/{key}"] for key in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        return gamma, beta, mean, variance, float(self._layers[name]["config"]["epsilon"])

    def _conv(self, config: Config, x: Tensor, source: str) -> Tensor:
        name = config["name"]
        if config.get("groups", 1) != 1 or self._square(config, "dilation_rate") != 1:
            raise UnsupportedLayer(f"{name}: groups or dilation")
        weight = self._weights[f"{name}/kernel"].transpose(3, 2, 0, 1)
        bias = self._weights[f"{name}/bias"] if config["use_bias"] else np.zeros(len(weight), np.float32)
        if norm := self._norm_behind(name):
            weight, bias = fold_batch_norm(weight, bias, *self._norm_parameters(norm))
        stride, pads = self._square(config, "strides"), self._pads(config, source)
        return self.graph.conv(x, name, weight, bias, stride=stride, padding=pads, activation=self._activation(config))

    def _max_pool(self, config: Config, x: Tensor, source: str) -> Tensor:
        pads = self._pads(config, source)
        if source in self._padding and not x.name.endswith(".relu"):
            # ZeroPadding2D's zeros take part in the maximum, ONNX's padding never does: the same only for values >= 0.
            raise UnsupportedLayer(f"{config['name']}: MaxPooling2D of zero-padded values that may be negative")
        return self.graph.max_pool(x, config["name"], self._square(config, "pool_size"), self._square(config, "strides"), pads)

    def _flatten(self, name: str, x: Tensor) -> Tensor:
        if x.shape[1:] != (1, 1):  # Keras flattens height, width, channels
            x = self.graph.transpose(x, f"{name}.nhwc", (1, 2, 0))
        return self.graph.flatten(x, name)

    def _convert(self, kind: str, config: Config, sources: list[str]) -> Tensor:
        name = config["name"]
        x = self._values[sources[0]] if sources else self.graph.input
        if sources and sources[0] in self._padding and kind not in ("Conv2D", "MaxPooling2D"):
            raise UnsupportedLayer(f"{name}: {kind} behind ZeroPadding2D")
        match kind:
            case "InputLayer" | "Dropout":
                return x
            case "ZeroPadding2D":
                (top, bottom), (left, right) = config["padding"]
                self._padding[name] = (top, left, bottom, right)
                return x
            case "Conv2D":
                return self._conv(config, x, sources[0])
            case "BatchNormalization":
                folded = self._layers[sources[0]]["class_name"] == "Conv2D" and self._norm_behind(sources[0]) == name
                return x if folded else self.graph.batch_norm(x, name, *self._norm_parameters(name))
            case "Activation":
                return self.graph.activate(x, self._activation(config), x.name)
            case "Add":
                first, second = (self._values[source] for source in sources)
                return self.graph.add(first, second, name)
            case "MaxPooling2D":
                return self._max_pool(config, x, sources[0])
            case "GlobalAveragePooling2D":
                return self.graph.global_average(x, name)
            case "Flatten":
                return self._flatten(name, x)
            case "Dense":
                if config["activation"] == "softmax" and self._uses[name]:
                    raise UnsupportedLayer(f"{name}: a softmax that is not the output")
                weight = self._weights[f"{name}/kernel"].T
                return self.graph.dense(x, name, weight, self._weights[f"{name}/bias"], self._activation(config))
        raise UnsupportedLayer(f"{name}: layer type {kind}")

    def run(self) -> Tensor:
        """Appends every layer; returns the last one's value."""
        output = self.graph.input
        for name, layer in self._layers.items():
            output = self._convert(layer["class_name"], layer["config"], self._inputs[name])
            self._values[name] = output
        return output


def convert(name: str, layers: list[Config], weights: Mapping[str, np.ndarray]) -> tuple[GraphBuilder, Tensor]:
    """The graph, called `name`, of a Keras model's `config.layers`, and its output. UnsupportedLayer names the layer."""
    converter = _Converter(name, layers, weights)
    return converter.graph, converter.run()
