"""Checks that stock onnxruntime, with default options, makes of a written 4-bit file what our sessions make of it, on real images.

    python3 tests/data/check_onnxruntime.py [--images N] [--resnet50]

For every network (ResNet-50, which takes minutes, where it is asked for; scripts/fetch-model makes it), quantized with default options: our f32 session must agree with onnxruntime on the first answer of at least 99.8 % of
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
    bgr: bool = False


NETWORKS = [
    Network(ROOT / "build/assets/efficientnet-lite0.onnx", "tf,resize=0", (127, 127, 127), (128, 128, 128), 97),
    Network(
        DATA / "models/squeezenet1.1.onnx", "imagenet,resize=0", (123.675, 116.28, 103.53), (58.395, 57.12, 57.375), 93
    ),
]
RESNET50 = Network(ROOT / "build/models/resnet50.onnx", "caffe,resize=0", (123.68, 116.779, 103.939), (1, 1, 1), 97, bgr=True)


def tensor_of(file: Path, network: Network) -> np.ndarray:
    image = Image.open(file).convert("RGB")
    left, top = (image.width - EDGE) // 2, (image.height - EDGE) // 2
    pixels = np.asarray(image.crop((left, top, left + EDGE, top + EDGE)), np.float32)
    scaled = (pixels - np.float32(network.mean)) / np.float32(network.deviation)
    if network.bgr:
        scaled = scaled[..., ::-1]
    return np.ascontiguousarray(scaled.transpose(2, 0, 1)[None])


def logits(model: Path, tensors: list[np.ndarray], precision: str, folder: Path) -> np.ndarray:
    (folder / "in.f32").write_bytes(b"".join(tensor.tobytes() for tensor in tensors))
    subprocess.run([LOGITS, model, folder / "in.f32", folder / "out.f32", precision], check=True, capture_output=True)
    return np.fromfile(folder / "out.f32", "<f4").reshape(len(tensors), -1)


def check(network: Network, count: int) -> bool:
    files = sorted((DATA / "images/imagenet-val-500").glob("*.[jJ]*"))[:count]
    tensors = [tensor_of(file, network) for file in files]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small = folder / "small.onnx"
        subprocess.run([KDEQUANT, "quantize", network.path, "-o", small, "--preprocess", network.preprocess], check=True, capture_output=True)
        session = onnxruntime.InferenceSession(str(small), providers=["CPUExecutionProvider"])
        feed = session.get_inputs()[0].name
        stock = np.stack([session.run(None, {feed: tensor})[0].reshape(-1) for tensor in tensors])
        ours = logits(small, tensors, "f32", folder)
        integer = logits(small, tensors, "w4a8", folder)
    difference = float((np.abs(ours - stock).max(axis=1) / np.abs(stock).max(axis=1)).max())
    same_f32 = int((ours.argmax(axis=1) == stock.argmax(axis=1)).sum())
    same_w4a8 = int((integer.argmax(axis=1) == stock.argmax(axis=1)).sum())
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
    parser.add_argument("--resnet50", action="store_true")
    arguments = parser.parse_args()
    networks = [*NETWORKS, RESNET50] if arguments.resnet50 else NETWORKS
    passed = [check(network, arguments.images) for network in networks]
    print(f"summary: {sum(passed)} passed, {len(passed) - sum(passed)} failed")
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
