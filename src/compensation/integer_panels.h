// Matrices of 12-bit integers, packed for the dot product of 16-bit integers, and their products.
//
// A matrix here is `lines` x `depth`, and a product multiplies lines of one with lines of another. Each line is rounded
// to -2047..2047 times a power of two, from its own largest value; eight lines lie together as a panel, pairs of depths
// side by side: [panels][pairs][8 lines][2]. Sums of up to 512 products fit 32 bits, so they are exact, the same on
// every build in whatever order, and eight products take an instruction.
#ifndef KDEQUANT_COMPENSATION_INTEGER_PANELS_H_
#define KDEQUANT_COMPENSATION_INTEGER_PANELS_H_

#include <cstddef>
#include <cstdint>
#include <span>

namespace kdequant {

inline constexpr std::size_t kPanel = 8;
/// The most depths of one product: 2047^2 * 512 = 2,145,386,496 < 2^31.
inline constexpr std::size_t kMostDepth = 512;
/// Of the tile that MultiplyPanels computes: 4 x 8 sums in eight registers leave room for the loads among the fifteen
/// that V8 gives.
inline constexpr std::size_t kMicroRows = 4;
inline constexpr std::size_t kMicroSums = kMicroRows * kPanel;

inline constexpr std::size_t Pairs(std::size_t depth) { return (depth + 1) / 2; }
/// 16-bit integers in a panel.
inline constexpr std::size_t PanelSize(std::size_t depth) { return 2 * kPanel * Pairs(depth); }
/// The first of four lines (`line` a multiple of 4) within panels of that depth.
inline constexpr std::size_t LineAt(std::size_t line, std::size_t depth) {
  return line / kPanel * PanelSize(depth) + line % kPanel * 2;
}

/// Packs values[depth][stride], whose lines are columns. units.size() is the number of lines with the padding, a
/// multiple of kPanel; lines from `lines` on are zeros. A line of zeros (or denormals) has unit 0.
void PackColumns(const float* values, std::size_t stride, std::size_t lines, std::size_t depth, std::int16_t* packed,
                 std::span<float> units);

/// The same for values[lines][stride], whose lines are rows.
void PackRows(const float* values, std::size_t stride, std::size_t lines, std::size_t depth, std::int16_t* packed,
              std::span<float> units);

/// sums[r][c] of four lines at `a` (see LineAt) with the eight of a panel `b`.
void MultiplyPanels(const std::int16_t* a, const std::int16_t* b, std::size_t pairs, std::int32_t* sums);

/// target[r][c] += sums[r][c] * row_units[r] * column_units[c], for the four by eight sums of MultiplyPanels. Units are
/// powers of two: what rounds is the conversion of the sum to a float, and the addition.
void AddScaled(const std::int32_t* sums, const float* row_units, const float* column_units, float* target,
               std::size_t stride);

}  // namespace kdequant

#endif  // KDEQUANT_COMPENSATION_INTEGER_PANELS_H_
