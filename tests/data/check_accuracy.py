"""Checks accuracy on real images with the native command: the float networks score what they are known to score, and quantizing
keeps what it should. Needs KDEQUANT_DATA (see docs/contributing.md) and build/bin/kdequant.

    python3 tests/data/check_accuracy.py
"""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KDEQUANT = ROOT / "build/bin/kdequant"
DATA = Path(os.environ["KDEQUANT_DATA"])
IMAGES = DATA / "images/imagenet-val-500"


@dataclass(frozen=True)
class Network:
    """A float network, how it wants its pictures, and its top-1 on the 500 images (another decoder may move it by 0.4)."""

    path: Path
    preprocess: str
    top1: float
    least_agreement: float  # of the 4-bit network with the float one, default options, percent: a little below what docs/results.md reports


NETWORKS = [
    Network(ROOT / "build/assets/efficientnet-lite0.onnx", "tf,resize=0", 80.6, 91),
    Network(DATA / "models/squeezenet1.1.onnx", "imagenet,resize=0", 68.4, 86),
]


def run(*arguments: object) -> dict:
    """One command with --json; its standard error is shown when it fails."""
    result = subprocess.run([KDEQUANT, *map(str, arguments), "--json"], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise SystemExit(f"kdequant {' '.join(map(str, arguments))}: {result.stderr}{result.stdout}")
    return json.loads(result.stdout)


def main() -> int:
    passed = failed = 0

    def check(sentence: str, holds: bool) -> None:
        nonlocal passed, failed
        print("ok    " if holds else "FAILED", sentence)
        passed += holds
        failed += not holds

    for network in NETWORKS:
        evaluate = ("--images", IMAGES, "--labels", IMAGES / "labels.csv", "--preprocess", network.preprocess)
        plain = run("eval", network.path, *evaluate)
        name = network.path.stem
        check(f"{name}: float top-1 {plain['top1']:.2f} of {plain['n']} images is {network.top1} +- 0.4", abs(plain["top1"] - network.top1) < 0.41)
        with tempfile.TemporaryDirectory() as folder:
            small = Path(folder) / "small.onnx"
            report = run("quantize", network.path, "-o", small, "--preprocess", network.preprocess)
            scores = run("eval", small, *evaluate, "--reference", network.path)
        check(
            f"{name}: 4-bit top-1 {scores['top1']:.2f}, agreement {scores['agreement']:.1f} >= {network.least_agreement}",
            scores["agreement"] >= network.least_agreement,
        )
        check(f"{name}: file {report['bytes_out'] / report['bytes_in']:.4f} of the float file", report["bytes_out"] < 0.16 * report["bytes_in"])
    print(f"summary: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
