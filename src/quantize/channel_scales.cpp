#include "kdequant/quantize/channel_scales.h"

#include <cstddef>
#include <span>

#include "assign.h"

namespace kdequant {

NormalizedWeights NormalizeChannels(const FloatTensor& weights) {
  const auto channels = static_cast<std::size_t>(weights.shape[0]);
  const std::size_t columns = weights.values.size() / channels;
  NormalizedWeights normalized{.values = std::vector<float>(weights.values.size()),
                               .scales = std::vector<float>(channels)};
  for (std::size_t o = 0; o < channels; ++o) {
    const auto row = std::span(weights.values).subspan(o * columns, columns);
    normalized.scales[o] = RootMeanSquare(row);
    const float divisor = normalized.scales[o] > 0 ? normalized.scales[o] : 1;
    for (std::size_t k = 0; k < columns; ++k) normalized.values[o * columns + k] = row[k] / divisor;
  }
  return normalized;
}

}  // namespace kdequant
