#include "kdequant/density/histogram.h"

#include <algorithm>
#include <cstdint>

#include "kdequant/density/sample.h"

namespace kdequant {

Result<MomentHistogram> BuildMomentHistogram(const ScaledWeights& weights, std::size_t bins) {
  auto range = FindRange(weights);
  if (!range) return Forward(range);
  const double width = range->max - range->min;
  const std::size_t size = width > 0 ? std::max<std::size_t>(bins, 1) : 1;
  MomentHistogram histogram{.grid = {.low = range->min, .step = width / static_cast<double>(size), .size = size},
                            .bins = std::vector<MomentBin>(size),
                            .min = range->min,
                            .max = range->max,
                            .population = weights.size()};
  const double per_unit = width > 0 ? static_cast<double>(size) / width : 0;
  const auto last = static_cast<double>(size - 1);
  RunReader reader(weights);
  for (auto run = reader.Next(); !run.empty(); run = reader.Next()) {
    for (const float weight : run) {
      const auto w = static_cast<double>(weight);
      MomentBin& bin = histogram.bins[static_cast<std::uint32_t>(std::min((w - range->min) * per_unit, last))];
      bin.count += 1;
      bin.sum += w;
      bin.sum_squares += w * w;
    }
  }
  return histogram;
}

}  // namespace kdequant
