#include "integer_panels.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "simd.h"

namespace kdequant {
namespace {

constexpr float kLargestUnit = 2047;

// Adding and taking away 1.5 * 2^23 rounds to an integer (ties to even), the same everywhere; the integer is in the low
// bits.
std::int16_t RoundToUnit(float value) {
  constexpr float kMagic = 12582912.0F;
  value = value > kLargestUnit ? kLargestUnit : value;
  value = value < -kLargestUnit ? -kLargestUnit : value;
  return static_cast<std::int16_t>(std::bit_cast<std::int32_t>(value + kMagic) - std::bit_cast<std::int32_t>(kMagic));
}

// The power of two that takes `peak` to 1024..2047 units; 0 for a line of zeros. Denormal peaks count as zero.
float UnitFor(float peak) {
  if (!(peak >= 0x1.0p-100F)) return 0;
  return std::ldexp(1.0F, std::ilogb(peak) - 10);
}

}  // namespace

void PackColumns(const float* values, std::size_t stride, std::size_t lines, std::size_t depth, std::int16_t* packed,
                 std::span<float> units) {
  std::vector<float> factors(units.size());
  for (std::size_t k = 0; k < depth; ++k) {
    const float* row = values + k * stride;
    for (std::size_t j = 0; j < lines; ++j) {
      const float size = std::fabs(row[j]);
      factors[j] = size > factors[j] ? size : factors[j];
    }
  }
  for (std::size_t j = 0; j < factors.size(); ++j) {
    units[j] = UnitFor(factors[j]);
    factors[j] = units[j] > 0 ? 1 / units[j] : 0;
  }
  const std::vector<float> zeros(kPanel);
  for (std::size_t first = 0; first < units.size(); first += kPanel) {
    std::int16_t* out = packed + first / kPanel * PanelSize(depth);
    const std::size_t width = first < lines ? std::min(kPanel, lines - first) : 0;
    if (width < kPanel) std::fill_n(out, PanelSize(depth), std::int16_t{0});
    const float* factor = factors.data() + first;
    for (std::size_t k = 0; k < depth; k += 2, out += 2 * kPanel) {
      const float* even = values + k * stride + first;
      const float* odd = k + 1 < depth ? even + stride : zeros.data();
      if (width == kPanel) {
        for (std::size_t j = 0; j < kPanel; ++j) {
          out[2 * j] = RoundToUnit(even[j] * factor[j]);
          out[2 * j + 1] = RoundToUnit(odd[j] * factor[j]);
        }
      } else {
        for (std::size_t j = 0; j < width; ++j) {
          out[2 * j] = RoundToUnit(even[j] * factor[j]);
          out[2 * j + 1] = RoundToUnit(odd[j] * factor[j]);
        }
      }
    }
  }
}

void PackRows(const float* values, std::size_t stride, std::size_t lines, std::size_t depth, std::int16_t* packed,
              std::span<float> units) {
  for (std::size_t line = 0; line < units.size(); ++line) {
    std::int16_t* out = packed + LineAt(line, depth);
    const float* row = values + line * stride;
    float peak = 0;
    if (line < lines) {
      for (std::size_t k = 0; k < depth; ++k) peak = std::fabs(row[k]) > peak ? std::fabs(row[k]) : peak;
    }
    units[line] = UnitFor(peak);
    if (units[line] == 0) {
      for (std::size_t p = 0; p < Pairs(depth); ++p, out += 2 * kPanel) out[0] = out[1] = 0;
      continue;
    }
    const float factor = 1 / units[line];
    for (std::size_t k = 0; k + 1 < depth; k += 2, out += 2 * kPanel) {
      out[0] = RoundToUnit(row[k] * factor);
      out[1] = RoundToUnit(row[k + 1] * factor);
    }
    if (depth % 2 != 0) {
      out[0] = RoundToUnit(row[depth - 1] * factor);
      out[1] = 0;
    }
  }
}

void MultiplyPanels(const std::int16_t* a, const std::int16_t* b, std::size_t pairs, std::int32_t* sums) {
  v128_t c00 = wasm_i32x4_splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
#if defined(__clang__)
#pragma clang loop unroll(disable)
#endif
  for (std::size_t p = 0; p < pairs; ++p) {
    const v128_t b0 = wasm_v128_load(b);
    const v128_t b1 = wasm_v128_load(b + 8);
    v128_t x = wasm_v128_load32_splat(a);
    c00 = wasm_i32x4_add(c00, wasm_i32x4_dot_i16x8(x, b0));
    c01 = wasm_i32x4_add(c01, wasm_i32x4_dot_i16x8(x, b1));
    x = wasm_v128_load32_splat(a + 2);
    c10 = wasm_i32x4_add(c10, wasm_i32x4_dot_i16x8(x, b0));
    c11 = wasm_i32x4_add(c11, wasm_i32x4_dot_i16x8(x, b1));
    x = wasm_v128_load32_splat(a + 4);
    c20 = wasm_i32x4_add(c20, wasm_i32x4_dot_i16x8(x, b0));
    c21 = wasm_i32x4_add(c21, wasm_i32x4_dot_i16x8(x, b1));
    x = wasm_v128_load32_splat(a + 6);
    c30 = wasm_i32x4_add(c30, wasm_i32x4_dot_i16x8(x, b0));
    c31 = wasm_i32x4_add(c31, wasm_i32x4_dot_i16x8(x, b1));
    a += 2 * kPanel;
    b += 2 * kPanel;
  }
  wasm_v128_store(sums, c00);
  wasm_v128_store(sums + 4, c01);
  wasm_v128_store(sums + 8, c10);
  wasm_v128_store(sums + 12, c11);
  wasm_v128_store(sums + 16, c20);
  wasm_v128_store(sums + 20, c21);
  wasm_v128_store(sums + 24, c30);
  wasm_v128_store(sums + 28, c31);
}

void AddScaled(const std::int32_t* sums, const float* row_units, const float* column_units, float* target,
               std::size_t stride) {
  const v128_t columns[2] = {wasm_v128_load(column_units), wasm_v128_load(column_units + 4)};
  for (std::size_t r = 0; r < kMicroRows; ++r, target += stride) {
    const v128_t row = wasm_v128_load32_splat(row_units + r);
    for (std::size_t half = 0; half < 2; ++half) {
      const v128_t sum = wasm_f32x4_convert_i32x4(wasm_v128_load(sums + r * kPanel + 4 * half));
      float* at = target + 4 * half;
      const v128_t scaled = wasm_f32x4_mul(sum, wasm_f32x4_mul(row, columns[half]));
      wasm_v128_store(at, wasm_f32x4_add(wasm_v128_load(at), scaled));
    }
  }
}

}  // namespace kdequant
