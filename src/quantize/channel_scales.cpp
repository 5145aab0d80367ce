#include "kdequant/quantize/channel_scales.h"

#include <cstddef>
#include <span>

#include "assign.h"

namespace kdequant {

std::vector<float> ChannelScales(const FloatTensor& weights) {
  std::vector<float> scales(static_cast<std::size_t>(weights.shape[0]));
  const std::size_t columns = weights.values.size() / scales.size();
  for (std::size_t o = 0; o < scales.size(); ++o)
    scales[o] = RootMeanSquare(std::span(weights.values).subspan(o * columns, columns));
  return scales;
}

}  // namespace kdequant
