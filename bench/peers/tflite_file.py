"""Writes a network as a TensorFlow Lite file, float or int8, as Google's converters lay it out: NHWC, activations fused.

int8: activations a byte per tensor with static ranges, weights int8 with a scale an output channel, biases int32; the input is
quantized and the output dequantized inside the file, so that float goes in and out as with every other engine.
"""

from __future__ import annotations

from pathlib import Path

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from network import Layer, Network, activation_range, quantize_weight

OPERATOR, OPTIONS, TYPE = schema.BuiltinOperator, schema.BuiltinOptions, schema.TensorType
ACTIVATIONS = {"none": 0, "relu": 1, "relu6": 3}
SAME, VALID = 0, 1


def channels_last(shape: tuple[int, ...]) -> tuple[int, ...]:
    """[C, H, W] to [1, H, W, C], [C] to [1, C]."""
    return (1, *shape[1:], shape[0]) if len(shape) == 3 else (1, *shape)


class Writer:
    """Collects tensors and operators of one graph."""

    def __init__(self) -> None:
        self._tensors: list[schema.TensorT] = []
        self._buffers = [schema.BufferT()]  # the first is the empty one
        self._operators: list[schema.OperatorT] = []
        self._codes: list[int] = []

    def tensor(
        self,
        name: str,
        shape: tuple[int, ...],
        kind: int,
        data: np.ndarray | None = None,
        scales: np.ndarray | None = None,
        zero_point: int = 0,
        axis: int = 0,
    ) -> int:
        """A tensor's index; with `data` it is a constant."""
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type, tensor.buffer = name, [int(size) for size in shape], kind, 0
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
            self._buffers.append(buffer)
            tensor.buffer = len(self._buffers) - 1
        if scales is not None:
            parameters = schema.QuantizationParametersT()
            parameters.scale = np.atleast_1d(np.asarray(scales, np.float32))
            parameters.zeroPoint = np.full(len(parameters.scale), zero_point, np.int64)
            parameters.quantizedDimension = axis
            tensor.quantization = parameters
        self._tensors.append(tensor)
        return len(self._tensors) - 1

    def operator(self, code: int, inputs: list[int], output: int, kind: int, options: object) -> None:
        """Appends an operator."""
        if code not in self._codes:
            self._codes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = self._codes.index(code)
        operator.inputs, operator.outputs = np.array(inputs, np.int32), np.array([output], np.int32)
        operator.builtinOptionsType, operator.builtinOptions = kind, options
        self._operators.append(operator)

    def finish(self, first: int, last: int) -> bytes:
        """The file with one input and one output."""
        model, graph = schema.ModelT(), schema.SubGraphT()
        model.version, model.description, model.operatorCodes = 3, "kdequant benchmark", []
        for builtin in self._codes:
            code = schema.OperatorCodeT()
            code.builtinCode, code.deprecatedBuiltinCode, code.version = builtin, min(builtin, 127), 1
            model.operatorCodes.append(code)
        graph.name, graph.tensors, graph.operators = "main", self._tensors, self._operators
        graph.inputs, graph.outputs = np.array([first], np.int32), np.array([last], np.int32)
        model.subgraphs, model.buffers = [graph], self._buffers
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


