#include "kdequant/density/sample.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "kdequant/base/math.h"
#include "kdequant/base/random.h"
#include "kdequant/base/sort.h"

namespace kdequant {
namespace {

// A blind sample is stratified within a random sample so many times its size.
constexpr std::size_t kPilotFactor = 16;
constexpr std::size_t kMaxStrata = 256;  // a stratum's number fits a byte

// The bits of a float as a signed integer of the same order (-0 below +0): minimum and maximum then vectorize, and a
// NaN or an infinity lies outside the keys of the finite values.
std::int32_t OrderedKey(float value) {
  const auto bits = std::bit_cast<std::int32_t>(value);
  return bits ^ ((bits >> 31) & 0x7fffffff);
}

double ValueOfKey(std::int32_t key) {
  return static_cast<double>(std::bit_cast<float>(key ^ ((key >> 31) & 0x7fffffff))) + 0.0;  // never -0
}

std::unexpected<Error> NotFinite(const ScaledWeights& weights) {
  std::size_t bad = 0;
  while (std::isfinite(weights[bad])) ++bad;
  const std::string name = std::isnan(weights[bad]) ? "NaN" : "infinite";
  return Fail(ErrorCode::kNotFinite,
              "weight " + std::to_string(bad) + " is " + name + "; export the model again or exclude the layer");
}

// How many of each stratum to take: as sqrt(count), at least one and at most all, `total` together.
std::vector<std::size_t> Allocate(std::span<const std::size_t> counts, std::size_t total) {
  std::vector<double> roots(counts.size());
  for (std::size_t s = 0; s < counts.size(); ++s) roots[s] = Sqrt(static_cast<double>(counts[s]));
  std::vector<std::size_t> taken(counts.size());
  const auto take = [&](double factor) {
    std::size_t sum = 0;
    for (std::size_t s = 0; s < counts.size(); ++s) {
      taken[s] =
          counts[s] == 0 ? 0 : std::clamp<std::size_t>(static_cast<std::size_t>(factor * roots[s]), 1, counts[s]);
      sum += taken[s];
    }
    return sum;
  };
  // The largest factor that does not exceed `total`, by bisection; a factor of sqrt(n) would take everything.
  double low = 0;
  double high = *std::ranges::max_element(roots) + 1;
  for (int i = 0; i < 50; ++i) {
    const double middle = (low + high) / 2;
    (take(middle) <= total ? low : high) = middle;
  }
  std::size_t sum = take(low);
  // What rounding left over goes where a value stands for most.
  while (sum < total) {
    std::size_t neediest = 0;
    double most = 1;
    for (std::size_t s = 0; s < counts.size(); ++s) {
      const double stands_for = taken[s] == 0 ? 0 : static_cast<double>(counts[s]) / static_cast<double>(taken[s]);
      if (stands_for > most) {
        most = stands_for;
        neediest = s;
      }
    }
    if (most <= 1) break;
    ++taken[neediest];
    ++sum;
  }
  return taken;
}

// Fills values and weights of `sample`, sorted.
void SetSorted(std::vector<std::pair<double, double>>& chosen, Sample& sample) {
  SortSmall(chosen);
  sample.values.reserve(chosen.size());
  sample.weights.reserve(chosen.size());
  for (const auto& [value, weight] : chosen) {
    sample.values.push_back(value);
    sample.weights.push_back(weight);
  }
}

// Stratifies `weights`, each of which stands for `importance` weights of the population.
Result<Sample> DrawStratified(const ScaledWeights& weights, const SamplingOptions& options, double importance) {
  auto range = FindRange(weights);
  if (!range) return Forward(range);
  Sample sample{.values = {},
                .weights = {},
                .population = weights.size(),
                .scanned = weights.size(),
                .min = range->min,
                .max = range->max};
  const std::size_t strata = std::clamp<std::size_t>(std::min(options.strata, options.count / 4), 1, kMaxStrata);
  const double width = range->max - range->min;
  const double per_unit = width > 0 ? static_cast<double>(strata) / width : 0;
  const auto last = static_cast<double>(strata - 1);
  std::vector<std::uint8_t> stratum(weights.size());
  std::vector<std::size_t> counts(strata);
  RunReader reader(weights);
  for (auto run = reader.Next(); !run.empty(); run = reader.Next()) {
    std::uint8_t* strata_of_run = stratum.data() + reader.first();
    for (std::size_t i = 0; i < run.size(); ++i) {
      const double position = (static_cast<double>(run[i]) - range->min) * per_unit;
      strata_of_run[i] = static_cast<std::uint8_t>(static_cast<std::int32_t>(std::min(position, last)));
      ++counts[strata_of_run[i]];
    }
  }
  const std::vector<std::size_t> taken = Allocate(counts, options.count);

  // Of a stratum's n weights the m to take are the ones at floor((j + u) n / m): `wait` counts down to the next.
  struct Progress {
    std::size_t wait = std::numeric_limits<std::size_t>::max();
    std::size_t position = 0;  // of the next one to take, in its stratum
    std::size_t done = 0;
    double offset = 0;
  };
  std::vector<Progress> progress(strata);
  const auto position_of = [&](std::size_t s, std::size_t j) {
    const double at =
        (static_cast<double>(j) + progress[s].offset) * static_cast<double>(counts[s]) / static_cast<double>(taken[s]);
    return std::min(static_cast<std::size_t>(at), counts[s] - 1);
  };
  Random random(options.seed);
  for (std::size_t s = 0; s < strata; ++s) {
    if (taken[s] == 0) continue;
    progress[s].offset = random.Uniform();
    progress[s].position = position_of(s, 0);
    progress[s].wait = progress[s].position + 1;
  }
  std::vector<std::pair<double, double>> chosen;
  chosen.reserve(options.count + strata);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const std::size_t s = stratum[i];
    Progress& p = progress[s];
    if (--p.wait != 0) continue;
    chosen.emplace_back(static_cast<double>(weights[i]),
                        importance * static_cast<double>(counts[s]) / static_cast<double>(taken[s]));
    if (++p.done < taken[s]) {
      const std::size_t next = position_of(s, p.done);
      p.wait = next - p.position;
      p.position = next;
    } else {
      p.wait = std::numeric_limits<std::size_t>::max();
    }
  }
  SetSorted(chosen, sample);
  return sample;
}

// `count` different weights, each equally likely (Floyd's algorithm), in the order of `weights`.
std::vector<float> ChooseRandomly(const ScaledWeights& weights, std::size_t count, std::uint64_t seed) {
  std::vector<bool> is_chosen(weights.size());
  Random random(seed);
  for (std::size_t i = weights.size() - count; i < weights.size(); ++i) {
    const std::size_t j = random.Below(static_cast<std::uint32_t>(i + 1));
    is_chosen[is_chosen[j] ? i : j] = true;
  }
  std::vector<float> chosen;
  chosen.reserve(count);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (is_chosen[i]) chosen.push_back(weights[i]);
  }
  return chosen;
}

