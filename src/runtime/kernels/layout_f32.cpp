#include "kernels/layout_f32.h"

#include <algorithm>

#include "kernels/simd.h"

namespace kdequant::runtime {
namespace {

void Transpose4x4(v128_t rows[4]) {
  const v128_t a = wasm_i32x4_shuffle(rows[0], rows[1], 0, 4, 1, 5);
  const v128_t b = wasm_i32x4_shuffle(rows[2], rows[3], 0, 4, 1, 5);
  const v128_t c = wasm_i32x4_shuffle(rows[0], rows[1], 2, 6, 3, 7);
  const v128_t d = wasm_i32x4_shuffle(rows[2], rows[3], 2, 6, 3, 7);
  rows[0] = wasm_i64x2_shuffle(a, b, 0, 2);
  rows[1] = wasm_i64x2_shuffle(a, b, 1, 3);
  rows[2] = wasm_i64x2_shuffle(c, d, 0, 2);
  rows[3] = wasm_i64x2_shuffle(c, d, 1, 3);
}

}  // namespace

void PlainToC4(const Image& image, const float* plain, float* blocked) {
  const std::ptrdiff_t pixels = image.Pixels();
  for (std::ptrdiff_t block = 0; block < image.Blocks(); ++block) {
    const float* source = plain + 4 * block * pixels;
    float* target = blocked + block * image.BlockStride();
    const std::ptrdiff_t lanes = std::min<std::ptrdiff_t>(4, image.channels - 4 * block);
    std::ptrdiff_t pixel = 0;
    for (; pixel + 4 <= pixels; pixel += 4) {
      v128_t rows[4];
      for (std::ptrdiff_t lane = 0; lane < 4; ++lane) {
        rows[lane] = lane < lanes ? wasm_v128_load(source + lane * pixels + pixel) : wasm_f32x4_splat(0);
      }
      Transpose4x4(rows);
      for (std::ptrdiff_t i = 0; i < 4; ++i) wasm_v128_store(target + 4 * (pixel + i), rows[i]);
    }
    for (; pixel < image.PixelStride(); ++pixel) {
      for (std::ptrdiff_t lane = 0; lane < 4; ++lane) {
        target[4 * pixel + lane] = lane < lanes && pixel < pixels ? source[lane * pixels + pixel] : 0;
      }
    }
  }
}

void C4ToPlain(const Image& image, const float* blocked, float* plain) {
  const std::ptrdiff_t pixels = image.Pixels();
  for (std::ptrdiff_t block = 0; block < image.Blocks(); ++block) {
    const float* source = blocked + block * image.BlockStride();
    float* target = plain + 4 * block * pixels;
    const std::ptrdiff_t lanes = std::min<std::ptrdiff_t>(4, image.channels - 4 * block);
    std::ptrdiff_t pixel = 0;
    for (; pixel + 4 <= pixels; pixel += 4) {
      v128_t rows[4];
      for (std::ptrdiff_t i = 0; i < 4; ++i) rows[i] = wasm_v128_load(source + 4 * (pixel + i));
      Transpose4x4(rows);
      for (std::ptrdiff_t lane = 0; lane < lanes; ++lane) wasm_v128_store(target + lane * pixels + pixel, rows[lane]);
    }
    for (; pixel < pixels; ++pixel) {
      for (std::ptrdiff_t lane = 0; lane < lanes; ++lane) target[lane * pixels + pixel] = source[4 * pixel + lane];
    }
  }
}

}  // namespace kdequant::runtime
