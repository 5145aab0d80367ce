"""Makes two views of each of the 200 photographs for calibration, to find out what a change is worth: the 500 images of
the results are not there to choose by.

    KDEQUANT_DATA=... python3 bench/views.py FOLDER

One is the middle square, the other the upper left four fifths of a square, mirrored; both of 224 pixels, as PNG.
Needs the Python package pillow (tools/requirements.txt).
"""

import os
import sys
from pathlib import Path

from PIL import Image

SIZE = (224, 224)


def main() -> None:
    if len(sys.argv) != 2 or "KDEQUANT_DATA" not in os.environ:
        sys.exit("usage: KDEQUANT_DATA=... python3 bench/views.py FOLDER")
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    photographs = Path(os.environ["KDEQUANT_DATA"]) / "images/imagenet-calibration-200"
    for path in sorted(photographs.glob("*.[jJ]*")):
        image = Image.open(path).convert("RGB")
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        middle = image.crop((left, top, (image.width + side) // 2, (image.height + side) // 2))
        middle.resize(SIZE, Image.Resampling.BILINEAR).save(folder / f"{path.stem}_a.png")
        part = int(side * 0.8)
        corner = image.crop((0, 0, part, part)).resize(SIZE, Image.Resampling.BILINEAR)
        corner.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / f"{path.stem}_b.png")


if __name__ == "__main__":
    main()
