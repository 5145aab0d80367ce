// kernels/w4a8_output.h
// What becomes of a layer's 32-bit sums: bytes on the output's grid, or floats.
#ifndef KDEQUANT_RUNTIME_KERNELS_W4A8_OUTPUT_H_
#define KDEQUANT_RUNTIME_KERNELS_W4A8_OUTPUT_H_

#include <cstddef>
#include <cstdint>

#include "kernels/w4a8_grid.h"
#include "kernels/w4a8_vector.h"

namespace kdequant::w4a8 {

/// Where sums start and how they become outputs; arrays have one entry an output channel, padded to a multiple of 8.
struct RowStart {
  const std::int32_t* start = nullptr;
  const float* multipliers = nullptr;
};

/// nearest(float(sum) * multiplier) within the bounds, from the zero point. No product is beyond kMostRounded.
struct ByteOutput {
  RowStart rows;
  Bounds bounds;
  std::int32_t zero_point = 0;
  std::int8_t* bytes = nullptr;
};

/// float(sum) * multiplier + bias, then the interval.
struct FloatOutput {
  RowStart rows;
  const float* bias = nullptr;
  float low = 0;
  float high = 0;
  float* floats = nullptr;
};

/// The reference of the two: one sum, at `index` of the output.
inline void Put(const ByteOutput& output, std::ptrdiff_t channel, std::ptrdiff_t index, std::int32_t sum) {
  output.bytes[index] = Requantize(sum, output.rows.multipliers[channel], output.bounds, output.zero_point);
}
inline void Put(const FloatOutput& output, std::ptrdiff_t channel, std::ptrdiff_t index, std::int32_t sum) {
  const float x = static_cast<float>(sum) * output.rows.multipliers[channel] + output.bias[channel];
  const float above = x < output.low ? output.low : x;
  output.floats[index] = output.high < above ? output.high : above;
}

/// Constants of `Store` that are the same for a whole layer.
inline ByteBounds MakeStore(const ByteOutput& output) { return {output.bounds, output.zero_point}; }
inline ByteBounds MakeStore(const FloatOutput&) { return {Bounds{}, 0}; }

/// Puts four channels of P pixels (four, or the only one of an image): sums[p] holds four channels of pixel p.
template <int P>
void Store(const ByteOutput& output, const ByteBounds& bounds, std::ptrdiff_t channel, std::ptrdiff_t index,
           const v128_t* sums) {
  const v128_t multipliers = wasm_v128_load(output.rows.multipliers + channel);
  const v128_t first = RoundVector(sums[0], multipliers, bounds);
  if constexpr (P == 4) {
    const v128_t second = RoundVector(sums[1], multipliers, bounds);
    const v128_t third = RoundVector(sums[2], multipliers, bounds);
    const v128_t fourth = RoundVector(sums[3], multipliers, bounds);
    wasm_v128_store(output.bytes + index, RoundedToBytes(first, second, third, fourth, bounds));
  } else {
    wasm_v128_store32_lane(output.bytes + index, RoundedToBytes(first, first, first, first, bounds), 0);
  }
}

template <int P>
void Store(const FloatOutput& output, const ByteBounds&, std::ptrdiff_t channel, std::ptrdiff_t index,
           const v128_t* sums) {
  const v128_t multipliers = wasm_v128_load(output.rows.multipliers + channel);
  const v128_t bias = wasm_v128_load(output.bias + channel);
  const v128_t low = wasm_f32x4_splat(output.low);
  const v128_t high = wasm_f32x4_splat(output.high);
  for (int p = 0; p < P; ++p) {
    const v128_t x = wasm_f32x4_add(wasm_f32x4_mul(wasm_f32x4_convert_i32x4(sums[p]), multipliers), bias);
    wasm_v128_store(output.floats + index + 4 * p, wasm_f32x4_pmin(wasm_f32x4_pmax(x, low), high));
  }
}

}  // namespace kdequant::w4a8

#endif  // KDEQUANT_RUNTIME_KERNELS_W4A8_OUTPUT_H_
