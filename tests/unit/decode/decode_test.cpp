#include "kdequant/vision/decode.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

#include "decode/pictures.h"
#include "kdequant/base/random.h"

namespace kdequant {
namespace {

Bytes RandomBytes(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  Bytes bytes(count);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random.Bits());
  return bytes;
}

void CheckRefused(const Bytes& file, ErrorCode code, std::string_view part) {
  const auto image = DecodeImage(file);
  REQUIRE(!image.has_value());
  CHECK(image.error().code == code);
  CHECK_MESSAGE(image.error().message.find(part) != std::string::npos, image.error().message);
}

TEST_CASE("PNG, BMP and PPM come out as they went in") {
  const Bytes pixels = RandomBytes(7 * 5 * 3, 1);
  Bytes ppm = ToBytes("P6\n7 5\n255\n");
  ppm.insert(ppm.end(), pixels.begin(), pixels.end());
  for (const Bytes& file : {EncodePng(7, 5, 3, pixels), EncodeBmp(7, 5, pixels), ppm}) {
    const auto image = DecodeImage(file);
    REQUIRE(image.has_value());
    CHECK(image->width == 7);
    CHECK(image->height == 5);
    CHECK(image->rgb == pixels);
  }
}

TEST_CASE("Grey becomes RGB, and transparency is laid over white") {
  CHECK(DecodeImage(EncodePng(2, 1, 1, Bytes{0, 200}))->rgb == Bytes{0, 0, 0, 200, 200, 200});
  CHECK(DecodeImage(EncodePng(2, 1, 2, Bytes{100, 0, 100, 255}))->rgb == Bytes{255, 255, 255, 100, 100, 100});
  // Half transparent red over white: 0 * 128/255 + 127 = 127.
  CHECK(DecodeImage(EncodePng(1, 1, 4, Bytes{255, 0, 255, 128}))->rgb == Bytes{255, 127, 255});
}

TEST_CASE("A picture of one pixel is a picture") {
  CHECK(DecodeImage(EncodePng(1, 1, 3, Bytes{1, 2, 3}))->rgb == Bytes{1, 2, 3});
  CHECK(DecodeImage(EncodeJpeg(1, 1, 3, Bytes{200, 200, 200})).has_value());
}

TEST_CASE("A JPEG is turned upright by each of the eight EXIF orientations, in either byte order") {
  // Stored: red | green above blue | white, 32 x 16. What a viewer must show, corner by corner (top left, top right,
  // bottom left, bottom right), as the standard's table of the eight orientations has it.
  constexpr int kWidth = 32;
  constexpr int kHeight = 16;
  Bytes pixels;
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      const bool right = x >= kWidth / 2;
      const bool below = y >= kHeight / 2;
      pixels.push_back(!right == !below ? 255 : 0);  // red: top left, bottom right
      pixels.push_back(right ? 255 : 0);             // green: right
      pixels.push_back(below ? 255 : 0);             // blue: below
    }
  }
  const Bytes jpeg = EncodeJpeg(kWidth, kHeight, 3, pixels);
  const std::string expected[] = {"RGBW", "GRWB", "WBGR", "BWRG", "RBGW", "BRWG", "WGBR", "GWRB"};
  const auto letter = [](const Image& image, int x, int y) {
    const auto* pixel = image.rgb.data() + (static_cast<std::ptrdiff_t>(y) * image.width + x) * 3;
    if (pixel[0] > 128) return pixel[1] > 128 ? 'W' : 'R';
    return pixel[1] > 128 ? 'G' : 'B';
  };
  for (int orientation = 1; orientation <= 8; ++orientation) {
    for (const bool big_endian : {false, true}) {
      CAPTURE(orientation);
      const auto image = DecodeImage(WithOrientation(jpeg, orientation, big_endian));
      REQUIRE(image.has_value());
      CHECK(image->width == (orientation < 5 ? kWidth : kHeight));
      CHECK(image->height == (orientation < 5 ? kHeight : kWidth));
      const int right = image->width - 1;
      const int bottom = image->height - 1;
      const std::string corners{letter(*image, 0, 0), letter(*image, right, 0), letter(*image, 0, bottom),
                                letter(*image, right, bottom)};
      CHECK(corners == expected[orientation - 1]);
    }
  }
}

