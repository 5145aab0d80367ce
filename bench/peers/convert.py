"""Converts the random-weight networks for the engines that `scripts/bench peers` compares.

    python bench/peers/convert.py NAME...      # from build/models/random/NAME.onnx into build/bench/peers/NAME/

All engines get the same weights and the same input, one drawn picture; the int8 files' activation ranges are measured on it,
and `kdequant quantize` gets it as its calibration picture.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import numpy as np
import onnx_int8_file
import tfjs_file
import tflite_file
from network import read
from PIL import Image

OUT = Path("build/bench/peers")
SIZE = 224


def picture() -> np.ndarray:
    """A picture with structure at every scale, [SIZE, SIZE, 3] bytes: noise at doubling frequencies, the coarse stronger."""
    rng = np.random.default_rng(7)
    total = np.zeros((SIZE, SIZE, 3))
    for level in range(3, 9):
        side = 1 << level
        cells = Image.fromarray((rng.random((side, side, 3)) * 255).astype(np.uint8))
        total += np.asarray(cells.resize((SIZE, SIZE), Image.Resampling.BICUBIC), float) / side
    low, high = np.percentile(total, (1, 99))
    return ((total - low) / (high - low) * 255).clip(0, 255).astype(np.uint8)


def preprocessed(pixels: np.ndarray) -> np.ndarray:
    """The network's input, [1, 3, H, W]: the preset `imagenet` of kdequant's preprocessing."""
    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    x = (pixels / 255 - mean) / deviation
    return np.ascontiguousarray(x.transpose(2, 0, 1)[None], np.float32)


def write_input() -> np.ndarray:
    """Writes the picture and what becomes of it, channels first; returns the latter."""
    pixels = picture()
    x = preprocessed(pixels)
    (OUT / "calibration").mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(OUT / "calibration" / "input.png")
    x.tofile(OUT / "input.f32")
    return x


def convert(name: str, x: np.ndarray) -> None:
    """Writes one network in every form."""
    source, folder = Path(f"build/models/random/{name}.onnx"), OUT / name
    stamp = folder / ".stamp"
    made_by = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))))
    made_by.update(source.read_bytes())
    if stamp.exists() and stamp.read_text() == made_by.hexdigest():
        return
    folder.mkdir(parents=True, exist_ok=True)
    network = read(source, x)
    network.values[network.output].astype(np.float32).tofile(folder / "logits.f32")
    tflite_file.write(network, folder / "f32.tflite", int8=False)
    tflite_file.write(network, folder / "int8.tflite", int8=True)
    onnx_int8_file.write(network, folder / "int8.onnx")
    tfjs_file.write(network, folder / "tfjs")
    stamp.write_text(made_by.hexdigest())


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="Convert the random-weight networks for the peers.")
    parser.add_argument("names", nargs="+", metavar="NAME")
    x = write_input()
    for name in parser.parse_args().names:
        convert(name, x)


if __name__ == "__main__":
    main()
