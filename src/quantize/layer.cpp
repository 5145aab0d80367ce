#include "layer.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "assign.h"
#include "kdequant/base/half.h"
#include "kdequant/codebook/integer_levels.h"
#include "kdequant/quantize/channel_scales.h"

namespace kdequant {
namespace {

// Rounds of assignment and least-squares scale; the SQNR gained after the fourth is below 0.01 dB.
constexpr int kScaleRounds = 4;

// A weight tensor as the matrix [channels, columns].
struct WeightMatrix {
  std::span<const float> values;
  std::size_t channels;
  std::size_t columns;

  explicit WeightMatrix(const FloatTensor& tensor)
      : values(tensor.values),
        channels(static_cast<std::size_t>(tensor.shape[0])),
        columns(tensor.values.size() / static_cast<std::size_t>(tensor.shape[0])) {}

  std::span<const float> row(std::size_t channel) const { return values.subspan(channel * columns, columns); }
};

// Packs one index a weight as CodebookTensor keeps them.
void StoreIndices(std::span<const std::uint8_t> indices, CodebookTensor& tensor) {
  tensor.indices.assign(tensor.bits > 4 ? indices.size() : (indices.size() + 1) / 2, 0);
  for (std::size_t i = 0; i < indices.size(); ++i) tensor.SetIndexAt(i, indices[i]);
}

CodebookTensor EmptyTensor(const FloatTensor& weights, int levels) {
  return {.shape = weights.shape,
          .bits = std::max(2, static_cast<int>(std::bit_width(static_cast<unsigned>(levels - 1)))),
          .indices = {},
          .codes = {},
          .steps = {},
          .scales = {}};
}

// Appends a table, padded with its last code to the 2^bits entries that a table has.
void AppendTable(const IntegerLevels& levels, CodebookTensor& tensor) {
  const std::size_t begin = tensor.codes.size();
  tensor.codes.insert(tensor.codes.end(), levels.codes.begin(), levels.codes.end());
  tensor.codes.resize(begin + tensor.TableSize(), levels.codes.back());
  tensor.steps.push_back(levels.step);
}

Result<QuantizedWeights> QuantizeByTensor(const FloatTensor& weights, const DesignOptions& design_options) {
  auto design = DesignCodebook(weights.values, design_options);
  if (!design) return Forward(design);
  CodebookTensor tensor = EmptyTensor(weights, design_options.levels);
  AppendTable(RoundToIntegerLevels(design->codebook), tensor);
  const LevelTable table(tensor.codes, tensor.steps[0]);
  std::vector<std::uint8_t> indices(weights.values.size());
  table.Assign(weights.values, 1, indices);
  StoreIndices(indices, tensor);
  return QuantizedWeights{.tensor = std::move(tensor),
                          .scanned = design->weights_scanned,
                          .sampled = design->weights_sampled,
                          .bandwidth = design->bandwidth,
                          .levels = {table.levels().begin(), table.levels().end()}};
}

Result<QuantizedWeights> QuantizeByChannel(const FloatTensor& weights, const DesignOptions& design_options) {
  const WeightMatrix matrix(weights);
  CodebookTensor tensor = EmptyTensor(weights, design_options.levels);
  QuantizedWeights result;
  std::vector<std::uint8_t> indices(weights.values.size());
  for (std::size_t o = 0; o < matrix.channels; ++o) {
    auto design = DesignCodebook(matrix.row(o), design_options);
    if (!design) return Forward(design);
    AppendTable(RoundToIntegerLevels(design->codebook), tensor);
    const LevelTable table(std::span(tensor.codes).last(tensor.TableSize()), tensor.steps.back());
    table.Assign(matrix.row(o), 1, std::span(indices).subspan(o * matrix.columns, matrix.columns));
    result.scanned += design->weights_scanned;
    result.sampled += design->weights_sampled;
    if (o == 0) {
      result.bandwidth = design->bandwidth;
      result.levels.assign(table.levels().begin(), table.levels().end());
    }
  }
  StoreIndices(indices, tensor);
  result.tensor = std::move(tensor);
  return result;
}

// Rounds the scales to binary16 after moving their common power of two into `step`, so that the largest is in [0.5, 1):
// a channel may then be 2^-24 times as strong as the strongest before it becomes zero.
void RoundScales(std::vector<float>& scales, float& step) {
  const float largest = *std::ranges::max_element(scales);
  if (largest <= 0) return;
  int exponent = 0;
  std::frexp(largest, &exponent);
  for (auto& scale : scales) scale = RoundToHalf(std::ldexp(scale, -exponent));
  step = std::ldexp(step, exponent);
}

Result<QuantizedWeights> QuantizeByChannelScale(const FloatTensor& weights, const DesignOptions& design_options) {
  const WeightMatrix matrix(weights);
  auto [normalized, scales] = NormalizeChannels(weights);
  auto design = DesignCodebook(normalized, design_options);
  if (!design) return Forward(design);

  CodebookTensor tensor = EmptyTensor(weights, design_options.levels);
  AppendTable(RoundToIntegerLevels(design->codebook), tensor);
  std::vector<std::uint8_t> indices(weights.values.size());
  const auto row_indices = [&](std::size_t o) {
    return std::span(indices).subspan(o * matrix.columns, matrix.columns);
  };
  const LevelTable table(tensor.codes, tensor.steps[0]);
  for (int round = 0; round < kScaleRounds; ++round) {
    for (std::size_t o = 0; o < matrix.channels; ++o) {
      if (scales[o] <= 0) continue;
      table.Assign(matrix.row(o), scales[o], row_indices(o));
      scales[o] = table.LeastSquaresScale(matrix.row(o), row_indices(o), scales[o]);
    }
  }
  QuantizedWeights result{.tensor = {},
                          .scanned = design->weights_scanned,
                          .sampled = design->weights_sampled,
                          .bandwidth = design->bandwidth,
                          .levels = {table.levels().begin(), table.levels().end()}};
  RoundScales(scales, tensor.steps[0]);
  const LevelTable final_table(tensor.codes, tensor.steps[0]);
  for (std::size_t o = 0; o < matrix.channels; ++o) final_table.Assign(matrix.row(o), scales[o], row_indices(o));
  StoreIndices(indices, tensor);
  tensor.scales = std::move(scales);
  result.tensor = std::move(tensor);
  return result;
}

}  // namespace

Result<QuantizedWeights> QuantizeToCodebook(const FloatTensor& weights, const QuantizeOptions& options,
                                            std::uint64_t seed) {
  DesignOptions design = options.design;
  design.sampling.seed = seed;
  switch (options.granularity) {
    case Granularity::kTensor: return QuantizeByTensor(weights, design);
    case Granularity::kChannelScale: return QuantizeByChannelScale(weights, design);
    case Granularity::kChannel: return QuantizeByChannel(weights, design);
  }
  return Fail(ErrorCode::kInternal, "unknown granularity");
}

Int8Tensor QuantizeToInt8(const FloatTensor& weights) {
  const WeightMatrix matrix(weights);
  Int8Tensor result{.shape = weights.shape, .values = std::vector<std::int8_t>(weights.values.size()), .scales = {}};
  for (std::size_t o = 0; o < matrix.channels; ++o) {
    float largest = 0;
    for (const float w : matrix.row(o)) largest = std::max(largest, std::fabs(w));
    // Below 2^-120 the reciprocal overflows; such a channel is zero for every purpose.
    const float scale = largest > 0x1.0p-120F ? largest / 127 : 1;
    result.scales.push_back(scale);
    for (std::size_t k = 0; k < matrix.columns; ++k) {
      const float rounded = std::nearbyint(matrix.row(o)[k] / scale);
      result.values[o * matrix.columns + k] = static_cast<std::int8_t>(std::clamp(rounded, -127.0F, 127.0F));
    }
  }
  return result;
}

}  // namespace kdequant
