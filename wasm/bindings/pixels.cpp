#include "pixels.h"

#include <algorithm>
#include <string>
#include <utility>

#include "interop.h"
#include "kdequant/vision/decode.h"

namespace kdequant::wasm {
namespace {

// A channel of opacity `alpha` over white, rounded to nearest.
std::uint8_t OverWhite(unsigned channel, unsigned alpha) {
  return static_cast<std::uint8_t>((channel * alpha + 255U * (255U - alpha) + 127U) / 255U);
}

}  // namespace

emscripten::val PixelBuffer::Reserve(int width, int height, int channels) {
  bytes_ = {};
  const std::string size = std::to_string(width) + "x" + std::to_string(height);
  if (width < 1 || height < 1 || channels < 3 || channels > 4) {
    return ToFailure({ErrorCode::kUsage,
                      "a picture needs a positive size and 3 or 4 bytes a pixel; this one is " + size + " with " +
                          std::to_string(channels),
                      {}});
  }
  if (std::int64_t{width} * height > kMaxPixels) {
    return ToFailure({ErrorCode::kLimit, "a picture of " + size + " pixels is too large; shrink it first", {}});
  }
  bytes_ = Buffer<std::uint8_t>(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) *
                                static_cast<std::size_t>(channels));
  if (bytes_.size() == 0) {
    return ToFailure({ErrorCode::kOutOfMemory, "no memory for a picture of " + size + " pixels; shrink it first", {}});
  }
  width_ = width;
  height_ = height;
  channels_ = channels;
  return ViewOf(bytes_.span());
}

Result<Image> PixelBuffer::Take() {
  if (bytes_.size() == 0) return Fail(ErrorCode::kUsage, "there is no picture; reserve and fill the pixels first");
  const Buffer<std::uint8_t> bytes = std::exchange(bytes_, {});
  const std::size_t pixels = bytes.size() / static_cast<std::size_t>(channels_);
  Image image{.width = width_, .height = height_, .rgb = std::vector<std::uint8_t>(pixels * 3)};
  if (channels_ == 3) {
    std::ranges::copy(bytes.span(), image.rgb.begin());
    return image;
  }
  for (std::size_t i = 0; i < pixels; ++i) {
    const std::uint8_t* rgba = bytes.data() + 4 * i;
    for (std::size_t c = 0; c < 3; ++c) image.rgb[3 * i + c] = OverWhite(rgba[c], rgba[3]);
  }
  return image;
}

std::vector<std::uint8_t> ToRgba(const Image& image) {
  std::vector<std::uint8_t> rgba(image.rgb.size() / 3 * 4, 255);
  for (std::size_t i = 0; i < rgba.size() / 4; ++i) {
    for (std::size_t c = 0; c < 3; ++c) rgba[4 * i + c] = image.rgb[3 * i + c];
  }
  return rgba;
}

}  // namespace kdequant::wasm
