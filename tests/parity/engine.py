"""Compares the engine's outputs with onnxruntime's: every golden operator case and every whole network that is there.

    python tests/parity/engine.py [--tool build/tests/tools/kdequant_logits_tool]

The largest difference, relative to the largest output, must stay below 1e-4; both kernel sets must give the same bytes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime

ROOT = Path(__file__).resolve().parents[2]
TOLERANCE = 1e-4

# What the reader refuses, by name and with a sentence: weights and pads that are computed while the network runs.
REFUSED = {"constant_of_shape_pads", "weights_transposed"}


def run(tool: Path, model: Path, image: np.ndarray, kernels: str, folder: Path) -> np.ndarray | str:
    """The engine's output, or what it complained about."""
    (folder / "in").write_bytes(np.ascontiguousarray(image, np.float32).tobytes())
    done = subprocess.run([tool, model, folder / "in", folder / "out", "f32", kernels], capture_output=True, text=True)
    return np.fromfile(folder / "out", np.float32) if done.returncode == 0 else done.stderr.strip() or f"exit {done.returncode}"


def check(tool: Path, name: str, model: Path, image: np.ndarray, expected: np.ndarray, folder: Path) -> str | None:
    """What is wrong with one network, if anything."""
    outputs = [run(tool, model, image, kernels, folder) for kernels in ("reference", "simd128")]
    if name in REFUSED:
        return None if all(isinstance(output, str) and "(" in output for output in outputs) else f"{name}: was not refused"
    for output in outputs:
        if isinstance(output, str):
            return f"{name}: {output}"
    if outputs[0].tobytes() != outputs[1].tobytes():
        return f"{name}: reference and simd128 differ"
    if outputs[0].size != expected.size:
        return f"{name}: {outputs[0].size} outputs, onnxruntime has {expected.size}"
    error = np.abs(outputs[0] - expected.ravel()).max() / max(np.abs(expected).max(), 1e-30)
    return None if error < TOLERANCE else f"{name}: off by {error:.2e}"


def main() -> int:
    """Runs everything; 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tool", type=Path, default=ROOT / "build/tests/tools/kdequant_logits_tool")
    tool = parser.parse_args().tool
    cases = ROOT / "build/golden/operators"
    complaints: list[str] = []
    count = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for case in json.loads((cases / "cases.json").read_text()):
            name = case["name"]
            image = np.fromfile(cases / f"{name}.input.f32", np.float32)
            expected = np.fromfile(cases / f"{name}.output.f32", np.float32)
            complaints.append(check(tool, name, cases / f"{name}.onnx", image, expected, folder) or "")
            count += 1
        for model in [*sorted((ROOT / "build/assets").glob("*.onnx")), *sorted((ROOT / "build/models").glob("**/*.onnx"))]:
            session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
            shape = [d if isinstance(d, int) else 1 for d in session.get_inputs()[0].shape]
            image = np.random.default_rng(1).normal(size=shape).astype(np.float32)
            expected = session.run(None, {session.get_inputs()[0].name: image})[0]
            complaints.append(check(tool, model.stem, model, image, expected, folder) or "")
            count += 1
    failed = [complaint for complaint in complaints if complaint]
    print("\n".join(failed))
    print(f"summary: {count - len(failed)} of {count} networks agree with onnxruntime")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
