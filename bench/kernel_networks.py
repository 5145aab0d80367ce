"""Writes a small network for every layer shape that `scripts/bench kernels` times: build/bench/kernels/NAME.onnx.

    python bench/kernel_networks.py

Each is the layer `kernel` behind a 1x1 convolution that makes its input out of a picture, so that it meets what layers inside a
network meet: bytes with a range, in the engine's own layout. A first layer has nothing in front of it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tools"))

from modelkit.graph import GraphBuilder, Tensor

OUT = Path("build/bench/kernels")

# input pixels a side, input channels, output channels, kernel, stride
CONVOLUTIONS = [
    (56, 64, 64, 3, 1),
    (28, 128, 128, 3, 1),
    (14, 256, 256, 3, 1),
    (7, 512, 512, 3, 1),
    (56, 128, 128, 3, 2),
    (56, 64, 256, 1, 1),
    (28, 240, 40, 1, 1),
    (14, 672, 112, 1, 1),
    (14, 1024, 256, 1, 1),
    (7, 1152, 320, 1, 1),
]
# input pixels a side, channels, kernel, stride
DEPTHWISE = [(56, 96, 3, 1), (112, 96, 3, 2), (14, 480, 3, 1), (7, 960, 3, 1), (28, 240, 5, 1), (14, 672, 5, 1), (14, 672, 5, 2)]
# output channels, kernel, stride, padding: of a picture of 224 pixels
FIRST = [(32, 3, 2, 1), (64, 7, 2, 3), (64, 11, 4, 2)]
# inputs, outputs
DENSE = [(9216, 4096), (1280, 1000)]


def weights(*shape: int) -> tuple[np.ndarray, np.ndarray]:
    """Gaussian weights that keep the mean square through a ReLU, and biases."""
    rng = np.random.default_rng(sum(shape))
    weight = rng.standard_normal(shape, dtype=np.float32) * np.float32(np.sqrt(2 / np.prod(shape[1:])))
    return weight, np.float32(0.05) * rng.standard_normal(shape[0], dtype=np.float32)


def start(name: str, side: int, channels: int) -> tuple[GraphBuilder, Tensor, int]:
    """A graph, a value of [channels, side, side] in it, and the size of the picture; small pictures are halved on the way in."""
    stride = 2 if side < 16 else 1
    graph = GraphBuilder(name, (3, side * stride, side * stride))
    x = graph.conv(graph.input, "input_layer", *weights(channels, 3, 1, 1), stride=stride, activation="relu")
    return graph, x, side * stride


def write(graph: GraphBuilder, name: str, output: Tensor, size: int) -> None:
    """Writes a finished graph."""
    model = graph.finish(output, {"kdequant.preprocess": f"imagenet,size={size},resize=0"})
    (OUT / f"{name}.onnx").write_bytes(model.SerializeToString(deterministic=True))


def main() -> None:
    """The command."""
    OUT.mkdir(parents=True, exist_ok=True)
    for side, inputs, outputs, kernel, stride in CONVOLUTIONS:
        name = f"conv{kernel}x{kernel}{'s2' if stride > 1 else ''}-{side}x{side}-{inputs}-{outputs}"
        graph, x, size = start(name, side, inputs)
        parameters = weights(outputs, inputs, kernel, kernel)
        y = graph.conv(x, "kernel", *parameters, stride=stride, padding=kernel // 2, activation="relu")
        write(graph, name, y, size)
    for side, channels, kernel, stride in DEPTHWISE:
        name = f"depthwise{kernel}x{kernel}{'s2' if stride > 1 else ''}-{side}x{side}-{channels}"
        graph, x, size = start(name, side, channels)
        parameters = weights(channels, 1, kernel, kernel)
        options = {"stride": stride, "padding": kernel // 2, "groups": channels, "activation": "relu6"}
        write(graph, name, graph.conv(x, "kernel", *parameters, **options), size)
    for outputs, kernel, stride, padding in FIRST:
        name = f"first{kernel}x{kernel}s{stride}-224x224-3-{outputs}"
        graph = GraphBuilder(name, (3, 224, 224))
        parameters = weights(outputs, 3, kernel, kernel)
        y = graph.conv(graph.input, "kernel", *parameters, stride=stride, padding=padding, activation="relu")
        write(graph, name, y, 224)
    for inputs, outputs in DENSE:
        name = f"dense-{inputs}-{outputs}"
        graph, x, size = start(name, 16, inputs // 256)
        flat = graph.flatten(x, "flat")
        write(graph, name, graph.dense(flat, "kernel", *weights(outputs, inputs), activation="relu"), size)


if __name__ == "__main__":
    main()
