#include "kdequant/density/density.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "binning.h"
#include "dct.h"
#include "kdequant/base/math.h"

namespace kdequant {
namespace {

Result<double> ChooseBandwidth(const Sample& sample, const Grid& grid, const DensityOptions& options) {
  if (options.rule == BandwidthRule::kExplicit) {
    if (!(options.bandwidth > 0)) return Fail(ErrorCode::kUsage, "the bandwidth must be positive");
    return std::max(options.bandwidth, grid.step);
  }
  if (!(options.factor > 0)) return Fail(ErrorCode::kUsage, "the bandwidth factor must be positive");
  auto bandwidth =
      options.rule == BandwidthRule::kIsj ? SheatherJonesBandwidth(sample, grid) : SilvermanBandwidth(sample, grid);
  if (!bandwidth) return Forward(bandwidth);
  return std::max(*bandwidth * options.factor, grid.step);
}

}  // namespace

Result<Density> EstimateDensity(const Sample& sample, const DensityOptions& options) {
  if (sample.values.empty()) return Fail(ErrorCode::kEmptySample, "the sample is empty");
  if (!(sample.max > sample.min)) {
    return Fail(ErrorCode::kConstantSample, "every weight is equal: there is no density to estimate");
  }
  if (!std::has_single_bit(options.grid_points) || options.grid_points < 64 || options.grid_points > 65536) {
    return Fail(ErrorCode::kUsage, "the number of grid points must be a power of two from 64 to 65536");
  }
  const auto size = static_cast<double>(options.grid_points);
  Density density{.grid = {.low = sample.min, .step = (sample.max - sample.min) / size, .size = options.grid_points},
                  .values = {},
                  .bandwidth = 0};
  auto bandwidth = ChooseBandwidth(sample, density.grid, options);
  if (!bandwidth) return Forward(bandwidth);
  density.bandwidth = *bandwidth;

  density.values = BinLinearly(sample, density.grid);
  Dct dct(density.grid.size);
  dct.Forward(density.values);
  // In the cosine basis a Gaussian kernel of width h multiplies wave k by exp(-(pi k h / range)^2 / 2).
  const double decay = kPi * density.bandwidth / (density.grid.step * size);
  for (std::size_t k = 1; k < density.values.size(); ++k) {
    const double angle = decay * static_cast<double>(k);
    density.values[k] *= angle < 9 ? Exp(-angle * angle / 2) : 0;  // e^-40 is below the rounding of the transform
  }
  dct.Inverse(density.values);

  // Rounding, and waves cut off at a bandwidth of one step, leave small negative values.
  double sum = 0;
  for (auto& value : density.values) {
    value = std::max(value, 0.0);
    sum += value;
  }
  for (auto& value : density.values) value /= sum * density.grid.step;
  return density;
}

}  // namespace kdequant
