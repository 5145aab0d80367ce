"""Writes classic networks with random weights that have the statistics of trained ones, for benchmarks without a download.

    python tools/random_models.py [NAME...] [--out build/models/random]

Speed and size depend on shapes and on the distribution of the weights, not on what they recognise. The outputs mean nothing,
and each file says so in its metadata (`kdequant.weights` = `random`).
"""

from __future__ import annotations

import argparse
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime

from modelkit import architectures
from modelkit.architectures import Weights
from modelkit.graph import Activation, GraphBuilder, Tensor
from modelkit.packages import write_atomically

NETWORKS: dict[str, Callable[[Weights], tuple[GraphBuilder, Tensor]]] = {
    "alexnet": architectures.alexnet,
    "vgg16": architectures.vgg16,
    "resnet18": architectures.resnet18,
    "resnet50": architectures.resnet50,
    "squeezenet1_1": architectures.squeezenet1_1,
    "mobilenetv2": architectures.mobilenetv2,
    "efficientnet_lite0": architectures.efficientnet_lite0,
}
METADATA = {"kdequant.preprocess": "imagenet,size=224,resize=256", "kdequant.weights": "random"}

# Kurtosis of a layer's weights in trained networks: 3 (Gaussian) for the widest layers, up to 29 where a few weights dominate.
KURTOSIS_RANGE = (3.0, 29.0)


def heavy_tailed(rng: np.random.Generator, shape: tuple[int, ...], kurtosis: float) -> np.ndarray:
    """Values of variance 1 and about the given kurtosis: Gaussians times log-normal scales.

    A log-normal scale e^(sN) multiplies a Gaussian's kurtosis of 3 by e^(4 s^2). Half of s^2 goes to a scale for each output
    channel, which folded BatchNormalizations leave behind, half to each weight by itself: so a quantizer with one table a
    tensor and one with a scale a channel both meet the tails that they meet in trained weights. A layer of few channels can
    land well beside the aim, as trained ones do.
    """
    half = np.float32(np.sqrt(np.log(kurtosis / 3) / 4 / 2))
    values = rng.standard_normal(shape, dtype=np.float32)
    values *= np.exp(half * rng.standard_normal(shape, dtype=np.float32))
    values *= np.exp(half * rng.standard_normal((shape[0], *[1] * (len(shape) - 1)), dtype=np.float32))
    values /= np.float32(np.sqrt(np.mean(np.square(values), dtype=np.float64)))
    return values


class RandomWeights:
    """A source of weights (architectures.Weights) that follow from the names of network and layer alone."""

    def __init__(self, network: str) -> None:
        self._network = network

    def layer(self, name: str, shape: tuple[int, ...], activation: Activation, role: str) -> tuple[np.ndarray, np.ndarray]:
        """See architectures.Weights."""
        rng = np.random.default_rng(zlib.crc32(f"{self._network}/{name}".encode()))
        low, high = np.log(KURTOSIS_RANGE)
        weight = heavy_tailed(rng, shape, float(np.exp(rng.uniform(low, high))))
        # He et al. (2015): 2 / fan-in keeps the mean square through a ReLU. A branch that joins a shortcut gets half the gain
        # of a linear layer, since a sum of two equals would double the variance block by block.
        gain = {"plain": 2.0 if activation != "none" else 1.0, "residual": 0.5, "classifier": 1.0}[role]
        weight *= np.float32(np.sqrt(gain / np.prod(shape[1:])))
        return weight, np.float32(0.05) * rng.standard_normal(shape[0], dtype=np.float32)


def check(model: bytes) -> tuple[float, float]:
    """Runs the model once on noise; the mean and standard deviation of its logits."""
    session = onnxruntime.InferenceSession(model)
    x = np.random.default_rng(7).standard_normal((1, 3, 224, 224), dtype=np.float32)
    logits = session.run(None, {"input": x})[0]
    assert logits.shape == (1, 1000) and np.isfinite(logits).all()
    return float(logits.mean()), float(logits.std())


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Write networks with random, heavy-tailed weights.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which (all): {' '.join(NETWORKS)}")
    parser.add_argument(
        "--out", type=Path, default=Path("build/models/random"), help="folder to write into (build/models/random)"
    )
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.names if name not in NETWORKS]:
        parser.error(f"no network {', '.join(unknown)}; there are: {' '.join(NETWORKS)}")
    for name in arguments.names or NETWORKS:
        graph, logits = NETWORKS[name](RandomWeights(name))
        model = graph.finish(logits, METADATA).SerializeToString(deterministic=True)
        mean, deviation = check(model)
        if not 0.1 < deviation < 10:
            print(f"error: {name}: the logits' standard deviation is {deviation:.3g}, no longer of order 1", file=sys.stderr)
            return 1
        path = arguments.out / f"{name}.onnx"
        write_atomically(path, model)
        print(f"{path}: {len(model) / 1e6:.1f} MB, logits {mean:.2f} +- {deviation:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
