"""Roundings that see no picture, as comparators for the ablation: float ONNX files whose dense weights lie on 16 levels.

    python3 bench/data_free.py {nearest,squant,hqq,kde,kde-zero} network.onnx out.onnx

After the ideas of, not the authors' code, and without what their papers add for activations:

nearest  equally spaced levels from the smallest to the largest weight of the channel.
squant   Guo et al. (2022), "SQuant": the same levels, then the weights whose rounding was the closest call are rounded the other way
         until the sum of errors of every kernel, and then of every channel, is below half a step.
hqq      Badri and Shaji (2023), "Half-Quadratic Quantization": the zero point of every channel by half-quadratic iterations for an
         l_0.7 norm of the weight errors.

kde, kde-zero  the levels that kdequant designs for the whole layer (KDE-LM, no scales), as they are, and with the one nearest to zero at
         exactly zero. The other three have levels for every channel.

Depthwise kernels stay in float.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
from accuracy import run
from onnx import numpy_helper


def grid(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Step and zero point, by channel, of 16 levels that reach from the smallest to the largest weight."""
    low, high = rows.min(axis=1, keepdims=True), rows.max(axis=1, keepdims=True)
    step = np.maximum(high - low, 1e-30) / 15
    return step, -low / step


def nearest(rows: np.ndarray, taps: int) -> np.ndarray:
    step, zero = grid(rows)
    return (np.clip(np.rint(rows / step + zero), 0, 15) - zero) * step


def flip_until_balanced(codes: np.ndarray, exact: np.ndarray) -> None:
    """Moves the fewest codes of one vector by one, closest calls first, so that the sum of errors is below half a step."""
    error = codes - exact
    excess = int(np.rint(error.sum()))
    if excess == 0:
        return
    direction = -np.sign(excess)
    able = (np.sign(error) == -direction) & (codes + direction >= 0) & (codes + direction <= 15)
    order = np.argsort(np.where(able, -np.abs(error), np.inf), kind="stable")
    count = min(abs(excess), int(able.sum()))
    codes[order[:count]] += direction


def squant(rows: np.ndarray, taps: int) -> np.ndarray:
    step, zero = grid(rows)
    exact = rows / step + zero
    codes = np.clip(np.rint(exact), 0, 15)
    for channel in range(rows.shape[0]):
        if taps > 1:
            for start in range(0, rows.shape[1], taps):
                flip_until_balanced(codes[channel, start : start + taps], exact[channel, start : start + taps])
        flip_until_balanced(codes[channel], exact[channel])
    return (codes - zero) * step


def hqq(rows: np.ndarray, taps: int) -> np.ndarray:
    step, zero = grid(rows)
    strength = 10.0
    for _ in range(20):
        codes = np.clip(np.rint(rows / step + zero), 0, 15)
        error = rows - (codes - zero) * step
        size = np.maximum(np.abs(error), 1e-12)
        shrunk = np.sign(error) * np.maximum(size - size ** (0.7 - 1) / strength, 0)
        zero = np.mean(codes - (rows - shrunk) / step, axis=1, keepdims=True)
        strength *= 1.01
    return (np.clip(np.rint(rows / step + zero), 0, 15) - zero) * step


GRIDS = {"nearest": nearest, "squant": squant, "hqq": hqq}
METHODS = [*GRIDS, "kde", "kde-zero"]


def designed_levels(source: str) -> dict[str, np.ndarray]:
    """By layer, the levels of KDE-LM, rising."""
    with tempfile.TemporaryDirectory() as folder:
        report = run("quantize", source, "-o", Path(folder) / "small.onnx", "--effort", "plain", "--granularity", "tensor")
    return {layer["name"]: np.sort(np.array(layer["levels"])) for layer in report["layers"]}


def to_levels(weights: np.ndarray, levels: np.ndarray) -> np.ndarray:
    return levels[np.searchsorted((levels[1:] + levels[:-1]) / 2, weights)]


def quantize(method: str, source: str, target: str) -> None:
    model = onnx.load(source)
    levels = {} if method in GRIDS else designed_levels(source)
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type not in ("Conv", "Gemm") or node.input[1] not in constants:
            continue
        tensor = constants[node.input[1]]
        weights = numpy_helper.to_array(tensor).astype(np.float64)
        if node.op_type == "Conv" and weights.shape[1] == 1:
            continue
        if method not in GRIDS:
            own = levels[node.name or node.output[0]]
            if method == "kde-zero":
                own[np.abs(own).argmin()] = 0
            tensor.CopyFrom(numpy_helper.from_array(to_levels(weights, own).astype(np.float32), tensor.name))
            continue
        turned = node.op_type == "Gemm" and not any(a.name == "transB" and a.i for a in node.attribute)
        matrix = weights.T if turned else weights
        rounded = GRIDS[method](matrix.reshape(matrix.shape[0], -1), int(np.prod(matrix.shape[2:])))
        rounded = rounded.reshape(matrix.shape)
        tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(rounded.T if turned else rounded, np.float32), tensor.name))
    onnx.save(model, target)


def main() -> int:
    if len(sys.argv) != 4 or sys.argv[1] not in METHODS:
        print(__doc__, file=sys.stderr)
        return 2
    quantize(*sys.argv[1:])
    return 0


if __name__ == "__main__":
    sys.exit(main())
