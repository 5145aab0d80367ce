#include "layer.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "assign.h"
#include "kdequant/base/half.h"
#include "kdequant/codebook/channel_groups.h"
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

// How many codebooks the layer gets: as many as are allowed, but their bytes (binary16) are at most a 16th of those of
// its indices, and four channels on average use one.
std::size_t CodebookCount(const WeightMatrix& matrix, const QuantizeOptions& options) {
  const auto levels = static_cast<std::size_t>(options.design.levels);
  if (levels > 16) return 1;
  const std::size_t table_bytes = 2 * std::bit_ceil(levels);
  const std::size_t affordable = std::min(matrix.values.size() / 2 / 16 / table_bytes, matrix.channels / 4);
  return std::clamp<std::size_t>(affordable, 1, static_cast<std::size_t>(options.codebooks));
}

// The codebooks of a layer, designed on the channels that share one, and which channel uses which.
struct SharedCodebooks {
  std::vector<IntegerLevels> tables;   // the one that most channels use first
  std::vector<std::uint8_t> table_of;  // empty for a single one
  std::size_t scanned = 0, sampled = 0;
  double bandwidth = 0;  // of the first
};

Result<SharedCodebooks> DesignSharedCodebooks(const WeightMatrix& matrix, std::span<const float> scales,
                                              std::size_t count, const DesignOptions& options) {
  std::vector<std::uint8_t> group_of(matrix.channels, 0);
  if (count > 1) {
    auto groups = ChannelGroups::Create(ScaledWeights(matrix.values, scales), matrix.channels);
    if (!groups) return Forward(groups);
    group_of = groups->Form(static_cast<int>(count), options.levels);
  }
  SharedCodebooks result;
  for (std::size_t group = 0; group < count; ++group) {
    std::vector<std::uint32_t> rows;
    for (std::size_t o = 0; o < matrix.channels; ++o) {
      if (group_of[o] == group) rows.push_back(static_cast<std::uint32_t>(o));
    }
    if (rows.empty()) break;
    auto design = DesignCodebook(ScaledWeights(matrix.values, scales, rows), options);
    if (!design) return Forward(design);
    result.tables.push_back(RoundToIntegerLevels(design->codebook));
    result.scanned += design->weights_scanned;
    result.sampled += design->weights_sampled;
    if (group == 0) result.bandwidth = design->bandwidth;
  }
  if (result.tables.size() > 1) result.table_of = std::move(group_of);
  return result;
}

// Makes every step the same power of two, and the scales, in binary16, make up for it: the levels are then exact in
// binary16, too. The power is such that the largest scale is in [0.5, 1): a channel may then be 2^-24 times as strong
// as the strongest before it becomes zero.
void RoundScales(CodebookTensor& tensor) {
  float largest = 0;
  for (std::size_t o = 0; o < tensor.scales.size(); ++o) {
    tensor.scales[o] *= tensor.steps[tensor.TableOf(o)];
    largest = std::max(largest, tensor.scales[o]);
  }
  int exponent = 0;
  if (largest > 0) std::frexp(largest, &exponent);
  for (float& scale : tensor.scales) scale = RoundToHalf(std::ldexp(scale, -exponent));
  std::ranges::fill(tensor.steps, std::ldexp(1.0F, exponent));
}

Result<QuantizedWeights> QuantizeByChannelScale(const FloatTensor& weights, const QuantizeOptions& options,
                                                const DesignOptions& design_options) {
  const WeightMatrix matrix(weights);
  std::vector<float> scales = ChannelScales(weights);
  auto shared = DesignSharedCodebooks(matrix, scales, CodebookCount(matrix, options), design_options);
  if (!shared) return Forward(shared);

  CodebookTensor tensor = EmptyTensor(weights, design_options.levels);
  tensor.table_of = std::move(shared->table_of);
  std::vector<LevelTable> tables;
  for (const IntegerLevels& levels : shared->tables) {
    AppendTable(levels, tensor);
    tables.emplace_back(std::span(tensor.codes).last(tensor.TableSize()), tensor.steps.back());
  }
  std::vector<std::uint8_t> indices(matrix.columns);
  for (std::size_t o = 0; o < matrix.channels; ++o) {
    if (scales[o] <= 0) continue;
    const LevelTable& table = tables[tensor.TableOf(o)];
    for (int round = 0; round < kScaleRounds; ++round) {
      table.Assign(matrix.row(o), scales[o], indices);
      scales[o] = table.LeastSquaresScale(matrix.row(o), indices, scales[o]);
    }
  }
  QuantizedWeights result{.tensor = {},
                          .scanned = shared->scanned,
                          .sampled = shared->sampled,
                          .bandwidth = shared->bandwidth,
                          .levels = {tables[0].levels().begin(), tables[0].levels().end()}};
  tensor.scales = std::move(scales);
  RoundScales(tensor);
  tables.clear();
  for (std::size_t t = 0; t < tensor.TableCount(); ++t)
    tables.emplace_back(std::span(tensor.codes).subspan(t * tensor.TableSize(), tensor.TableSize()), tensor.steps[t]);
  for (std::size_t o = 0; o < matrix.channels; ++o) {
    tables[tensor.TableOf(o)].Assign(matrix.row(o), tensor.scales[o], indices);
    StoreRow(indices, o, tensor);
  }
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
    case Granularity::kChannelScale: return QuantizeByChannelScale(weights, options, design);
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
