// kernels/w4a8_tile.h
// Four pixels by eight channels: how the integer kernels decode steps of weights (w4a8_pack.h) and multiply it, by
// each instruction that can (w4a8_dense.h).
#ifndef KDEQUANT_RUNTIME_KERNELS_W4A8_TILE_H_
#define KDEQUANT_RUNTIME_KERNELS_W4A8_TILE_H_

#include <cstddef>
#include <cstdint>
#include <iterator>

#include "kernels/relaxed.h"
#include "kernels/w4a8_steps.h"
#include "kernels/w4a8_vector.h"

namespace kdequant::w4a8 {

inline constexpr std::int32_t kShift = 64;  ///< Of weights, into 0..127.

// Four channels of output, four pixels; twice.
struct Tile {
  v128_t low[4];
  v128_t high[4];
};

// Four windows, side by side (AreSideBySide) or not.
template <bool SideBySide>
struct FourPixels {
  const std::int8_t* at[SideBySide ? 1 : 4];

  FourPixels(const std::int8_t* source, const std::int32_t* origins) {
    for (std::size_t p = 0; p < std::size(at); ++p) at[p] = source + origins[p];
  }

  // Four loads that spread 4 bytes to all lanes cost less than one load and four shuffles: the multiplications need the
  // ports that shuffles would take.
  v128_t Splat(int p, std::ptrdiff_t offset) const {
    return wasm_v128_load32_splat((SideBySide ? at[0] + 4 * p : at[p]) + offset);
  }
};

// A decoded panel: parts of a step, each 32 bytes of weights with the offset from a window's origin of the 4 bytes that
// it multiplies. The first `twins` go two by two (w4a8_twins.h).
struct DecodedPanel {
  const std::int8_t* weights;
  const std::int32_t* offsets;
  std::ptrdiff_t parts;
  std::ptrdiff_t twins = 0;
};

// Four pixels by 8 channels, part by part from `first` on. Inlined: sums come and go in registers.
template <typename A, bool SideBySide>
[[gnu::always_inline]] inline Tile MultiplyParts(FourPixels<SideBySide> pixels, DecodedPanel panel,
                                                 std::ptrdiff_t first, Tile sums) {
  const std::int8_t* weights = panel.weights + 32 * first;
  const std::int32_t* const last = panel.offsets + panel.parts;
  KDEQUANT_NO_UNROLL
  for (const std::int32_t* at = panel.offsets + first; at != last; ++at, weights += 32) {
    const v128_t low = wasm_v128_load(weights);
    const v128_t high = wasm_v128_load(weights + 16);
    for (int p = 0; p < 4; ++p) {
      const v128_t x = pixels.Splat(p, *at);
      sums.low[p] = A::Dot(x, low, sums.low[p]);
      sums.high[p] = A::Dot(x, high, sums.high[p]);
    }
  }
  return sums;
}

// How a step (4 depths of 8 channels) is decoded, in kParts parts of 32 bytes, and how they are multiplied.
struct PairArithmetic {
  static constexpr bool kShifted = false;
  static constexpr bool kRaised = false;
  static constexpr std::ptrdiff_t kParts = 2;

  // 16-bit pairs: depths 0 1 of rows 0..3 and of rows 4..7, then depths 2 3.
  static void Decode(StepBytes bytes, std::int8_t* step) {
    const DepthPairs first = PairsOfBytes(bytes.first);
    const DepthPairs second = PairsOfBytes(bytes.second);
    wasm_v128_store(step, first.even);
    wasm_v128_store(step + 16, second.even);
    wasm_v128_store(step + 32, first.odd);
    wasm_v128_store(step + 48, second.odd);
  }

  static v128_t Dot(v128_t x, v128_t weights, v128_t sum) {
    return wasm_i32x4_add(sum, wasm_i32x4_dot_i16x8(x, weights));
  }

  // 16 depths of one channel: the lanes are parts of its sum.
  static v128_t DotRow(v128_t x, v128_t weights, v128_t sum) {
    const v128_t low = wasm_i32x4_dot_i16x8(wasm_i16x8_extend_low_i8x16(x), wasm_i16x8_extend_low_i8x16(weights));
    const v128_t high = wasm_i32x4_dot_i16x8(wasm_i16x8_extend_high_i8x16(x), wasm_i16x8_extend_high_i8x16(weights));
    return wasm_i32x4_add(sum, wasm_i32x4_add(low, high));
  }

  // One pixel. Each of the four accumulators holds two channels, each in two halves.
  struct Vector {
    v128_t sums[4] = {wasm_i32x4_splat(0), wasm_i32x4_splat(0), wasm_i32x4_splat(0), wasm_i32x4_splat(0)};

