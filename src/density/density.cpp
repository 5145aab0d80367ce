#include "kdequant/density/density.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "binning.h"
#include "dct.h"
#include "kdequant/base/math.h"

namespace kdequant {
namespace {

// A value that makes up a twentieth of the population, seen at least four times, is a spike.
constexpr double kSpikeShare = 0.05;
constexpr std::size_t kSpikeCount = 4;

// The sample without its spikes, and the spikes.
struct Split {
  Sample smooth;
  Sample spikes;
};

Split SplitSpikes(const Sample& sample) {
  double total = 0;
  for (const double w : sample.weights) total += w;
  Split split{.smooth = {.population = sample.population, .min = sample.min, .max = sample.max}, .spikes = {}};
  for (std::size_t begin = 0, end = 0; begin < sample.values.size(); begin = end) {
    double mass = 0;
    for (; end < sample.values.size() && sample.values[end] == sample.values[begin]; ++end) mass += sample.weights[end];
    const bool spike = end - begin >= kSpikeCount && mass >= kSpikeShare * total;
    Sample& part = spike ? split.spikes : split.smooth;
    for (std::size_t i = begin; i < end; ++i) {
      part.values.push_back(sample.values[i]);
      part.weights.push_back(sample.weights[i]);
    }
  }
  return split;
}

// Smoothing stands in for the weights that were not sampled: with a sample that is most of the population there is less
// to stand in for. Its standard error falls by sqrt(1 - sampled / population), and the bandwidth with it, to a fifth.
double FinitePopulationFactor(const Sample& sample) {
  if (sample.population == 0) return 1;
  const double sampled = static_cast<double>(sample.values.size()) / static_cast<double>(sample.population);
  return std::max(0.2, Sqrt(std::max(0.0, 1 - sampled)));
}

Result<double> ChooseBandwidth(const Sample& sample, const Grid& grid, const DensityOptions& options) {
  if (options.rule == BandwidthRule::kExplicit) {
    if (!(options.bandwidth > 0)) return Fail(ErrorCode::kUsage, "the bandwidth must be positive");
    return std::max(options.bandwidth, grid.step);
  }
  if (!(options.factor > 0)) return Fail(ErrorCode::kUsage, "the bandwidth factor must be positive");
  auto bandwidth =
      options.rule == BandwidthRule::kIsj ? SheatherJonesBandwidth(sample, grid) : SilvermanBandwidth(sample, grid);
  if (!bandwidth) return Forward(bandwidth);
  return std::max(*bandwidth * options.factor * FinitePopulationFactor(sample), grid.step);
}

// Convolves with the kernel, reflected at both ends: in the cosine basis a Gaussian of width h multiplies wave k by
// exp(-(pi k h / range)^2 / 2).
void Smooth(Density& density) {
  Dct dct(density.grid.size);
  dct.Forward(density.values);
  const double decay = kPi * density.bandwidth / (density.grid.step * static_cast<double>(density.grid.size));
  for (std::size_t k = 1; k < density.values.size(); ++k) {
    const double angle = decay * static_cast<double>(k);
    density.values[k] *= angle < 9 ? Exp(-angle * angle / 2) : 0;  // e^-40 is below the rounding of the transform
  }
  dct.Inverse(density.values);
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
  // The smooth part may be empty or constant: then only spikes are left, and the bandwidth has no meaning.
  const Split split = SplitSpikes(sample);
  auto bandwidth = ChooseBandwidth(split.smooth, density.grid, options);
  const bool only_spikes = !bandwidth && bandwidth.error().code != ErrorCode::kUsage;
  if (!bandwidth && !only_spikes) return Forward(bandwidth);
  density.bandwidth = only_spikes ? density.grid.step : *bandwidth;

  density.values = BinLinearly(split.smooth, density.grid);
  if (!only_spikes) Smooth(density);
  const std::vector<double> spikes = BinLinearly(split.spikes, density.grid);
  for (std::size_t i = 0; i < spikes.size(); ++i) density.values[i] += spikes[i];

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
