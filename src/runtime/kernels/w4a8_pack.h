// kernels/w4a8_pack.h
// Weights as the integer kernels read them.
//
// A matrix [rows, depth] is cut into panels of 8 rows (output channels), and a panel into steps of 4 depths (input
// channels at one tap). A step is two vectors, one for rows 0..3 and one for rows 4..7, each holding 4 rows x 4 depths
// as bytes; of 8-bit weights these 32 bytes.
//
// Of 4-bit weights, whose rows have tables of their own, four steps go together: 64 bytes, of which 16 hold two rows of
// 16 depths, row r in low and row r + 4 in high nibbles. A swizzle looks up 16 weights of one row, and eight shuffles
// make steps of four rows (w4a8_steps.h).
#ifndef KDEQUANT_RUNTIME_KERNELS_W4A8_PACK_H_
#define KDEQUANT_RUNTIME_KERNELS_W4A8_PACK_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kdequant/base/buffer.h"
#include "kdequant/base/result.h"
#include "kdequant/model/tensor.h"

namespace kdequant::w4a8 {

inline constexpr std::size_t kPanelRows = 8;
inline constexpr std::size_t kStepDepth = 4;
inline constexpr std::size_t kGroupSteps = 4;  ///< Of 4-bit weights.

inline constexpr std::size_t RoundUp(std::size_t value, std::size_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/// A quantized weight tensor in integers, output channel first: weight = value * unit[row].
struct IntegerWeights {
  std::size_t rows = 0;
  std::size_t depth = 0;  ///< Elements of a row, row-major as in the tensor.
  std::vector<std::int8_t> values;
  std::vector<double> units;  ///< [rows], >= 0
  /// All values of a row are entries of its table: tables of at most 16 levels, padded with zeros. Or none.
  std::vector<std::array<std::int8_t, 16>> tables;
  std::vector<std::uint8_t> table_of;  ///< [rows], where there are tables
};

/// From a CodebookTensor or an Int8Tensor. Other tensors give no weights (rows == 0).
IntegerWeights ReadIntegers(const Tensor& tensor);

/// The constants behind a row's accumulator.
struct RowConstants {
  std::vector<std::int32_t> bias;    ///< Where accumulators start: float bias and zero point folded in.
  std::vector<float> multipliers;    ///< Accumulator to output grid (or to float).
  std::vector<std::uint8_t> silent;  ///< 1: the row's weights count as zeros.
  double largest = 0;                ///< Of the products of a sum and its multiplier, whatever the input.
};

/// bias = nearest(float_bias / (input_scale * unit)) - zero_point * sum(values) and multiplier = input_scale * unit /
/// output_scale, computed in double. `top` is the largest input byte.
///
/// A row whose weights are so small beside its bias that the sum would leave 32 bits (real models have dead channels
/// with weights of 1e-9) is made silent: its bias alone, in a unit of its own, is right to 2^-24.
RowConstants MakeRowConstants(const IntegerWeights& weights, std::span<const float> float_bias, double input_scale,
                              std::int32_t zero_point, std::int32_t top, double output_scale);

/// The largest depth for which no accumulator can leave 32 bits, whatever the bytes: 255 * 128 * depth stays below
/// 2^30, which leaves the other half to the bias.
inline constexpr std::size_t kLargestDepth = 32'768;

/// One group's matrix (or all of it) in panels.
struct PackedWeights {
  std::size_t rows = 0;
  std::size_t steps = 0;
  bool nibbles = false;  ///< 4-bit indices, else bytes.
  std::vector<std::array<std::int8_t, 16>> tables;
  std::vector<std::uint8_t> table_of;  ///< [panels * 8], of nibbles
  Buffer<std::uint8_t> data;
  std::vector<std::uint8_t> silent;  ///< [panels * 8], or empty where no row is silent.

  std::size_t Panels() const { return (rows + kPanelRows - 1) / kPanelRows; }
  std::size_t PanelBytes() const { return nibbles ? RoundUp(steps, kGroupSteps) * 16 : steps * 32; }
  const std::uint8_t* Panel(std::size_t panel) const { return data.data() + panel * PanelBytes(); }

  /// One weight, straight from the definition above.
  std::int32_t At(std::size_t row, std::size_t step, std::size_t lane) const;
};

/// Where a packed depth comes from: step and lane to the index within a row of the tensor, or kNoDepth for padding.
inline constexpr std::size_t kNoDepth = ~std::size_t{0};

/// Packs rows [first, first + count). `order[4 * step + lane]` is the index within a row, or kNoDepth. Nibbles are used
/// where the weights have tables and no depth is padding (a table need not hold a zero). Errors: kOutOfMemory.
Result<PackedWeights> Pack(const IntegerWeights& weights, std::size_t first, std::size_t count,
                           std::span<const std::size_t> order, std::span<const std::uint8_t> silent);

}  // namespace kdequant::w4a8

#endif  // KDEQUANT_RUNTIME_KERNELS_W4A8_PACK_H_
