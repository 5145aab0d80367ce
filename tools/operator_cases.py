"""Writes small ONNX graphs with inputs and expected outputs, which the C++ tests read back and run.

    python tools/operator_cases.py [--out build/golden/operators]

Per case: NAME.onnx (one float input `x`, one float output `y`), NAME.input.f32 and NAME.output.f32 (little-endian, row-major),
and an entry in cases.json: {name, op, opset, input: {shape}, output: {shape}, note}. The outputs are onnxruntime's.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

from golden.activations import add_activations
from golden.case import Cases
from golden.constants import add_constants
from golden.convolutions import add_convolutions
from golden.dense import add_dense
from golden.elementwise import add_elementwise
from golden.patterns import add_patterns
from golden.pooling import add_pooling
from golden.shapes import add_shapes


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Write golden single-operator cases for the tests.")
    parser.add_argument(
        "--out", type=Path, default=Path("build/golden/operators"), help="folder, replaced (build/golden/operators)"
    )
    folder: Path = parser.parse_args().out
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Written beside and moved, so that a test run never sees half of the cases or one that has been renamed since.
    fresh = Path(tempfile.mkdtemp(prefix=".operators-", dir=folder.parent))
    try:
        cases = Cases(fresh)
        for add_group in (
            add_convolutions,
            add_dense,
            add_pooling,
            add_elementwise,
            add_activations,
            add_shapes,
            add_constants,
            add_patterns,
        ):
            add_group(cases)
        (fresh / "cases.json").write_text(json.dumps(cases.index, indent=1) + "\n")
        fresh.chmod(0o755)
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    print(f"{folder}: {len(cases.index)} cases, {sum(path.stat().st_size for path in folder.iterdir()) / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
