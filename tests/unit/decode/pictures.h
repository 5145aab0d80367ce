// Encoded pictures for the decoder's tests.
#ifndef KDEQUANT_TESTS_DECODE_PICTURES_H_
#define KDEQUANT_TESTS_DECODE_PICTURES_H_

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace kdequant {

using Bytes = std::vector<std::uint8_t>;

/// 8-bit pixels, `channels` 1 to 4 (grey, grey + alpha, RGB, RGB + alpha).
Bytes EncodePng(int width, int height, int channels, std::span<const std::uint8_t> pixels);
Bytes EncodeJpeg(int width, int height, int channels, std::span<const std::uint8_t> pixels);
Bytes EncodeBmp(int width, int height, std::span<const std::uint8_t> rgb);

/// The JPEG file with an EXIF block of that orientation behind its first marker.
Bytes WithOrientation(const Bytes& jpeg, int orientation, bool big_endian);

/// A PNG file whose header promises that many pixels and that ends there.
Bytes PngHeader(std::uint32_t width, std::uint32_t height);

Bytes ToBytes(std::string_view text);

}  // namespace kdequant

#endif  // KDEQUANT_TESTS_DECODE_PICTURES_H_
