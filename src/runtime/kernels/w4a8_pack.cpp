#include "kernels/w4a8_pack.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>

#include "kernels/simd.h"

namespace kdequant::w4a8 {
namespace {

// Numbers of tables are bytes. A table per channel of a wide layer is more: its weights go as bytes.
constexpr std::size_t kMostTables = 256;

KDEQUANT_SMALL IntegerWeights FromCodebook(const CodebookTensor& tensor) {
  IntegerWeights weights;
  weights.rows = static_cast<std::size_t>(tensor.shape[0]);
  const std::size_t table_size = tensor.TableSize();
  for (std::size_t row = 0; row < weights.rows; ++row) {
    const double step = tensor.steps[tensor.TableOf(row)];
    weights.units.push_back(step * (tensor.scales.empty() ? 1.0 : static_cast<double>(tensor.scales[row])));
  }
  std::size_t count = 1;
  for (const std::int64_t dimension : tensor.shape) count *= static_cast<std::size_t>(dimension);
  weights.depth = count / weights.rows;
  weights.values.resize(count);
  if (tensor.bits <= 4 && tensor.TableCount() <= kMostTables) {
    weights.tables.resize(tensor.TableCount());
    for (std::size_t i = 0; i < tensor.codes.size(); ++i)
      weights.tables[i / table_size][i % table_size] = tensor.codes[i];
    for (std::size_t row = 0; row < weights.rows; ++row)
      weights.table_of.push_back(static_cast<std::uint8_t>(tensor.TableOf(row)));
  }
  std::int8_t* value = weights.values.data();
  for (std::size_t row = 0, i = 0; row < weights.rows; ++row) {
    const std::int8_t* const table = tensor.codes.data() + tensor.TableOf(row) * table_size;
    const std::size_t end = i + weights.depth;
    // Most are two a byte.
    while (i < end) {
      if (tensor.bits <= 4 && i % 2 == 0 && i + 1 < end) {
        const unsigned pair = tensor.indices[i / 2];
        value[i] = table[pair & 0x0fU];
        value[i + 1] = table[pair >> 4];
        i += 2;
      } else {
        value[i] = table[tensor.IndexAt(i)];
        ++i;
      }
    }
  }
  return weights;
}

KDEQUANT_SMALL IntegerWeights FromInt8(const Int8Tensor& tensor) {
  IntegerWeights weights;
  weights.rows = static_cast<std::size_t>(tensor.shape[0]);
  weights.depth = tensor.values.size() / weights.rows;
  weights.values = tensor.values;
  weights.units.assign(tensor.scales.begin(), tensor.scales.end());
  return weights;
}

}  // namespace

KDEQUANT_SMALL IntegerWeights ReadIntegers(const Tensor& tensor) {
  if (const auto* codebook = std::get_if<CodebookTensor>(&tensor)) return FromCodebook(*codebook);
  if (const auto* int8 = std::get_if<Int8Tensor>(&tensor)) return FromInt8(*int8);
  return {};
}

KDEQUANT_SMALL RowConstants MakeRowConstants(const IntegerWeights& weights, std::span<const float> float_bias,
                                             double input_scale, std::int32_t zero_point, std::int32_t top,
                                             double output_scale) {
  constexpr double kLimit = std::numeric_limits<std::int32_t>::max();
  constexpr double kSilentBias = 1 << 24;
  constexpr double kLargestMultiplier = 1e30;  // An infinity times an accumulator of 0 would be a NaN.
  RowConstants constants;
  constants.silent.assign(weights.rows, 0);
  for (std::size_t row = 0; row < weights.rows; ++row) {
    std::int32_t sum = 0;  // 128 * kLargestDepth is far from its end.
    std::int32_t magnitude = 0;
    const std::int8_t* const values = weights.values.data() + row * weights.depth;
    for (std::size_t k = 0; k < weights.depth; ++k) {
      sum += values[k];
      magnitude += std::abs(static_cast<int>(values[k]));
    }
    const double bias = float_bias.empty() ? 0.0 : static_cast<double>(float_bias[row]);
    double unit = input_scale * weights.units[row];
    // Every partial sum lies within the start and `reach`: nothing overflows on the way either.
    double reach = static_cast<double>(magnitude) * top;
    const double start = std::nearbyint(bias / unit) - static_cast<double>(std::int64_t{zero_point} * sum);
    if (std::abs(start) + reach <= kLimit) {  // false for a NaN (0 / 0)
      constants.bias.push_back(static_cast<std::int32_t>(start));
    } else {
      constants.silent[row] = 1;
      unit = std::abs(bias) / kSilentBias;
      reach = 0;
      constants.bias.push_back(bias == 0 ? 0 : static_cast<std::int32_t>(std::copysign(kSilentBias, bias)));
    }
    const double multiplier = std::min(unit / output_scale, kLargestMultiplier);
    constants.multipliers.push_back(static_cast<float>(multiplier));
    constants.largest = std::max(constants.largest, (std::abs(constants.bias.back()) + reach) * multiplier);
  }
  return constants;
}

std::int32_t PackedWeights::At(std::size_t row, std::size_t step, std::size_t lane) const {
  if (!silent.empty() && silent[row] != 0) return 0;
  const std::uint8_t* const panel = Panel(row / kPanelRows);
  const std::size_t row_in_panel = row % kPanelRows;
  if (!nibbles) return static_cast<std::int8_t>(panel[step * 32 + row_in_panel * 4 + lane]);
  const unsigned pair = panel[step / kGroupSteps * 64 + row_in_panel % 4 * 16 + step % kGroupSteps * 4 + lane];
  return tables[table_of[row]][row_in_panel < 4 ? pair & 0x0fU : pair >> 4];
}

KDEQUANT_SMALL Result<PackedWeights> Pack(const IntegerWeights& weights, std::size_t first, std::size_t count,
                                          std::span<const std::size_t> order, std::span<const std::uint8_t> silent) {
  PackedWeights packed;
  packed.rows = count;
  packed.steps = order.size() / kStepDepth;
  packed.nibbles = !weights.tables.empty() && std::ranges::find(order, kNoDepth) == order.end();
  const std::size_t bytes = packed.Panels() * packed.PanelBytes();
  packed.data = Buffer<std::uint8_t>(bytes);
  if (packed.data.size() != bytes) {
    return Fail(ErrorCode::kOutOfMemory, "no memory for " + std::to_string(bytes) + " bytes of packed weights");
  }
  std::fill_n(packed.data.data(), bytes, std::uint8_t{0});
  if (packed.nibbles) {
    packed.tables = weights.tables;
    const auto of_rows = std::span(weights.table_of).subspan(first, count);
    packed.table_of.assign(of_rows.begin(), of_rows.end());
    packed.table_of.resize(packed.Panels() * kPanelRows, 0);
  }
  std::array<std::uint8_t, 256> index_of{};
  for (std::size_t row = 0; row < count; ++row) {
    const std::size_t row_in_panel = row % kPanelRows;
    const std::int8_t* const values = weights.values.data() + (first + row) * weights.depth;
    std::uint8_t* step = packed.data.data() + row / kPanelRows * packed.PanelBytes();
    const std::size_t* from = order.data();
    if (packed.nibbles) {
      const auto& table = weights.tables[weights.table_of[first + row]];
      for (std::size_t i = table.size(); i-- > 0;)
        index_of[static_cast<std::uint8_t>(table[i])] = static_cast<std::uint8_t>(i);
      const unsigned shift = row_in_panel < 4 ? 0 : 4;
      step += row_in_panel % 4 * 16;
      // To the next step of a group, and from its last step to the next group.
      for (std::size_t i = 0; i < packed.steps; step += ++i % kGroupSteps == 0 ? 52 : 4, from += 4) {
        for (std::size_t lane = 0; lane < 4; ++lane) {
          const unsigned index = index_of[static_cast<std::uint8_t>(values[from[lane]])];
          step[lane] = static_cast<std::uint8_t>(step[lane] | (index << shift));
        }
      }
    } else {
      step += row_in_panel * 4;
      for (std::size_t i = 0; i < packed.steps; ++i, step += 32, from += 4) {
        for (std::size_t lane = 0; lane < 4; ++lane)
          if (from[lane] != kNoDepth) step[lane] = static_cast<std::uint8_t>(values[from[lane]]);
      }
    }
  }
  const auto rows = silent.subspan(silent.empty() ? 0 : first, silent.empty() ? 0 : count);
  if (std::ranges::find(rows, 1) != rows.end()) {
    packed.silent.assign(rows.begin(), rows.end());
    packed.silent.resize(packed.Panels() * kPanelRows, 0);
  }
  return packed;
}

}  // namespace kdequant::w4a8
