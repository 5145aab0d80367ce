"""Writes tests/unit/vision/resize_golden.h: checksums of pictures that Pillow resized.

    python tools/golden_resize.py

The pictures are random bytes from xorshift32, which the C++ test draws again; only the checksums are stored.
"""

from pathlib import Path

from PIL import Image
from PIL import __version__ as pillow_version

TARGET = Path(__file__).parent.parent / "tests" / "unit" / "vision" / "resize_golden.h"

# Width and height before and after: enlarged, shrunk a little and a lot, one axis only, single rows, columns and pixels.
CASES = [
    (1, 1, 1, 1),
    (1, 1, 5, 3),
    (2, 2, 7, 7),
    (7, 5, 1, 1),
    (13, 9, 13, 4),
    (13, 9, 6, 9),
    (32, 32, 37, 37),
    (64, 48, 341, 256),
    (100, 3, 50, 64),
    (227, 227, 256, 256),
    (255, 257, 254, 258),
    (500, 375, 341, 256),
    (640, 480, 32, 24),
    (1000, 1, 10, 1),
    (1, 1000, 1, 17),
    (1021, 769, 299, 225),
]


def random_bytes(count: int) -> bytes:
    """xorshift32 from a fixed start, the high byte of every state (Marsaglia 2003)."""
    state = 2463534242
    result = bytearray(count)
    for i in range(count):
        state ^= (state << 13) & 0xFFFFFFFF
        state ^= state >> 17
        state ^= (state << 5) & 0xFFFFFFFF
        result[i] = state >> 24
    return bytes(result)


def fnv1a(data: bytes) -> int:
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


def main() -> None:
    lines = [
        f"// Checksums (64-bit FNV-1a) of random pictures resized by Pillow {pillow_version}; written by tools/golden_resize.py.",
        "#ifndef KDEQUANT_TESTS_VISION_RESIZE_GOLDEN_H_",
        "#define KDEQUANT_TESTS_VISION_RESIZE_GOLDEN_H_",
        "",
        "#include <cstdint>",
        "",
        "namespace kdequant {",
        "",
        "struct ResizeGolden {",
        "  int width, height, new_width, new_height;",
        "  std::uint64_t checksum;",
        "};",
        "",
        "inline constexpr ResizeGolden kResizeGolden[] = {",
    ]
    for width, height, new_width, new_height in CASES:
        picture = Image.frombytes("RGB", (width, height), random_bytes(width * height * 3))
        resized = picture.resize((new_width, new_height), Image.Resampling.BILINEAR)
        lines.append(f"    {{{width}, {height}, {new_width}, {new_height}, 0x{fnv1a(resized.tobytes()):016x}U}},")
    lines += ["};", "", "}  // namespace kdequant", "", "#endif  // KDEQUANT_TESTS_VISION_RESIZE_GOLDEN_H_", ""]
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text("\n".join(lines))


if __name__ == "__main__":
    main()
