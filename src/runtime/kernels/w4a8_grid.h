// kernels/w4a8_grid.h
// The grid of 128 or 256 steps that an activation lives on between two layers, and how a number gets onto it.
//
// Everything here is a handful of single IEEE operations in a stated order, because every kernel set must give the same
// bytes: the vector kernels do the very same operations on four lanes.
#ifndef KDEQUANT_RUNTIME_KERNELS_W4A8_GRID_H_
#define KDEQUANT_RUNTIME_KERNELS_W4A8_GRID_H_

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>

#include "kdequant/model/graph.h"

namespace kdequant::w4a8 {

/// The signed byte q stands for scale * (q - zero_point), q in [bottom, 127]. Zero is always on the grid: padding must
/// be exact.
///
/// A grid of 8 bits has bottom -128. One of 7 bits has bottom 0, so that its bytes may be the operand of the relaxed
/// dot product that must not be negative (kernels/relaxed.h): depthwise convolutions want that, dense ones do not.
struct Grid {
  static constexpr std::int32_t kTop = 127;
  float scale = 1;
  std::int32_t zero_point = 0;
  std::int32_t bottom = 0;
  friend bool operator==(const Grid&, const Grid&) = default;
};

/// Widens the range to include 0; then scale = (high - low) / (2^bits - 1) and zero_point = bottom + nearest(-low /
/// scale), both in float32. 8 bits, or 7 for any other number of them. A range without width, or with an infinity or a
/// NaN in it, gets scale 1.
Grid MakeGrid(const ActivationRange& range);

/// Half to even, as f32x4.nearest and the vector kernels' conversion do (the default rounding mode is never changed).
inline float Nearest(float x) { return std::nearbyint(x); }

/// What a result may become, as a distance from the grid's zero point: clamping before rounding gives the same as after
/// it, because both bounds are whole numbers, and keeps the value in the range that a fast conversion to integers
/// handles.
struct Bounds {
  float low = 0;
  float high = 127;
  friend bool operator==(const Bounds&, const Bounds&) = default;
};

/// The whole grid.
inline Bounds BoundsOf(const Grid& grid) {
  return {static_cast<float>(grid.bottom - grid.zero_point), static_cast<float>(Grid::kTop - grid.zero_point)};
}

/// Relu and Clip cost nothing behind an integer layer: they only narrow its bounds.
bool IsClamp(const Activation& activation);
Bounds BoundsOf(const Grid& grid, const Activation& clamp);

/// The byte of a number already divided by the grid's scale. NaN does not occur: inputs are checked, multipliers
/// finite.
inline std::int8_t ToByte(float scaled, Bounds bounds, std::int32_t zero_point) {
  const float clamped = std::min(std::max(scaled, bounds.low), bounds.high);
  return static_cast<std::int8_t>(static_cast<std::int32_t>(Nearest(clamped)) + zero_point);
}

/// An accumulator's byte: nearest(float(accumulator) * multiplier) within the bounds, from the zero point.
inline std::int8_t Requantize(std::int32_t accumulator, float multiplier, Bounds bounds, std::int32_t zero_point) {
  return ToByte(static_cast<float>(accumulator) * multiplier, bounds, zero_point);
}

/// float32 to byte: x * (1 / scale), not x / scale (a vector division costs ten times a multiplication).
inline std::int8_t Quantize(const Grid& grid, float x) {
  return ToByte(x * (1.0F / grid.scale), BoundsOf(grid), grid.zero_point);
}
inline float Dequantize(const Grid& grid, std::int8_t q) {
  return static_cast<float>(static_cast<std::int32_t>(q) - grid.zero_point) * grid.scale;
}

/// A function of one byte q, at index q + 128.
using ByteTable = std::array<std::int8_t, 256>;

/// Takes bytes of `from` through `activation` (or nothing) to bytes of `to`.
ByteTable MakeTable(const Grid& from, const std::optional<Activation>& activation, const Grid& to);

}  // namespace kdequant::w4a8

#endif  // KDEQUANT_RUNTIME_KERNELS_W4A8_GRID_H_
