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

// A tensor without tables, every index 0.
CodebookTensor EmptyTensor(const FloatTensor& weights, int levels) {
  const int bits = std::max(2, static_cast<int>(std::bit_width(static_cast<unsigned>(levels - 1))));
  const std::size_t count = weights.values.size();
  return {.shape = weights.shape,
          .bits = bits,
          .indices = std::vector<std::uint8_t>(bits > 4 ? count : (count + 1) / 2),
          .codes = {},
          .steps = {},
          .scales = {}};
}

// Packs the indices of one channel as CodebookTensor keeps them.
void StoreRow(std::span<const std::uint8_t> indices, std::size_t channel, CodebookTensor& tensor) {
  const std::size_t first = channel * indices.size();
  for (std::size_t k = 0; k < indices.size(); ++k) tensor.SetIndexAt(first + k, indices[k]);
}

// Appends a table, padded with its last code to the 2^bits entries that a table has.
void AppendTable(const IntegerLevels& levels, CodebookTensor& tensor) {
  const std::size_t begin = tensor.codes.size();
  tensor.codes.insert(tensor.codes.end(), levels.codes.begin(), levels.codes.end());
  tensor.codes.resize(begin + tensor.TableSize(), levels.codes.back());
  tensor.steps.push_back(levels.step);
}

Result<QuantizedWeights> QuantizeByTensor(const FloatTensor& weights, const DesignOptions& design_options) {
  const WeightMatrix matrix(weights);
  auto design = DesignCodebook(weights.values, design_options);
  if (!design) return Forward(design);
  CodebookTensor tensor = EmptyTensor(weights, design_options.levels);
  AppendTable(RoundToIntegerLevels(design->codebook), tensor);
  const LevelTable table(tensor.codes, tensor.steps[0]);
  std::vector<std::uint8_t> indices(matrix.columns);
  for (std::size_t o = 0; o < matrix.channels; ++o) {
    table.Assign(matrix.row(o), 1, indices);
    StoreRow(indices, o, tensor);
  }
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
  std::vector<std::uint8_t> indices(matrix.columns);
  for (std::size_t o = 0; o < matrix.channels; ++o) {
    auto design = DesignCodebook(matrix.row(o), design_options);
    if (!design) return Forward(design);
    AppendTable(RoundToIntegerLevels(design->codebook), tensor);
    const LevelTable table(std::span(tensor.codes).last(tensor.TableSize()), tensor.steps.back());
    table.Assign(matrix.row(o), 1, indices);
    StoreRow(indices, o, tensor);
    result.scanned += design->weights_scanned;
    result.sampled += design->weights_sampled;
    if (o == 0) {
      result.bandwidth = design->bandwidth;
      result.levels.assign(table.levels().begin(), table.levels().end());
    }
  }
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
  std::vector<float> scales = ChannelScales(weights);
  auto design = DesignCodebook(ScaledWeights(weights.values, scales), design_options);
  if (!design) return Forward(design);

  CodebookTensor tensor = EmptyTensor(weights, design_options.levels);
  AppendTable(RoundToIntegerLevels(design->codebook), tensor);
  std::vector<std::uint8_t> indices(matrix.columns);
  const LevelTable table(tensor.codes, tensor.steps[0]);
  for (std::size_t o = 0; o < matrix.channels; ++o) {
    if (scales[o] <= 0) continue;
    for (int round = 0; round < kScaleRounds; ++round) {
      table.Assign(matrix.row(o), scales[o], indices);
      scales[o] = table.LeastSquaresScale(matrix.row(o), indices, scales[o]);
    }
  }
  QuantizedWeights result{.tensor = {},
                          .scanned = design->weights_scanned,
                          .sampled = design->weights_sampled,
                          .bandwidth = design->bandwidth,
                          .levels = {table.levels().begin(), table.levels().end()}};
  RoundScales(scales, tensor.steps[0]);
  const LevelTable final_table(tensor.codes, tensor.steps[0]);
  for (std::size_t o = 0; o < matrix.channels; ++o) {
    final_table.Assign(matrix.row(o), scales[o], indices);
    StoreRow(indices, o, tensor);
  }
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
