#include "kdequant/codebook/design.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kdequant/base/random.h"
#include "kdequant/codebook/lloyd_max.h"
#include "kdequant/density/histogram.h"
#include "optimal_cells.h"

namespace kdequant {
namespace {

constexpr Method kMethods[] = {Method::kKdeLm,   Method::kKdeKm,         Method::kLloydMax,   Method::kKMeans,
                               Method::kOptimal, Method::kUniformMinMax, Method::kUniformMse, Method::kNf4};

constexpr std::size_t kExactWeights = 65536;
constexpr std::size_t kHistogramBins = 65536;
constexpr std::size_t kOptimalBins = 16384;
constexpr int kKMeansStarts = 8;
constexpr int kStepsPerStart = 30;

// Puts the different ones of `weights` among `values`, ascending, or stops at the first one too many.
template <typename T>
bool AddFewValues(std::span<const T> weights, std::size_t limit, std::vector<double>& values) {
  double last = 0;
  bool first = true;
  for (const T weight : weights) {
    const auto w = static_cast<double>(weight) + 0.0;  // never -0
    if (!first && w == last) continue;
    first = false;
    last = w;
    const auto at = std::ranges::lower_bound(values, w);
    if (at != values.end() && *at == w) continue;
    if (values.size() == limit) return false;
    values.insert(at, w);
  }
  return true;
}

// The different values, ascending, if there are at most `limit`. Stops at the first one too many, so it reads a handful
// of ordinary weights.
std::optional<std::vector<double>> FewValues(const ScaledWeights& weights, std::size_t limit) {
  std::vector<double> values;
  RunReader reader(weights);
  for (auto run = reader.Next(); !run.empty(); run = reader.Next()) {
    if (!AddFewValues(run, limit, values)) return std::nullopt;
  }
  return values;
}

std::optional<std::vector<double>> FewValues(const Sample& sample, std::size_t limit) {
  std::vector<double> values;
  if (!AddFewValues(std::span<const double>(sample.values), limit, values)) return std::nullopt;
  return values;
}

Codebook Padded(std::vector<double> values, std::size_t levels) {
  values.resize(levels, values.back());
  return Codebook{std::move(values)};
}

double LargestMagnitude(double min, double max) { return std::max(std::fabs(min), std::fabs(max)); }

Result<Design> DesignOnDensity(const ScaledWeights& weights, const DesignOptions& options) {
  auto sample = DrawSample(weights, options.sampling);
  if (!sample) return Forward(sample);
  Design design{
      .codebook = {}, .weights_scanned = sample->scanned, .weights_sampled = sample->values.size(), .bandwidth = 0};
  const auto limit = static_cast<std::size_t>(options.levels);
  auto few = sample->scanned == weights.size() ? FewValues(weights, limit) : FewValues(*sample, limit);
  if (few) {
    design.codebook = Padded(std::move(*few), limit);
    return design;
  }
  auto designed = DesignOnSample(*sample, options);
  if (!designed) return Forward(designed);
  design.bandwidth = designed->density.bandwidth;
  design.codebook = std::move(designed->codebook);
  return design;
}

Codebook LloydMaxFrom(const CumulativeMoments& moments, std::vector<double> start) {
  LloydMax iteration(moments, std::move(start));
  iteration.Run();
  return iteration.codebook();
}

Result<CumulativeMoments> MomentsOfAll(const ScaledWeights& weights, Method method) {
  const bool optimal = method == Method::kOptimal;
  if (weights.size() <= (optimal ? kOptimalBins : kExactWeights)) return CumulativeMoments(weights);
  auto histogram = BuildMomentHistogram(weights, optimal ? kOptimalBins : kHistogramBins);
  if (!histogram) return Forward(histogram);
  return CumulativeMoments(*histogram);
}

Result<Design> DesignOnAll(const ScaledWeights& weights, const DesignOptions& options) {
  auto range = FindRange(weights);
  if (!range) return Forward(range);
  Design design{.codebook = {}, .weights_scanned = weights.size(), .weights_sampled = weights.size(), .bandwidth = 0};
  const auto limit = static_cast<std::size_t>(options.levels);
  if (auto few = FewValues(weights, limit)) {
    design.codebook = Padded(std::move(*few), limit);
    return design;
  }
  if (options.method == Method::kNf4) {
    design.weights_sampled = 0;
    auto codebook = DesignNf4(LargestMagnitude(range->min, range->max), options.levels);
    if (!codebook) return Forward(codebook);
    design.codebook = std::move(*codebook);
    return design;
  }
  auto moments = MomentsOfAll(weights, options.method);
  if (!moments) return Forward(moments);
  auto codebook = DesignOnDistribution(*moments, options);
  if (!codebook) return Forward(codebook);
  design.codebook = std::move(*codebook);
  if (options.method == Method::kUniformMinMax) design.weights_sampled = 0;
  return design;
}

}  // namespace

std::string_view MethodName(Method method) {
  switch (method) {
    case Method::kKdeLm: return "kde-lm";
    case Method::kKdeKm: return "kde-km";
    case Method::kLloydMax: return "lloyd-max";
    case Method::kKMeans: return "k-means";
    case Method::kOptimal: return "optimal";
    case Method::kUniformMinMax: return "uniform-minmax";
    case Method::kUniformMse: return "uniform-mse";
    case Method::kNf4: return "nf4";
  }
  return "kde-lm";
}

Result<Method> ParseMethod(std::string_view name) {
  std::string choices;
  for (const auto method : kMethods) {
    if (name == MethodName(method)) return method;
    choices += (choices.empty() ? "" : ", ") + std::string(MethodName(method));
  }
  return Fail(ErrorCode::kUsage, "unknown method \"" + std::string(name) + "\"; use one of " + choices);
}

Result<void> CheckLevels(int levels) {
  if (levels >= kMinLevels && levels <= kMaxLevels) return {};
  return Fail(ErrorCode::kUsage, "a codebook has 2 to 256 levels, not " + std::to_string(levels));
}

Result<Codebook> DesignLloydMax(const CumulativeMoments& moments, int levels) {
  if (auto valid = CheckLevels(levels); !valid) return Forward(valid);
  return LloydMaxFrom(moments, CoarseOptimalStart(moments, levels));
}

Result<Codebook> DesignOptimal(const CumulativeMoments& moments, int levels) {
  if (auto valid = CheckLevels(levels); !valid) return Forward(valid);
  // A threshold may now move within a cell of a histogram; between values nothing is left to gain.
  return LloydMaxFrom(moments, OptimalMeans(moments, moments.edges(), levels));
}

Result<Codebook> DesignKMeans(const CumulativeMoments& moments, int levels, std::uint64_t seed) {
  if (auto valid = CheckLevels(levels); !valid) return Forward(valid);
  std::optional<LloydMax> best;
  for (int i = 0; i < kKMeansStarts; ++i) {
    const std::uint64_t start_seed = StreamSeed(seed, static_cast<std::uint64_t>(i));
    LloydMax iteration(moments, PlusPlusStart(moments, levels, start_seed));
    iteration.Run(kStepsPerStart);
    if (!best || iteration.mse() < best->mse()) best = std::move(iteration);
  }
  best->Run();
  return best->codebook();
}

Result<Codebook> DesignOnDistribution(const CumulativeMoments& moments, const DesignOptions& options) {
  switch (options.method) {
    case Method::kKdeLm:
    case Method::kLloydMax: return DesignLloydMax(moments, options.levels);
    case Method::kKdeKm:
    case Method::kKMeans: return DesignKMeans(moments, options.levels, options.sampling.seed);
    case Method::kOptimal: return DesignOptimal(moments, options.levels);
    case Method::kUniformMinMax: return DesignUniformMinMax(moments, options.levels);
    case Method::kUniformMse: return DesignUniformMse(moments, options.levels);
    case Method::kNf4: return DesignNf4(LargestMagnitude(moments.min(), moments.max()), options.levels);
  }
  return Fail(ErrorCode::kInternal, "unknown method");
}

Result<SampleDesign> DesignOnSample(const Sample& sample, const DesignOptions& options) {
  auto density = EstimateDensity(sample, options.density);
  if (!density) return Forward(density);
  auto codebook = DesignOnDistribution(CumulativeMoments(*density), options);
  if (!codebook) return Forward(codebook);
  for (auto& level : codebook->levels) level = std::clamp(level, sample.min, sample.max);
  return SampleDesign{.codebook = std::move(*codebook), .density = std::move(*density)};
}

Result<Design> DesignCodebook(const ScaledWeights& weights, const DesignOptions& options) {
  if (auto valid = CheckLevels(options.levels); !valid) return Forward(valid);
  if (options.method == Method::kNf4 && options.levels != 16)
    return std::unexpected(DesignNf4(1, options.levels).error());
  return UsesDensity(options.method) ? DesignOnDensity(weights, options) : DesignOnAll(weights, options);
}

}  // namespace kdequant
