// The encoders that pictures.h promises (in a file that the test's glob finds).
#include "decode/pictures.h"

#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#include <stb/stb_image_write.h>

namespace kdequant {
namespace {

void Append(void* target, void* data, int size) {
  const auto* bytes = static_cast<const std::uint8_t*>(data);
  static_cast<Bytes*>(target)->insert(static_cast<Bytes*>(target)->end(), bytes, bytes + size);
}

void AppendNumber(Bytes& target, std::uint32_t value, int length, bool big_endian) {
  for (int i = 0; i < length; ++i) {
    target.push_back(static_cast<std::uint8_t>(value >> (8 * (big_endian ? length - 1 - i : i))));
  }
}

}  // namespace

Bytes EncodePng(int width, int height, int channels, std::span<const std::uint8_t> pixels) {
  Bytes bytes;
  stbi_write_png_to_func(Append, &bytes, width, height, channels, pixels.data(), width * channels);
  return bytes;
}

Bytes EncodeJpeg(int width, int height, int channels, std::span<const std::uint8_t> pixels) {
  Bytes bytes;
  stbi_write_jpg_to_func(Append, &bytes, width, height, channels, pixels.data(), 95);
  return bytes;
}

Bytes EncodeBmp(int width, int height, std::span<const std::uint8_t> rgb) {
  Bytes bytes;
  stbi_write_bmp_to_func(Append, &bytes, width, height, 3, rgb.data());
  return bytes;
}

Bytes WithOrientation(const Bytes& jpeg, int orientation, bool big_endian) {
  Bytes segment = ToBytes(std::string_view("Exif\0\0", 6));
  const Bytes order = ToBytes(big_endian ? "MM" : "II");
  segment.insert(segment.end(), order.begin(), order.end());
  AppendNumber(segment, 42, 2, big_endian);
  AppendNumber(segment, 8, 4, big_endian);  // the first directory follows
  AppendNumber(segment, 2, 2, big_endian);  // two entries: another one first, then the orientation
  for (const auto& [tag, value] : {std::pair{0x0100U, 7U}, std::pair{0x0112U, static_cast<unsigned>(orientation)}}) {
    AppendNumber(segment, tag, 2, big_endian);
    AppendNumber(segment, 3, 2, big_endian);
    AppendNumber(segment, 1, 4, big_endian);
    AppendNumber(segment, value, 2, big_endian);
    AppendNumber(segment, 0, 2, big_endian);
  }
  AppendNumber(segment, 0, 4, big_endian);
  Bytes result(jpeg.begin(), jpeg.begin() + 2);
  result.push_back(0xff);
  result.push_back(0xe1);
  AppendNumber(result, static_cast<std::uint32_t>(segment.size() + 2), 2, true);
  result.insert(result.end(), segment.begin(), segment.end());
  result.insert(result.end(), jpeg.begin() + 2, jpeg.end());
  return result;
}

Bytes PngHeader(std::uint32_t width, std::uint32_t height) {
  Bytes result{0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0, 13, 'I', 'H', 'D', 'R'};
  AppendNumber(result, width, 4, true);
  AppendNumber(result, height, 4, true);
  result.insert(result.end(), {8, 2, 0, 0, 0, 0, 0, 0, 0});
  return result;
}

Bytes ToBytes(std::string_view text) { return {text.begin(), text.end()}; }

}  // namespace kdequant
