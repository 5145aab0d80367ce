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

/// An operand of a sum of images: its bytes, their zero point, and its scale over the output's.
struct Addend {
  const std::int8_t* bytes = nullptr;
  std::int32_t zero_point = 0;
  float ratio = 1;
};

/// nearest(float(sum) * multiplier) within the bounds, from the zero point. No product is beyond kMostRounded. With an
/// addend (an image of the output's shape), that is added to the product before it is rounded: what a layer and the
/// sum behind it come to is rounded once instead of twice.
struct ByteOutput {
  RowStart rows;
  Bounds bounds;
  std::int32_t zero_point = 0;
  std::int8_t* bytes = nullptr;
  Addend addend = {};
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
  float scaled = static_cast<float>(sum) * output.rows.multipliers[channel];
  if (const Addend& addend = output.addend; addend.bytes)
    scaled += static_cast<float>(addend.bytes[index] - addend.zero_point) * addend.ratio;
  output.bytes[index] = ToByte(scaled, output.bounds, output.zero_point);
}
inline void Put(const FloatOutput& output, std::ptrdiff_t channel, std::ptrdiff_t index, std::int32_t sum) {
  const float x = static_cast<float>(sum) * output.rows.multipliers[channel] + output.bias[channel];
  const float above = x < output.low ? output.low : x;
  output.floats[index] = output.high < above ? output.high : above;
}

/// Constants of `Store` that are the same for a whole layer.
inline ByteBounds MakeStore(const ByteOutput& output) { return {output.bounds, output.zero_point}; }
inline ByteBounds MakeStore(const FloatOutput&) { return {Bounds{}, 0}; }

/// Four channels of four pixels with `addends`, as bytes. A call of its own: in the kernels, sums stay in registers.
v128_t SumToBytes(const ByteOutput& output, const ByteBounds& bounds, std::ptrdiff_t channel, v128_t addends, v128_t a,
                  v128_t b, v128_t c, v128_t d);

/// Puts four channels of P pixels (four, or the only one of an image): sums[p] holds four channels of pixel p.
template <int P>
void Store(const ByteOutput& output, const ByteBounds& bounds, std::ptrdiff_t channel, std::ptrdiff_t index,
           const v128_t* sums) {
  if (output.addend.bytes) [[unlikely]] {
    const std::int8_t* const addend = output.addend.bytes + index;
    if constexpr (P == 4) {
      wasm_v128_store(output.bytes + index,
                      SumToBytes(output, bounds, channel, wasm_v128_load(addend), sums[0], sums[1], sums[2], sums[3]));
    } else {
      wasm_v128_store32_lane(
          output.bytes + index,
          SumToBytes(output, bounds, channel, wasm_v128_load32_zero(addend), sums[0], sums[0], sums[0], sums[0]), 0);
    }
    return;
  }
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