    void Step(const std::int8_t* pixel, StepBytes bytes) {
      const v128_t x = wasm_i16x8_extend_low_i8x16(wasm_v128_load32_splat(pixel));
      sums[0] = wasm_i32x4_add(sums[0], wasm_i32x4_dot_i16x8(x, wasm_i16x8_extend_low_i8x16(bytes.first)));
      sums[1] = wasm_i32x4_add(sums[1], wasm_i32x4_dot_i16x8(x, wasm_i16x8_extend_high_i8x16(bytes.first)));
      sums[2] = wasm_i32x4_add(sums[2], wasm_i32x4_dot_i16x8(x, wasm_i16x8_extend_low_i8x16(bytes.second)));
      sums[3] = wasm_i32x4_add(sums[3], wasm_i32x4_dot_i16x8(x, wasm_i16x8_extend_high_i8x16(bytes.second)));
    }
    v128_t Low() const { return Join(sums[0], sums[1]); }
    v128_t High() const { return Join(sums[2], sums[3]); }
    static v128_t Join(v128_t a, v128_t b) {
      return wasm_i32x4_add(wasm_i32x4_shuffle(a, b, 0, 2, 4, 6), wasm_i32x4_shuffle(a, b, 1, 3, 5, 7));
    }
  };
};

#if KDEQUANT_HAS_RELAXED
// What the two relaxed ones share: weights stay bytes, and four of a pixel meet them at once.
struct RelaxedBytes {
  static constexpr std::ptrdiff_t kParts = 1;

  static void Decode(StepBytes bytes, std::int8_t* step) {
    wasm_v128_store(step, bytes.first);
    wasm_v128_store(step + 16, bytes.second);
  }
};

// One pixel.
template <typename A>
struct RelaxedVector {
  v128_t low = wasm_i32x4_splat(0);
  v128_t high = wasm_i32x4_splat(0);

  void Step(const std::int8_t* pixel, StepBytes bytes) {
    const v128_t x = wasm_v128_load32_splat(pixel);
    low = A::Dot(x, bytes.first, low);
    high = A::Dot(x, bytes.second, high);
  }
  v128_t Low() const { return low; }
  v128_t High() const { return high; }
};

struct AddArithmetic : RelaxedBytes {
  using Vector = RelaxedVector<AddArithmetic>;
  static constexpr bool kShifted = true;
  static constexpr bool kRaised = false;

  static v128_t Dot(v128_t x, v128_t weights, v128_t sum) { return relaxed::DotAdd(x, weights, sum); }
  static v128_t DotRow(v128_t x, v128_t weights, v128_t sum) { return Dot(x, weights, sum); }
};
#endif

// Codes, or (shifted) codes + 64.
template <typename A>
inline StepBytes Shifted(StepBytes step) {
  if constexpr (!A::kShifted) return step;
  const v128_t shift = wasm_i8x16_splat(kShift);
  return {wasm_i8x16_add(step.first, shift), wasm_i8x16_add(step.second, shift)};
}

template <typename A>
inline void DecodePanel(const PackedWeights& weights, std::size_t panel, std::int8_t* decoded) {
  StepReader reader(weights, panel);
  KDEQUANT_NO_UNROLL
  for (std::size_t i = 0; i < weights.steps; ++i, decoded += 32 * A::kParts)
    A::Decode(Shifted<A>(reader.Next()), decoded);
}

// Adds the four bytes of each of four pixels, or rows, to their sums.
inline v128_t AddUp(v128_t sums, v128_t bytes) {
  return wasm_i32x4_add(sums, wasm_i32x4_extadd_pairwise_i16x8(wasm_i16x8_extadd_pairwise_i8x16(bytes)));
}

// The four bytes of each of four pixels.
template <bool Adjacent>
inline v128_t LoadPixels(const std::int8_t* const* pixels, std::ptrdiff_t offset) {
  if constexpr (Adjacent) return wasm_v128_load(pixels[0] + offset);
  v128_t bytes = wasm_v128_load32_zero(pixels[0] + offset);
  bytes = wasm_v128_load32_lane(pixels[1] + offset, bytes, 1);
  bytes = wasm_v128_load32_lane(pixels[2] + offset, bytes, 2);
  return wasm_v128_load32_lane(pixels[3] + offset, bytes, 3);
}

}  // namespace kdequant::w4a8

#endif  // KDEQUANT_RUNTIME_KERNELS_W4A8_TILE_H_
