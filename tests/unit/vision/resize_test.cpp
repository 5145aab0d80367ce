#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <ranges>
#include <span>
#include <vector>

#include "kdequant/vision/preprocess.h"
#include "vision/resize_golden.h"

namespace kdequant {
namespace {

// The pictures of tools/golden_resize.py.
Image RandomPicture(int width, int height) {
  Image image{.width = width, .height = height, .rgb = {}};
  image.rgb.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3);
  std::uint32_t state = 2463534242U;
  for (auto& byte : image.rgb) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    byte = static_cast<std::uint8_t>(state >> 24);
  }
  return image;
}

std::uint64_t Checksum(std::span<const std::uint8_t> bytes) {
  std::uint64_t value = 0xcbf29ce484222325U;
  for (const auto byte : bytes) value = (value ^ byte) * 0x100000001b3U;
  return value;
}

// The pixels [left, left + size) x [top, top + size).
std::vector<std::uint8_t> Cut(const Image& image, int left, int top, int size) {
  std::vector<std::uint8_t> result;
  for (int y = top; y < top + size; ++y) {
    const auto row = image.rgb.begin() + (static_cast<std::ptrdiff_t>(y) * image.width + left) * 3;
    result.insert(result.end(), row, row + static_cast<std::ptrdiff_t>(size) * 3);
  }
  return result;
}

TEST_CASE("Resizing gives the bytes that Pillow gives, enlarging and shrinking, down to single pixels") {
  for (const auto& golden : kResizeGolden) {
    CAPTURE(golden.width);
    CAPTURE(golden.height);
    CAPTURE(golden.new_width);
    CAPTURE(golden.new_height);
    const Image resized = Resize(RandomPicture(golden.width, golden.height), golden.new_width, golden.new_height);
    CHECK(resized.width == golden.new_width);
    CHECK(resized.height == golden.new_height);
    CHECK(Checksum(resized.rgb) == golden.checksum);
  }
}

TEST_CASE("A crop is the centre of the whole resized picture, though only its own pixels are computed") {
  const Image wide = RandomPicture(500, 375);
  // 375 -> 256 makes 500 -> floor(341.33); the offsets are floor(117 / 2) and floor(32 / 2).
  const Image crop = Crop(wide, {.size = 224, .resize = 256});
  CHECK(crop.width == 224);
  CHECK(crop.height == 224);
  CHECK(crop.rgb == Cut(Resize(wide, 341, 256), 58, 16, 224));

  const Image tall = RandomPicture(61, 100);
  CHECK(Crop(tall, {.size = 64, .resize = 70}).rgb == Cut(Resize(tall, 70, 114), 3, 25, 64));
}

TEST_CASE("With resize=0 a picture of 227 pixels is cut at offset 1 and its pixels stay as they are") {
  const Image image = RandomPicture(227, 227);
  CHECK(Crop(image, {.size = 224, .resize = 0}).rgb == Cut(image, 1, 1, 224));
}

TEST_CASE("A picture smaller than the crop is enlarged until its short side fits") {
  const Image image = RandomPicture(100, 50);
  CHECK(Crop(image, {.size = 64, .resize = 0}).rgb == Cut(Resize(image, 128, 64), 32, 0, 64));
  // So is one that `resize` would make too small.
  CHECK(Crop(image, {.size = 64, .resize = 20}).rgb == Cut(Resize(image, 128, 64), 32, 0, 64));
}

TEST_CASE("A single pixel fills the whole crop") {
  const Image crop = Crop({.width = 1, .height = 1, .rgb = {10, 20, 30}}, {.size = 224, .resize = 256});
  CHECK(crop.rgb.size() == 224 * 224 * 3);
  CHECK(std::ranges::all_of(std::views::iota(std::size_t{0}, crop.rgb.size()),
                            [&](std::size_t i) { return crop.rgb[i] == 10 * (i % 3 + 1); }));
}

TEST_CASE("A picture of 1 x 20,000 pixels is cropped without building the 256 x 5,120,000 picture") {
  const Image crop = Crop(RandomPicture(1, 20'000), {.size = 224, .resize = 256});
  CHECK(crop.rgb.size() == 224 * 224 * 3);
}

TEST_CASE("An image without pixels gives a black crop") {
  const Image crop = Crop({}, {.size = 4, .resize = 8});
  CHECK(crop.rgb == std::vector<std::uint8_t>(48, 0));
}

}  // namespace
}  // namespace kdequant