class Converter:
    """One network on its way into a file."""

    def __init__(self, network: Network, int8: bool) -> None:
        self._network = network
        self._int8 = int8
        self._writer = Writer()
        self._ranges = self._activation_ranges() if int8 else {}
        self._tensors: dict[str, int] = {}
        # Channels-first order of what a Flatten makes of [C, H, W]: the dense layer behind it has its columns moved instead.
        self._flattened: dict[str, np.ndarray] = {}

    def convert(self) -> bytes:
        """The file's bytes."""
        network, writer = self._network, self._writer
        shape = channels_last(network.values[network.input].shape)
        first = writer.tensor("x", shape, TYPE.FLOAT32)
        self._tensors[network.input] = first
        if self._int8:
            self._tensors[network.input] = self._value(network.input)
            options = schema.QuantizeOptionsT()
            writer.operator(OPERATOR.QUANTIZE, [first], self._tensors[network.input], OPTIONS.QuantizeOptions, options)
        for layer in network.layers:
            getattr(self, f"_{layer.kind}")(layer)
        last = self._tensors[network.output]
        if self._int8:
            logits = writer.tensor("y", channels_last(network.values[network.output].shape), TYPE.FLOAT32)
            writer.operator(OPERATOR.DEQUANTIZE, [last], logits, OPTIONS.DequantizeOptions, schema.DequantizeOptionsT())
            last = logits
        return writer.finish(first, last)

    def _activation_ranges(self) -> dict[str, tuple[np.float32, int]]:
        ranges = {name: activation_range(value) for name, value in self._network.values.items()}
        for layer in self._network.layers:
            if layer.kind == "concat":  # the parts share the whole's range, so that nothing is converted
                ranges.update({name: ranges[layer.output] for name in layer.inputs})
        for layer in self._network.layers:
            if layer.kind in ("max_pool", "flatten"):
                ranges[layer.output] = ranges[layer.inputs[0]]
        return {name: (step, zero - 128) for name, (step, zero) in ranges.items()}

    def _value(self, name: str, shape: tuple[int, ...] | None = None, suffix: str = "") -> int:
        shape = channels_last(self._network.values[name].shape) if shape is None else shape
        if not self._int8:
            return self._writer.tensor(name + suffix, shape, TYPE.FLOAT32)
        step, zero_point = self._ranges[name]
        return self._writer.tensor(name + suffix, shape, TYPE.INT8, scales=np.array([step]), zero_point=zero_point)

    def _constant(self, name: str, data: np.ndarray) -> int:
        return self._writer.tensor(name, data.shape, TYPE.INT32, data.astype(np.int32))

    def _same_padding(self, layer: Layer) -> bool:
        top, left, bottom, right = layer.pads
        height, width = self._network.values[layer.inputs[0]].shape[1:]

        def same(size: int) -> tuple[int, int]:
            total = max((-(-size // layer.stride) - 1) * layer.stride + layer.kernel - size, 0)
            return total // 2, total - total // 2

        return (top, bottom) == same(height) and (left, right) == same(width)

    def _padded(self, layer: Layer) -> int:
        """The layer's input with zeros around it, as an operator of its own: what SAME cannot say."""
        source = self._tensors[layer.inputs[0]]
        if not any(layer.pads):
            return source
        top, left, bottom, right = layer.pads
        channels, height, width = self._network.values[layer.inputs[0]].shape
        padded = self._value(layer.inputs[0], (1, height + top + bottom, width + left + right, channels), f" for {layer.name}")
        amounts = self._constant(f"{layer.name}.pads", np.array([[0, 0], [top, bottom], [left, right], [0, 0]]))
        self._writer.operator(OPERATOR.PAD, [source, amounts], padded, OPTIONS.PadOptions, schema.PadOptionsT())
        return padded

    def _weights(self, layer: Layer, order: tuple[int, ...], axis: int) -> list[int]:
        """Weight and bias; `order` takes the weight's axes to the file's, where `axis` holds the output channels."""
        if layer.inputs[0] in self._flattened:
            layer = Layer(**{**layer.__dict__, "weight": layer.weight[:, self._flattened[layer.inputs[0]]]})
        names = (f"{layer.name}.weight", f"{layer.name}.bias")
        if not self._int8:
            weight = layer.weight.transpose(order)
            return [
                self._writer.tensor(names[0], weight.shape, TYPE.FLOAT32, weight),
                self._writer.tensor(names[1], layer.bias.shape, TYPE.FLOAT32, layer.bias),
            ]
        quantized, scales = quantize_weight(layer)
        weight = quantized.transpose(order)
        steps = (scales * self._ranges[layer.inputs[0]][0]).astype(np.float32)
        bias = np.rint(layer.bias / steps).astype(np.int32)
        return [
            self._writer.tensor(names[0], weight.shape, TYPE.INT8, weight, scales, axis=axis),
            self._writer.tensor(names[1], bias.shape, TYPE.INT32, bias, steps),
        ]

    def _emit(self, layer: Layer, code: int, inputs: list[int], kind: int, options: object) -> None:
        output = self._value(layer.output)
        self._writer.operator(code, inputs, output, kind, options)
        self._tensors[layer.output] = output

    def _conv(self, layer: Layer) -> None:
        if layer.depthwise:
            code, kind, options = OPERATOR.DEPTHWISE_CONV_2D, OPTIONS.DepthwiseConv2DOptions, schema.DepthwiseConv2DOptionsT()
            options.depthMultiplier = 1
            order, axis = (1, 2, 3, 0), 3
        else:
            code, kind, options = OPERATOR.CONV_2D, OPTIONS.Conv2DOptions, schema.Conv2DOptionsT()
            order, axis = (0, 2, 3, 1), 0
        same = self._same_padding(layer)
        source = self._tensors[layer.inputs[0]] if same else self._padded(layer)
        options.padding = SAME if same else VALID
        options.strideW = options.strideH = layer.stride
        options.dilationWFactor = options.dilationHFactor = 1
        options.fusedActivationFunction = ACTIVATIONS[layer.activation]
        self._emit(layer, code, [source, *self._weights(layer, order, axis)], kind, options)

    def _dense(self, layer: Layer) -> None:
        options = schema.FullyConnectedOptionsT()
        options.fusedActivationFunction = ACTIVATIONS[layer.activation]
        inputs = [self._tensors[layer.inputs[0]], *self._weights(layer, (0, 1), 0)]
        self._emit(layer, OPERATOR.FULLY_CONNECTED, inputs, OPTIONS.FullyConnectedOptions, options)

    def _max_pool(self, layer: Layer) -> None:
        # Behind a ReLU zeros are as good as the minus infinity that pads a maximum.
        assert not any(layer.pads) or self._network.values[layer.inputs[0]].min() >= 0, f"{layer.name}: negative inputs"
        options = schema.Pool2DOptionsT()
        options.padding = VALID
        options.strideW = options.strideH = layer.stride
        options.filterWidth = options.filterHeight = layer.kernel
        self._emit(layer, OPERATOR.MAX_POOL_2D, [self._padded(layer)], OPTIONS.Pool2DOptions, options)

    def _global_average(self, layer: Layer) -> None:
        options = schema.ReducerOptionsT()
        options.keepDims = True
        axes = self._constant(f"{layer.name}.axes", np.array([1, 2]))
        self._emit(layer, OPERATOR.MEAN, [self._tensors[layer.inputs[0]], axes], OPTIONS.ReducerOptions, options)

    def _flatten(self, layer: Layer) -> None:
        shape = self._network.values[layer.inputs[0]].shape
        options = schema.ReshapeOptionsT()
        options.newShape = np.array([1, np.prod(shape)], np.int32)
        inputs = [self._tensors[layer.inputs[0]], self._constant(f"{layer.name}.shape", options.newShape)]
        self._emit(layer, OPERATOR.RESHAPE, inputs, OPTIONS.ReshapeOptions, options)
        if shape[1:] != (1, 1):
            self._flattened[layer.output] = np.arange(np.prod(shape)).reshape(shape).transpose(1, 2, 0).reshape(-1)

    def _add(self, layer: Layer) -> None:
        options = schema.AddOptionsT()
        options.fusedActivationFunction = ACTIVATIONS[layer.activation]
        options.potScaleInt16 = False
        self._emit(layer, OPERATOR.ADD, [self._tensors[name] for name in layer.inputs], OPTIONS.AddOptions, options)

    def _concat(self, layer: Layer) -> None:
        options = schema.ConcatenationOptionsT()
        options.axis = 3
        inputs = [self._tensors[name] for name in layer.inputs]
        self._emit(layer, OPERATOR.CONCATENATION, inputs, OPTIONS.ConcatenationOptions, options)


def write(network: Network, path: Path, int8: bool) -> None:
    """Writes the network to `path`."""
    path.write_bytes(Converter(network, int8).convert())
