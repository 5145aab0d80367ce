#include "kernels/w4a8_grid.h"

namespace kdequant::w4a8 {
namespace {

// Beyond these a scale or its reciprocal leaves the normal floats.
constexpr float kSmallestScale = 1e-30F;
constexpr float kLargestValue = 1e30F;

}  // namespace

Grid MakeGrid(const ActivationRange& range) {
  Grid grid;
  grid.bottom = range.bits == 8 ? -128 : 0;
  grid.zero_point = grid.bottom;
  if (!std::isfinite(range.low) || !std::isfinite(range.high)) return grid;
  const float low = std::clamp(range.low, -kLargestValue, 0.0F);
  const float high = std::clamp(range.high, 0.0F, kLargestValue);
  const float scale = (high - low) / static_cast<float>(Grid::kTop - grid.bottom);
  if (!(scale > kSmallestScale)) return grid;
  grid.scale = scale;
  grid.zero_point = std::clamp(grid.bottom + static_cast<std::int32_t>(Nearest(-low / scale)), grid.bottom, Grid::kTop);
  return grid;
}

bool IsClamp(const Activation& activation) {
  return activation.kind == Activation::Kind::kRelu || activation.kind == Activation::Kind::kClip;
}

Bounds BoundsOf(const Grid& grid, const Activation& clamp) {
  const Bounds whole = BoundsOf(grid);
  if (clamp.kind == Activation::Kind::kRelu) return {0, whole.high};
  const float inverse = 1.0F / grid.scale;
  const auto level = [&](float x) { return Nearest(std::min(std::max(x * inverse, whole.low), whole.high)); };
  const float low = level(clamp.a);
  return {low, std::max(low, level(clamp.b))};
}

ByteTable MakeTable(const Grid& from, const std::optional<Activation>& activation, const Grid& to) {
  ByteTable table;
  for (std::size_t q = 0; q < table.size(); ++q) {
    const float x =
        Dequantize(from, static_cast<std::int8_t>(std::max(static_cast<std::int32_t>(q) - 128, from.bottom)));
    table[q] = Quantize(to, activation ? Apply(*activation, x) : x);
  }
  return table;
}

}  // namespace kdequant::w4a8
