#include "exif.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <utility>

namespace kdequant {
namespace {

// TIFF numbers in either byte order; nothing beyond the end.
class TiffReader {
 public:
  TiffReader(std::span<const std::uint8_t> bytes, bool big_endian) : bytes_(bytes), big_endian_(big_endian) {}

  std::optional<std::uint32_t> Number(std::size_t offset, std::size_t length) const {
    if (offset > bytes_.size() || length > bytes_.size() - offset) return std::nullopt;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < length; ++i) {
      value = (value << 8) | bytes_[offset + (big_endian_ ? i : length - 1 - i)];
    }
    return value;
  }

 private:
  std::span<const std::uint8_t> bytes_;
  bool big_endian_;
};

constexpr std::uint32_t kOrientationTag = 0x0112;
constexpr std::uint32_t kShort = 3;
constexpr std::size_t kEntryBytes = 12;

int OrientationOfTiff(std::span<const std::uint8_t> tiff) {
  if (tiff.size() < 8) return 1;
  const bool big = tiff[0] == 'M' && tiff[1] == 'M';
  const bool little = tiff[0] == 'I' && tiff[1] == 'I';
  if (!big && !little) return 1;
  const TiffReader reader(tiff, big);
  if (reader.Number(2, 2) != 42U) return 1;
  const std::size_t directory = *reader.Number(4, 4);
  const std::size_t entries = reader.Number(directory, 2).value_or(0);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + i * kEntryBytes;
    const auto tag = reader.Number(entry, 2);
    if (!tag) return 1;
    if (*tag != kOrientationTag || reader.Number(entry + 2, 2) != kShort) continue;
    const std::uint32_t orientation = reader.Number(entry + 8, 2).value_or(1);
    return orientation >= 1 && orientation <= 8 ? static_cast<int>(orientation) : 1;
  }
  return 1;
}

}  // namespace

int ExifOrientation(std::span<const std::uint8_t> jpeg) {
  constexpr std::array<std::uint8_t, 6> kExif{'E', 'x', 'i', 'f', 0, 0};
  if (jpeg.size() < 4 || jpeg[0] != 0xff || jpeg[1] != 0xd8) return 1;
  std::size_t at = 2;
  while (at + 4 <= jpeg.size() && jpeg[at] == 0xff) {
    const std::uint8_t marker = jpeg[at + 1];
    if (marker == 0xff) {  // a fill byte
      ++at;
      continue;
    }
    if (marker == 0xda || marker == 0xd9) return 1;  // the picture itself begins: no EXIF before it
    const std::size_t length = static_cast<std::size_t>(jpeg[at + 2]) << 8 | jpeg[at + 3];
    if (length < 2 || length > jpeg.size() - at - 2) return 1;
    const auto segment = jpeg.subspan(at + 4, length - 2);
    if (marker == 0xe1 && segment.size() > kExif.size() && std::ranges::equal(segment.first(kExif.size()), kExif)) {
      return OrientationOfTiff(segment.subspan(kExif.size()));
    }
    at += 2 + length;
  }
  return 1;
}

Image Upright(Image image, int orientation) {
  if (orientation <= 1 || orientation > 8) return image;
  // Where the upright pixel (x, y) is stored: 2 mirrored, 3 half a turn, 4 flipped; 5 to 8 have rows and columns
  // exchanged.
  const bool transposed = orientation >= 5;
  const bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Image upright{.width = transposed ? image.height : image.width,
                .height = transposed ? image.width : image.height,
                .rgb = std::vector<std::uint8_t>(image.rgb.size())};
  std::uint8_t* out = upright.rgb.data();
  for (int y = 0; y < upright.height; ++y) {
    for (int x = 0; x < upright.width; ++x) {
      int column = transposed ? y : x;
      int row = transposed ? x : y;
      if (from_right) column = image.width - 1 - column;
      if (from_bottom) row = image.height - 1 - row;
      const std::size_t pixel =
          static_cast<std::size_t>(row) * static_cast<std::size_t>(image.width) + static_cast<std::size_t>(column);
      out = std::copy_n(image.rgb.data() + pixel * 3, 3, out);
    }
  }
  return upright;
}

}  // namespace kdequant
