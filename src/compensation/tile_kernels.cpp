#include "tile_kernels.h"

#include <algorithm>

#include "kdequant/base/math.h"
#include "simd.h"

namespace kdequant {
namespace {

v128_t MultiplyAdd(v128_t sum, v128_t x, v128_t y) { return wasm_f32x4_add(sum, wasm_f32x4_mul(x, y)); }

// A 4 x 8 piece of c (+ or -)= a b: a(r, k) is at a[r * row_step + k * k_step], and one of the steps is 1. Four by
// eight is eight sums, two vectors of b and one of a: as many as V8 keeps in registers, and unrolling would make it
// spill.
template <bool kSubtract>
void MicroTile(const float* a, std::size_t row_step, std::size_t k_step, const float* b, std::size_t b_stride,
               std::size_t depth, float* c, std::size_t c_stride) {
  v128_t c00 = wasm_f32x4_splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
#if defined(__clang__)
#pragma clang loop unroll(disable)
#endif
  for (std::size_t k = 0; k < depth; ++k) {
    const v128_t b0 = wasm_v128_load(b);
    const v128_t b1 = wasm_v128_load(b + 4);
    v128_t x = wasm_v128_load32_splat(a);
    c00 = MultiplyAdd(c00, x, b0);
    c01 = MultiplyAdd(c01, x, b1);
    x = wasm_v128_load32_splat(a + row_step);
    c10 = MultiplyAdd(c10, x, b0);
    c11 = MultiplyAdd(c11, x, b1);
    x = wasm_v128_load32_splat(a + 2 * row_step);
    c20 = MultiplyAdd(c20, x, b0);
    c21 = MultiplyAdd(c21, x, b1);
    x = wasm_v128_load32_splat(a + 3 * row_step);
    c30 = MultiplyAdd(c30, x, b0);
    c31 = MultiplyAdd(c31, x, b1);
    a += k_step;
    b += b_stride;
  }
  const auto store = [](float* target, v128_t sum) {
    const v128_t old = wasm_v128_load(target);
    wasm_v128_store(target, kSubtract ? wasm_f32x4_sub(old, sum) : wasm_f32x4_add(old, sum));
  };
  store(c, c00);
  store(c + 4, c01);
  store(c + c_stride, c10);
  store(c + c_stride + 4, c11);
  store(c + 2 * c_stride, c20);
  store(c + 2 * c_stride + 4, c21);
  store(c + 3 * c_stride, c30);
  store(c + 3 * c_stride + 4, c31);
}

template <bool kSubtract>
void Product(const float* a, std::size_t row_step, std::size_t k_step, const float* b, std::size_t depth, float* c,
             std::size_t rows, std::size_t columns) {
  for (std::size_t row = 0; row < rows; row += 4) {
    for (std::size_t column = 0; column < columns; column += 8) {
      MicroTile<kSubtract>(a + row * row_step, row_step, k_step, b + column, columns, depth, c + row * columns + column,
                           columns);
    }
  }
}

}  // namespace

// Packed first, a as [panels of 4][k][4] and b as [panels of 8][k][8]: rows of a tile are 256 bytes apart, so that a
// column of them lies in a quarter of the first-level cache's sets, and three tiles do not fit beside one another.
void SubtractTransposedProduct(const float* a, const float* b, float* c) {
  alignas(16) float packed_a[kTile * kTile];
  alignas(16) float packed_b[kTile * kTile];
  for (std::size_t k = 0; k < kTile; ++k) {
    for (std::size_t i = 0; i < kTile; i += 4)
      wasm_v128_store(packed_a + i * kTile + k * 4, wasm_v128_load(a + k * kTile + i));
    for (std::size_t i = 0; i < kTile; i += 8) {
      float* to = packed_b + i * kTile + k * 8;
      wasm_v128_store(to, wasm_v128_load(b + k * kTile + i));
      wasm_v128_store(to + 4, wasm_v128_load(b + k * kTile + i + 4));
    }
  }
  for (std::size_t column = 0; column < kTile; column += 8) {
    for (std::size_t row = 0; row < kTile; row += 4) {
      MicroTile<true>(packed_a + row * kTile, 1, 4, packed_b + column * kTile, 8, kTile, c + row * kTile + column,
                      kTile);
    }
  }
}

void AddStripProduct(const float* a, const float* b, float* c) {
  Product<false>(a, kTile, 1, b, kTile, c, kTile, kStrip);
}

void SubtractTransposedStripProduct(const float* a, const float* b, float* c) {
  Product<true>(a, 1, kTile, b, kTile, c, kTile, kStrip);
}

void AddRowsProduct(const float* a, std::size_t row_stride, std::size_t rows, std::size_t depth, const float* b,
                    float* c) {
  Product<false>(a, row_stride, 1, b, depth, c, rows, kStrip);
}

void AddTransposedRowsProduct(const float* a, std::size_t row_stride, std::size_t rows, std::size_t depth,
                              const float* b, float* c) {
  Product<false>(a, 1, row_stride, b, depth, c, rows, kStrip);
}

bool FactorTile(float* h, float least) {
  for (std::size_t k = kTile; k-- > 0;) {
    float* row = h + k * kTile;
    for (std::size_t m = k + 1; m < kTile; ++m) {
      const float* later = h + m * kTile;
      const float factor = later[k];
      for (std::size_t i = 0; i <= k; ++i) row[i] -= factor * later[i];
    }
    if (!(row[k] >= least)) return false;
    row[k] = static_cast<float>(Sqrt(static_cast<double>(row[k])));
    for (std::size_t i = 0; i < k; ++i) row[i] /= row[k];
    std::fill(row + k + 1, row + kTile, 0.0F);
  }
  return true;
}

void SolveTile(const float* g, float* b) {
  constexpr std::size_t kVectors = 8;  // a stripe of 32 columns: eight sums in registers
  for (std::size_t stripe = 0; stripe < kTile; stripe += 4 * kVectors) {
    for (std::size_t k = kTile; k-- > 0;) {
      float* row = b + k * kTile + stripe;
      v128_t sums[kVectors];
      for (std::size_t v = 0; v < kVectors; ++v) sums[v] = wasm_v128_load(row + 4 * v);
      for (std::size_t m = k + 1; m < kTile; ++m) {
        const v128_t factor = wasm_v128_load32_splat(g + m * kTile + k);
        const float* later = b + m * kTile + stripe;
        for (std::size_t v = 0; v < kVectors; ++v) {
          sums[v] = wasm_f32x4_sub(sums[v], wasm_f32x4_mul(factor, wasm_v128_load(later + 4 * v)));
        }
      }
      const v128_t pivot = wasm_v128_load32_splat(g + k * kTile + k);
      for (std::size_t v = 0; v < kVectors; ++v) wasm_v128_store(row + 4 * v, wasm_f32x4_div(sums[v], pivot));
    }
  }
}

}  // namespace kdequant
