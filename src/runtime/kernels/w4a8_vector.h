// kernels/w4a8_vector.h
// The steps that the integer vector kernels share: decoding codes, and turning accumulators into bytes.
#ifndef KDEQUANT_RUNTIME_KERNELS_W4A8_VECTOR_H_
#define KDEQUANT_RUNTIME_KERNELS_W4A8_VECTOR_H_

#include <cstddef>
#include <cstdint>

#include "kernels/simd.h"
#include "kernels/w4a8_grid.h"

namespace kdequant::w4a8 {

/// Up to four pixels of four bytes; none behind the last is read.
inline v128_t LoadFour(const std::int8_t* pixels, std::ptrdiff_t count) {
  if (count >= 4) return wasm_v128_load(pixels);
  v128_t bytes = wasm_v128_load32_zero(pixels);
  if (count > 1) bytes = wasm_v128_load32_lane(pixels + 4, bytes, 1);
  if (count > 2) bytes = wasm_v128_load32_lane(pixels + 8, bytes, 2);
  return bytes;
}

/// Adding 1.5 * 2^23 to a float of at most 2^22 leaves its nearest integer (half to even) in the low mantissa bits:
/// three times cheaper than i32x4.trunc_sat_f32x4_s, whose saturation costs browsers five instructions on x86.
inline constexpr float kRoundingFloat = 12582912.0F;
inline constexpr std::int32_t kRoundingBits = 0x4B400000;

/// `Bounds` and the zero point, spread over vectors.
struct VectorBounds {
  v128_t low;
  v128_t high;
  v128_t rounding;
  v128_t offset;  ///< Bits of the rounding constant minus the zero point.

  VectorBounds(Bounds bounds, std::int32_t zero_point)
      : low(wasm_f32x4_splat(bounds.low)),
        high(wasm_f32x4_splat(bounds.high)),
        rounding(wasm_f32x4_splat(kRoundingFloat)),
        offset(wasm_i32x4_splat(kRoundingBits - zero_point)) {}
};

/// ToByte of four numbers, as 32-bit integers. pmax and pmin are one instruction where max and min, which mind NaNs,
/// are five; without NaNs they are the same.
inline v128_t ToGrid(v128_t scaled, const VectorBounds& bounds) {
  const v128_t clamped = wasm_f32x4_pmin(wasm_f32x4_pmax(scaled, bounds.low), bounds.high);
  return wasm_i32x4_sub(wasm_f32x4_add(clamped, bounds.rounding), bounds.offset);
}

inline v128_t RequantizeVector(v128_t accumulators, v128_t multipliers, const VectorBounds& bounds) {
  return ToGrid(wasm_f32x4_mul(wasm_f32x4_convert_i32x4(accumulators), multipliers), bounds);
}

/// Sixteen bytes as four vectors of floats, less the zero point (spread over 16-bit lanes).
inline void Widen(v128_t bytes, v128_t zero_point, v128_t floats[4]) {
  const v128_t low = wasm_i16x8_sub(wasm_i16x8_extend_low_i8x16(bytes), zero_point);
  const v128_t high = wasm_i16x8_sub(wasm_i16x8_extend_high_i8x16(bytes), zero_point);
  floats[0] = wasm_f32x4_convert_i32x4(wasm_i32x4_extend_low_i16x8(low));
  floats[1] = wasm_f32x4_convert_i32x4(wasm_i32x4_extend_high_i16x8(low));
  floats[2] = wasm_f32x4_convert_i32x4(wasm_i32x4_extend_low_i16x8(high));
  floats[3] = wasm_f32x4_convert_i32x4(wasm_i32x4_extend_high_i16x8(high));
}

/// 4 x 4 integers to 16 bytes; what is no byte becomes the nearest one.
inline v128_t NarrowToBytes(v128_t a, v128_t b, v128_t c, v128_t d) {
  return wasm_i8x16_narrow_i16x8(wasm_i16x8_narrow_i32x4(a, b), wasm_i16x8_narrow_i32x4(c, d));
}

/// The largest magnitude of a product of sum and multiplier that rounding before clamping bears (below 2^22).
inline constexpr double kMostRounded = 4e6;

/// As VectorBounds, for results below kMostRounded: these are rounded first and clamped as bytes, 16 at once.
struct ByteBounds {
  v128_t rounding;
  v128_t offset;
  v128_t low;  ///< Bytes, from zero_point + bounds.low on.
  v128_t high;

  ByteBounds(Bounds bounds, std::int32_t zero_point)
      : rounding(wasm_f32x4_splat(kRoundingFloat)),
        offset(wasm_i32x4_splat(kRoundingBits - zero_point)),
        low(wasm_i8x16_splat(static_cast<std::int8_t>(static_cast<std::int32_t>(bounds.low) + zero_point))),
        high(wasm_i8x16_splat(static_cast<std::int8_t>(static_cast<std::int32_t>(bounds.high) + zero_point))) {}
};

/// Four numbers on the grid, not yet within the bounds.
inline v128_t RoundScaled(v128_t scaled, const ByteBounds& bounds) {
  return wasm_i32x4_sub(wasm_f32x4_add(scaled, bounds.rounding), bounds.offset);
}
/// The same of four sums.
inline v128_t RoundVector(v128_t sums, v128_t multipliers, const ByteBounds& bounds) {
  return RoundScaled(wasm_f32x4_mul(wasm_f32x4_convert_i32x4(sums), multipliers), bounds);
}

/// 4 x 4 of them as bytes within the bounds: Requantize of each.
inline v128_t RoundedToBytes(v128_t a, v128_t b, v128_t c, v128_t d, const ByteBounds& bounds) {
  return wasm_i8x16_min(wasm_i8x16_max(NarrowToBytes(a, b, c, d), bounds.low), bounds.high);
}

/// Bytes of 4 pixels (or rows) x 4 depths to 16-bit pairs: `even` holds depths 0 and 1 of all four, `odd` depths 2
/// and 3.
struct DepthPairs {
  v128_t even;
  v128_t odd;
};
inline DepthPairs PairsOfBytes(v128_t bytes) {
  const v128_t low = wasm_i16x8_extend_low_i8x16(bytes);
  const v128_t high = wasm_i16x8_extend_high_i8x16(bytes);
  return {wasm_i32x4_shuffle(low, high, 0, 2, 4, 6), wasm_i32x4_shuffle(low, high, 1, 3, 5, 7)};
}

}  // namespace kdequant::w4a8

#endif  // KDEQUANT_RUNTIME_KERNELS_W4A8_VECTOR_H_
