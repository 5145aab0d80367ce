"""Reads and writes ONNX files with kdequant and compares what onnxruntime computes from the original and from ours.

    python tests/parity/onnx_roundtrip.py [--tool build/tests/tools/kdequant_onnx_tool] [FILE.onnx | FOLDER]...

Without files: every case of build/golden/operators (tools/operator_cases.py writes them), the models in build/models and
build/assets, and those in the folder that KDEQUANT_DATA names. Each goes two ways, read -> write and read -> prepare -> write, and
each result must pass ONNX's checker and give the original's numbers. Graph optimizations are off, because onnxruntime's change
results of their own.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

ROOT = Path(__file__).resolve().parents[2]

# onnxruntime runs these, but ONNX's own shape inference disagrees with it about the last window of ceil_mode, so its checker
# refuses the shapes that onnxruntime, and we with it, compute.
SHAPES_DISPUTED = {"average_pool_ceil_window_in_padding", "max_pool_ceil_window_in_padding"}

# What kdequant refuses by name, with a word of its message: weights or pads that are computed while the network runs.
REFUSED = {"constant_of_shape_pads": "pads is computed", "weights_transposed": "its weight is computed"}

# Read -> write keeps every operation, so the numbers are equal up to the order of sums that onnxruntime chooses. Preparation folds
# BatchNormalization into weights, which rounds: relative to the largest output.
TOLERANCE = {"roundtrip": 1e-6, "prepare": 2e-5}


@dataclass
class Failure(Exception):
    """One file that did not survive."""

    message: str


def session(path: Path) -> onnxruntime.InferenceSession:
    """A session that computes what the file says."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def sample_input(original: Path, shape: list) -> np.ndarray:
    """The case's own input, or noise in the input's shape with open dimensions at 1 or 224."""
    stored = original.with_suffix("").with_suffix(".input.f32")
    sizes = [size if isinstance(size, int) and size > 0 else 224 if axis >= 2 else 1 for axis, size in enumerate(shape)]
    if stored.exists():
        return np.fromfile(stored, "<f4").reshape(sizes)
    return np.random.default_rng(1).standard_normal(sizes, np.float32)


def passes_checker(path: Path) -> str:
    """What ONNX's checker says against the file; empty for nothing."""
    try:
        onnx.checker.check_model(str(path), full_check=True)
    except Exception as error:  # noqa: BLE001 - the checker raises several kinds
        return str(error).strip().splitlines()[0]
    return ""


def compare(tool: Path, way: str, original: Path, folder: Path) -> float:
    """The largest difference, relative to the largest output."""
    ours = folder / f"{way}.onnx"
    run = subprocess.run([tool, way, original, ours], capture_output=True, text=True, check=False)
    if original.stem in REFUSED:
        if run.returncode != 0 and REFUSED[original.stem] in run.stderr:
            return 0.0
        raise Failure(f"not refused as expected: {run.stderr.strip()}")
    if run.returncode != 0:
        raise Failure(run.stderr.strip() or f"ended with {run.returncode}")
    complaint = "" if original.stem in SHAPES_DISPUTED else passes_checker(ours)
    if complaint and not (way == "roundtrip" and passes_checker(original)):
        raise Failure(f"checker: {complaint}")
    before, after = session(original), session(ours)
    data = sample_input(original, before.get_inputs()[0].shape)
    try:
        expected = before.run(None, {before.get_inputs()[0].name: data})[0]
        got = after.run(None, {after.get_inputs()[0].name: data})[0]
    except Exception as error:
        raise Failure(f"onnxruntime: {str(error).strip().splitlines()[0]}") from error
    if expected.shape != got.shape:
        raise Failure(f"shape {got.shape}, not {expected.shape}")
    expected, got = expected.astype(np.float64), got.astype(np.float64)
    same = (expected == got) | (np.isnan(expected) & np.isnan(got))
    difference = np.where(same, 0, np.abs(expected - got))
    largest = float(np.max(difference, initial=0)) / max(float(np.max(np.abs(expected), initial=0)), 1e-6)
    if not largest <= TOLERANCE[way]:
        raise Failure(f"differs by {largest:.1e} of the largest output")
    return largest


def default_files() -> list[Path]:
    """Every case and every model there is."""
    folders = [ROOT / "build/golden/operators", ROOT / "build/models", ROOT / "build/assets"]
    if data := os.environ.get("KDEQUANT_DATA"):
        folders.append(Path(data) / "models")
    else:
        print("KDEQUANT_DATA names no folder: its models are skipped")
    return [file for folder in folders for file in sorted(folder.glob("*.onnx"))]


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Compare ONNX files before and after kdequant in onnxruntime.")
    parser.add_argument("--tool", type=Path, default=ROOT / "build/tests/tools/kdequant_onnx_tool")
    parser.add_argument("--way", choices=sorted(TOLERANCE), action="append", help="only this way")
    parser.add_argument("files", type=Path, nargs="*")
    arguments = parser.parse_args()
    files = [f for path in arguments.files for f in (sorted(path.glob("*.onnx")) if path.is_dir() else [path])]
    files = files or default_files()
    if not files:
        print("error: no files; write the cases with python tools/operator_cases.py", file=sys.stderr)
        return 3

    failures = 0
    worst = dict.fromkeys(TOLERANCE, 0.0)
    with tempfile.TemporaryDirectory() as folder:
        for file in files:
            for way in arguments.way or TOLERANCE:
                try:
                    worst[way] = max(worst[way], compare(arguments.tool, way, file, Path(folder)))
                except Failure as failure:
                    failures += 1
                    print(f"FAILED {way} {file.stem}: {failure.message}")
    figures = ", ".join(f"{way} within {value:.1e}" for way, value in worst.items() if way in (arguments.way or TOLERANCE))
    print(f"summary: {len(files)} files, {figures}, {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