TEST_CASE("An EXIF block that makes no sense leaves the picture as it is stored") {
  const Bytes jpeg = EncodeJpeg(8, 16, 3, Bytes(8 * 16 * 3, 100));
  for (const int orientation : {0, 9, 65535}) {
    CHECK(DecodeImage(WithOrientation(jpeg, orientation, true))->width == 8);
  }
  // Every byte of the block broken, one at a time: no crash, and still a picture or a clear refusal.
  const Bytes good = WithOrientation(jpeg, 6, false);
  for (std::size_t i = 2; i < 60; ++i) {
    Bytes broken = good;
    broken[i] ^= 0xff;
    const auto image = DecodeImage(broken);
    if (image) CHECK(image->rgb.size() == 8 * 16 * 3);
  }
}

TEST_CASE("A picture of 20,000 x 20,000 pixels is refused from its header") {
  CheckRefused(PngHeader(20'000, 20'000), ErrorCode::kLimit, "400000000 pixels");
  CheckRefused(PngHeader(4'000'000'000U, 4'000'000'000U), ErrorCode::kLimit, "far too many pixels");
  Bytes bmp = EncodeBmp(2, 2, Bytes(12, 0));
  bmp[20] = bmp[24] = 1;  // 65,538 x 65,538
  CheckRefused(bmp, ErrorCode::kLimit, "65538 x 65538");
}

TEST_CASE("What is not a picture is refused with a sentence, and known formats by name") {
  CheckRefused({}, ErrorCode::kBadInput, "is empty");
  CheckRefused(ToBytes("hello, world"), ErrorCode::kBadInput, "is not a picture");
  CheckRefused(ToBytes("file,class_index\na.jpg,1\n"), ErrorCode::kBadInput, "is not a picture");
  CheckRefused(RandomBytes(4000, 9), ErrorCode::kBadInput, "is not a picture");
  CheckRefused(ToBytes(std::string_view("RIFF\x24\0\0\0WEBPVP8 ", 16)), ErrorCode::kUnsupported, "WebP");
  CheckRefused(ToBytes(std::string_view("\0\0\0\x20"
                                        "ftypavif",
                                        12)),
               ErrorCode::kUnsupported, "AVIF");
  CheckRefused(ToBytes(std::string_view("\0\0\0\x20"
                                        "ftypheic",
                                        12)),
               ErrorCode::kUnsupported, "HEIC");
}

TEST_CASE("A file cut anywhere is called truncated or not a picture, never decoded with invented pixels") {
  const Bytes noise = RandomBytes(40 * 30 * 3, 3);
  for (const Bytes& file : {EncodePng(40, 30, 3, noise), EncodeJpeg(40, 30, 3, noise), EncodeBmp(40, 30, noise)}) {
    for (std::size_t length = 0; length < file.size(); length += length < 64 ? 1 : 37) {
      CAPTURE(length);
      const auto image = DecodeImage(std::span(file).first(length));
      CHECK(!image.has_value());
    }
    CheckRefused(Bytes(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(file.size() / 2)), ErrorCode::kBadInput,
                 "is truncated");
    CHECK(DecodeImage(file).has_value());
  }
}

TEST_CASE("A Huffman table of more than 256 symbols is refused before stb_image writes beyond its own") {
  Bytes jpeg = EncodeJpeg(16, 16, 3, Bytes(16 * 16 * 3, 90));
  for (std::size_t i = 0; i + 1 < jpeg.size(); ++i) {
    if (jpeg[i] != 0xff || jpeg[i + 1] != 0xc4) continue;
    for (std::size_t length = 5; length < 21; ++length) jpeg[i + length] = 100;
    break;
  }
  CheckRefused(jpeg, ErrorCode::kBadInput, "Huffman table");
  // Between the scans of a progressive file, too.
  Bytes late = EncodeJpeg(16, 16, 3, Bytes(16 * 16 * 3, 90));
  const Bytes table{0xff, 0xc4, 0, 40, 0, 200, 200};
  late.insert(late.end() - 2, table.begin(), table.end());
  CheckRefused(late, ErrorCode::kBadInput, "Huffman table");
}

TEST_CASE("Bytes changed at random never crash the decoder") {
  const Bytes noise = RandomBytes(24 * 24 * 3, 4);
  Random random(5);
  for (const Bytes& file : {EncodePng(24, 24, 3, noise), EncodeJpeg(24, 24, 3, noise), EncodeBmp(24, 24, noise)}) {
    for (int round = 0; round < 300; ++round) {
      Bytes broken = file;
      for (int i = 0; i < 3; ++i) {
        broken[random.Below(static_cast<std::uint32_t>(broken.size()))] = static_cast<std::uint8_t>(random.Bits());
      }
      const auto image = DecodeImage(broken);
      if (image)
        CHECK(image->rgb.size() ==
              static_cast<std::size_t>(image->width) * static_cast<std::size_t>(image->height) * 3);
    }
  }
}

}  // namespace
}  // namespace kdequant
