"""Takes the page's sample photos from the PyPI package `scikit-image` and writes them as JPEG with their credits.

    python tools/build_photos.py [--out build/assets/photos]

Only photos that the package documents as CC0 or public domain are taken (its `skimage/data/_fetchers.py` says so one by one).
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from modelkit.packages import PackageError, PyPIWheel, write_atomically

# A wheel for one platform, wherever this runs: nothing of it is installed, and every wheel of the version carries the photos.
PACKAGE = PyPIWheel(
    name="scikit-image",
    version="0.25.2",
    file="scikit_image-0.25.2-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    sha256="24cc986e1f4187a12aa319f777b36008764e856e5013666a4a83f8df083c2641",
    platform="manylinux2014_x86_64",
)
JPEG_QUALITY = 92  # a seventh of the PNGs' bytes; the bundled model's best probability on each photo moves by at most 0.02


@dataclass(frozen=True)
class Photo:
    """One photo of the package and what the page says about it."""

    source: str
    title: str
    alt: str
    credit: str
    licence: str

    @property
    def file(self) -> str:
        return Path(self.source).stem + ".jpg"


PHOTOS = [
    Photo("chelsea.png", "Chelsea the cat", "A tabby cat looking into the camera", "Stefan van der Walt", "CC0"),
    Photo("coffee.png", "Coffee", "A cup of espresso on a wooden table", "Rachel Michetti, Pikolo Espresso Bar", "CC0"),
    Photo(
        "camera.png", "Photographer", "A man looking through a camera on a tripod, in black and white", "Lav Varshney", "CC0"
    ),
    Photo("rocket.jpg", "Falcon 9", "A rocket on its launch pad at dusk, between lattice towers", "SpaceX", "public domain"),
    Photo(
        "astronaut.png",
        "Eileen Collins",
        "An astronaut in an orange suit before a flag and a model of the space shuttle",
        "NASA Great Images",
        "public domain",
    ),
]


def encode(photo: Photo) -> bytes:
    """The photo as a colour JPEG. One that is a JPEG already is passed on untouched."""
    content: bytes = PACKAGE.read(f"skimage/data/{photo.source}")
    if photo.source.endswith(".jpg"):
        return content
    encoded = io.BytesIO()
    Image.open(io.BytesIO(content)).convert("RGB").save(encoded, "JPEG", quality=JPEG_QUALITY, optimize=True, progressive=True)
    return encoded.getvalue()


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Write the page's sample photos and photos.json.")
    parser.add_argument("--out", type=Path, default=Path("build/assets/photos"), help="folder (build/assets/photos)")
    folder: Path = parser.parse_args().out
    try:
        for photo in PHOTOS:
            write_atomically(folder / photo.file, encode(photo))
    except PackageError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    credits = [
        {"file": photo.file, "title": photo.title, "alt": photo.alt, "credit": photo.credit, "licence": photo.licence}
        for photo in PHOTOS
    ]
    write_atomically(folder / "photos.json", (json.dumps(credits, indent=2, ensure_ascii=False) + "\n").encode())
    print(f"{folder}: {len(PHOTOS)} photos, {sum(path.stat().st_size for path in folder.glob('*.jpg')) / 1e3:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
