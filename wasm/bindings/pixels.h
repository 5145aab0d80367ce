// Pixels from JavaScript to our pictures.
#ifndef KDEQUANT_WASM_PIXELS_H_
#define KDEQUANT_WASM_PIXELS_H_

#include <emscripten/val.h>

#include <cstdint>
#include <vector>

#include "kdequant/base/buffer.h"
#include "kdequant/base/result.h"
#include "kdequant/vision/image.h"

namespace kdequant::wasm {

/// Where JavaScript puts the pixels of one picture.
class PixelBuffer {
 public:
  /// A Uint8Array of width * height * channels bytes to be filled at once, or a failure: kUsage (3 or 4 channels,
  /// positive size), kLimit (more than kMaxPixels), kOutOfMemory.
  emscripten::val Reserve(int width, int height, int channels);

  /// The picture, transparency laid over white; the buffer is empty afterwards. kUsage if nothing was reserved.
  Result<Image> Take();

 private:
  int width_ = 0, height_ = 0, channels_ = 0;
  Buffer<std::uint8_t> bytes_;
};

/// For a canvas: opaque RGBA, row-major.
std::vector<std::uint8_t> ToRgba(const Image& image);

}  // namespace kdequant::wasm

#endif  // KDEQUANT_WASM_PIXELS_H_
