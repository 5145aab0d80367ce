"""Checks that stock onnxruntime, with default options, makes of a written 4-bit file what our sessions make of it, on real images.

    python3 tests/data/check_onnxruntime.py [--images N]

For every network, quantized with default options: our f32 session must agree with onnxruntime on the first answer of at least 99.8 % of
the images and give its logits within 1e-4 of the largest one; our w4a8 session must agree on 97 % (93 % for SqueezeNet, whose last
layers one byte hurts more). Needs KDEQUANT_DATA, build/bin/kdequant and build/tests/tools/kdequant_logits_tool.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
KDEQUANT = ROOT / "build/bin/kdequant"
LOGITS = ROOT / "build/tests/tools/kdequant_logits_tool"
DATA = Path(os.environ["KDEQUANT_DATA"])
EDGE = 224


@dataclass(frozen=True)
class Network:
    path: Path
    preprocess: str
    mean: tuple[float, float, float]  # in 0..255
    deviation: tuple[float, float, float]
    least_agreement: float  # of w4a8 with onnxruntime, percent


NETWORKS = [
    Network(ROOT / "build/assets/efficientnet-lite0.onnx", "tf,resize=0", (127, 127, 127), (128, 128, 128), 97),
    Network(
        DATA / "models/squeezenet1.1.onnx", "imagenet,resize=0", (123.675, 116.28, 103.53), (58.395, 57.12, 57.375), 93
    ),
]


def tensor_of(file: Path, network: Network) -> np.ndarray:
    image = Image.open(file).convert("RGB")
    left, top = (image.width - EDGE) // 2, (image.height - EDGE) // 2
    pixels = np.asarray(image.crop((left, top, left + EDGE, top + EDGE)), np.float32)
    scaled = (pixels - np.float32(network.mean)) / np.float32(network.deviation)
    return np.ascontiguousarray(scaled.transpose(2, 0, 1)[None])


def logits(model: Path, tensor: np.ndarray, precision: str, folder: Path) -> np.ndarray:
    (folder / "in.f32").write_bytes(tensor.tobytes())
    subprocess.run([LOGITS, model, folder / "in.f32", folder / "out.f32", precision], check=True, capture_output=True)
    return np.fromfile(folder / "out.f32", "<f4")


def check(network: Network, count: int) -> bool:
    files = sorted((DATA / "images/imagenet-val-500").glob("*.[jJ]*"))[:count]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small = folder / "small.onnx"
        subprocess.run([KDEQUANT, "quantize", network.path, "-o", small, "--preprocess", network.preprocess], check=True, capture_output=True)
        session = onnxruntime.InferenceSession(str(small), providers=["CPUExecutionProvider"])
        feed = session.get_inputs()[0].name
        same_f32 = same_w4a8 = 0
        difference = 0.0
        for file in files:
            tensor = tensor_of(file, network)
            stock = session.run(None, {feed: tensor})[0].reshape(-1)
            ours = logits(small, tensor, "f32", folder)
            difference = max(difference, float(np.abs(ours - stock).max() / np.abs(stock).max()))
            same_f32 += int(ours.argmax() == stock.argmax())
            same_w4a8 += int(logits(small, tensor, "w4a8", folder).argmax() == stock.argmax())
    agreement, integers = 100 * same_f32 / len(files), 100 * same_w4a8 / len(files)
    good = agreement >= 99.8 and difference < 1e-4 and integers >= network.least_agreement
    print(
        f"{'ok    ' if good else 'FAILED'} {network.path.stem}: f32 agrees with onnxruntime on {agreement:.1f} % of {len(files)} images within "
        f"{difference:.1e}, w4a8 on {integers:.1f} % (at least {network.least_agreement:g})"
    )
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=100)
    arguments = parser.parse_args()
    passed = [check(network, arguments.images) for network in NETWORKS]
    print(f"summary: {sum(passed)} passed, {len(passed) - sum(passed)} failed")
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
