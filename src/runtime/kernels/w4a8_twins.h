// kernels/w4a8_twins.h
// Products of relaxed dot products in 16 bits (Arithmetic::kRelaxedPairs), two steps at once.
//
// A relaxed dot product adds two products in 16 bits. Twins are two neighbouring steps whose sums can be added there
// too, whatever the image, before one multiplication with ones takes both to 32 bits: 24 multiplications a tile instead
// of 32. Codes are small beside their largest, so that almost all steps are twins.
#ifndef KDEQUANT_RUNTIME_KERNELS_W4A8_TWINS_H_
#define KDEQUANT_RUNTIME_KERNELS_W4A8_TWINS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/w4a8_tile.h"

#if KDEQUANT_HAS_RELAXED

namespace kdequant::w4a8 {

inline constexpr std::int32_t kRaise = 128;  ///< Of activations, into 0..255.

/// Four codes of one sign that add up to no more make, with four bytes up to 255, a sum in 16 bits.
inline constexpr std::int32_t kMostOfOneSign = 128;

inline v128_t Raised(v128_t bytes) { return wasm_v128_xor(bytes, wasm_i8x16_splat(-kRaise)); }

struct TwinArithmetic : RelaxedBytes {
  using Vector = RelaxedVector<TwinArithmetic>;
  static constexpr bool kShifted = false;
  static constexpr bool kRaised = true;

  // In 16 bits: two products for each channel, twice.
  static v128_t Products(v128_t weights, v128_t x) { return relaxed::DotPairs(weights, x); }
  static v128_t Add(v128_t sum, v128_t products) {
    return wasm_i32x4_add(sum, wasm_i32x4_extadd_pairwise_i16x8(products));
  }
  static v128_t Dot(v128_t x, v128_t weights, v128_t sum) { return Add(sum, Products(weights, x)); }
  static v128_t DotRow(v128_t x, v128_t weights, v128_t sum) { return Dot(x, weights, sum); }
};

// Whether two steps can be summed in 16 bits.
inline bool AreTwins(StepBytes a, StepBytes b) {
  const v128_t zero = wasm_i8x16_splat(0);
  const auto exceeds = [&](v128_t x, v128_t y) {
    const auto sums = [](v128_t u, v128_t v) {
      return wasm_i16x8_add(wasm_i16x8_extadd_pairwise_i8x16(u), wasm_i16x8_extadd_pairwise_i8x16(v));
    };
    const v128_t most = wasm_i16x8_splat(kMostOfOneSign);
    return wasm_v128_or(wasm_i16x8_gt(sums(wasm_i8x16_max(x, zero), wasm_i8x16_max(y, zero)), most),
                        wasm_i16x8_lt(sums(wasm_i8x16_min(x, zero), wasm_i8x16_min(y, zero)), wasm_i16x8_neg(most)));
  };
  return !wasm_v128_any_true(wasm_v128_or(exceeds(a.first, b.first), exceeds(a.second, b.second)));
}

// Where a panel is decoded to: its weights, then their offsets, then how many steps are twins.
struct TwinRoom {
  std::int8_t* weights;
  std::int32_t* offsets;
  std::ptrdiff_t steps;

  TwinRoom(std::int8_t* decoded, std::ptrdiff_t count)
      : weights(decoded), offsets(reinterpret_cast<std::int32_t*>(decoded + 32 * count)), steps(count) {}
  DecodedPanel Panel() const { return {weights, offsets, steps, offsets[steps]}; }

  static std::ptrdiff_t Bytes(std::ptrdiff_t steps) { return (36 * steps + 4 + 15) / 16 * 16; }
};

// `twins`: of the panel; `offsets`: of its steps in order.
inline void DecodeTwins(const PackedWeights& weights, std::size_t panel, std::vector<bool>::const_iterator twin,
                        const std::int32_t* offsets, const TwinRoom& room) {
  StepReader reader(weights, panel);
  std::ptrdiff_t twins = 0;
  std::ptrdiff_t others = room.steps;
  for (std::ptrdiff_t i = 0; i < room.steps; ++i) {
    const std::ptrdiff_t at = *twin ? twins++ : --others;
    TwinArithmetic::Decode(reader.Next(), room.weights + 32 * at);
    room.offsets[at] = offsets[i];
    if (i % 2 != 0) ++twin;
  }
  room.offsets[room.steps] = static_cast<std::int32_t>(twins);
}

// As MultiplyParts, of all parts.
template <bool SideBySide>
[[gnu::always_inline]] inline Tile MultiplyTwins(FourPixels<SideBySide> pixels, DecodedPanel panel, Tile sums) {
  using A = TwinArithmetic;
  const std::int8_t* weights = panel.weights;
  const std::int32_t* const last = panel.offsets + panel.twins;
  KDEQUANT_NO_UNROLL
  for (const std::int32_t* at = panel.offsets; at != last; at += 2, weights += 64) {
    const v128_t low = wasm_v128_load(weights);
    const v128_t high = wasm_v128_load(weights + 16);
    const v128_t next_low = wasm_v128_load(weights + 32);
    const v128_t next_high = wasm_v128_load(weights + 48);
    for (int p = 0; p < 4; ++p) {
      const v128_t x = pixels.Splat(p, at[0]);
      const v128_t y = pixels.Splat(p, at[1]);
      sums.low[p] = A::Add(sums.low[p], wasm_i16x8_add(A::Products(low, x), A::Products(next_low, y)));
      sums.high[p] = A::Add(sums.high[p], wasm_i16x8_add(A::Products(high, x), A::Products(next_high, y)));
    }
  }
  return MultiplyParts<A>(pixels, panel, panel.twins, sums);
}

}  // namespace kdequant::w4a8

#endif

#endif  // KDEQUANT_RUNTIME_KERNELS_W4A8_TWINS_H_
