"""Makes the small files of docs/images out of what page_pictures.mjs took: page_pictures.py FOLDER IMAGES."""

import json
import sys
from pathlib import Path

from PIL import Image

ANIMATION_WIDTH = 880


def main() -> None:
    taken, images = Path(sys.argv[1]), Path(sys.argv[2])
    for name in ("page", "inside", "laboratory"):
        picture = Image.open(taken / f"{name}.png").convert("RGB")
        if name == "page":  # few colours, and the first thing a visitor loads
            picture = picture.quantize(256, dither=Image.Dither.NONE)
        picture.save(images / f"{name}.png", optimize=True)

    frames = json.loads((taken / "frames.json").read_text())
    pictures = []
    for frame in frames:
        picture = Image.open(taken / frame["file"]).convert("RGB")
        height = picture.height * ANIMATION_WIDTH // picture.width
        pictures.append(picture.resize((ANIMATION_WIDTH, height), Image.Resampling.LANCZOS))
    pictures[0].save(
        images / "main-path.webp",
        save_all=True,
        append_images=pictures[1:],
        duration=[frame["milliseconds"] for frame in frames],
        loop=0,
        quality=70,
        method=4,
    )
    for file in sorted(images.iterdir()):
        print(f"{file.name}: {file.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