// Every value, with the same importance.
Result<Sample> TakeAll(const ScaledWeights& weights, double importance) {
  auto range = FindRange(weights);
  if (!range) return Forward(range);
  Sample sample{.values = std::vector<double>(weights.size()),
                .weights = std::vector<double>(weights.size(), importance),
                .population = weights.size(),
                .scanned = weights.size(),
                .min = range->min,
                .max = range->max};
  RunReader reader(weights);
  for (auto run = reader.Next(); !run.empty(); run = reader.Next())
    std::ranges::copy(run, sample.values.begin() + static_cast<std::ptrdiff_t>(reader.first()));
  std::ranges::sort(sample.values);
  return sample;
}

}  // namespace

std::string_view SamplingName(Sampling sampling) {
  switch (sampling) {
    case Sampling::kStratified: return "stratified";
    case Sampling::kRandom: return "random";
    case Sampling::kStratifiedBlind: return "stratified-blind";
  }
  return "stratified";
}

Result<Sampling> ParseSampling(std::string_view name) {
  for (const auto sampling : {Sampling::kStratified, Sampling::kRandom, Sampling::kStratifiedBlind}) {
    if (name == SamplingName(sampling)) return sampling;
  }
  return Fail(ErrorCode::kUsage,
              "unknown sampling \"" + std::string(name) + "\"; use stratified, random or stratified-blind");
}

double Sample::EffectiveSize() const {
  double sum = 0;
  double squares = 0;
  for (const double w : weights) {
    sum += w;
    squares += w * w;
  }
  return squares > 0 ? sum * sum / squares : 0;
}

Result<Range> FindRange(const ScaledWeights& weights) {
  if (weights.empty()) return Fail(ErrorCode::kEmptySample, "there are no weights; exclude the layer");
  std::int32_t low = OrderedKey(weights[0]);
  std::int32_t high = low;
  RunReader reader(weights);
  for (auto run = reader.Next(); !run.empty(); run = reader.Next()) {
    for (const float w : run) {
      const std::int32_t key = OrderedKey(w);
      low = std::min(low, key);
      high = std::max(high, key);
    }
  }
  constexpr float kLargest = std::numeric_limits<float>::max();
  if (low < OrderedKey(-kLargest) || high > OrderedKey(kLargest)) return NotFinite(weights);
  return Range{ValueOfKey(low), ValueOfKey(high)};
}

Result<Sample> DrawSample(const ScaledWeights& weights, const SamplingOptions& options) {
  if (weights.size() > std::numeric_limits<std::uint32_t>::max()) {
    return Fail(ErrorCode::kLimit, "more than 4,294,967,295 weights in one layer");
  }
  if (options.count == 0 || options.count >= weights.size()) return TakeAll(weights, 1);
  if (options.sampling == Sampling::kStratified) return DrawStratified(weights, options, 1);

  const bool blind = options.sampling == Sampling::kStratifiedBlind;
  const std::size_t read = blind ? std::min(options.count * kPilotFactor, weights.size()) : options.count;
  const std::vector<float> chosen = ChooseRandomly(weights, read, options.seed);
  const double importance = static_cast<double>(weights.size()) / static_cast<double>(read);
  auto sample = blind ? DrawStratified(chosen, options, importance) : TakeAll(chosen, importance);
  // The index in `chosen` says nothing to the caller: look again.
  if (!sample) return NotFinite(weights);
  sample->population = weights.size();
  return sample;
}

}  // namespace kdequant
