#include "kdequant/density/density.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "dct.h"
#include "density_golden.h"
#include "interval.h"
#include "kdequant/base/math.h"
#include "kdequant/base/random.h"

namespace kdequant {
namespace {

Sample GoldenSample(bool weighted) {
  Sample sample{.values = {std::begin(golden::kValues), std::end(golden::kValues)}};
  sample.weights.assign(sample.values.size(), 1);
  if (weighted) sample.weights.assign(std::begin(golden::kWeights), std::end(golden::kWeights));
  sample.min = sample.values.front();
  sample.max = sample.values.back();
  return sample;
}

// A range so wide that nothing is reflected.
Sample InWideRange(Sample sample) {
  sample.min = -6;
  sample.max = 6;
  return sample;
}

double ValueAt(const Density& density, double x) {
  const double position = (x - density.grid.low) / density.grid.step - 0.5;
  const auto i = static_cast<std::size_t>(position);
  const double part = position - static_cast<double>(i);
  return density.values[i] * (1 - part) + density.values[i + 1] * part;
}

double Total(const Density& density) {
  double sum = 0;
  for (const double p : density.values) sum += p * density.grid.step;
  return sum;
}

DensityOptions WithBandwidth(double bandwidth, std::size_t points = 2048) {
  return {.rule = BandwidthRule::kExplicit, .bandwidth = bandwidth, .grid_points = points};
}

TEST_CASE("The cosine transform is its definition, and its inverse undoes it") {
  Random random(1);
  for (std::size_t n = 2; n <= 1024; n *= 2) {
    std::vector<double> x(n);
    for (auto& value : x) value = random.Normal();
    std::vector<double> transformed = x;
    Dct dct(n);
    dct.Forward(transformed);
    for (std::size_t k = 0; k < n; k += 1 + n / 16) {
      double expected = 0;
      for (std::size_t i = 0; i < n; ++i) {
        expected +=
            x[i] * std::cos(kPi * (static_cast<double>(i) + 0.5) * static_cast<double>(k) / static_cast<double>(n));
      }
      CHECK(std::fabs(transformed[k] - expected) < 1e-12 * static_cast<double>(n));
    }
    dct.Inverse(transformed);
    for (std::size_t i = 0; i < n; ++i) CHECK(std::fabs(transformed[i] - x[i]) < 1e-13 * static_cast<double>(n));
  }
}

TEST_CASE("The density is scipy's gaussian_kde at the same bandwidth, with and without weights") {
  for (const bool weighted : {false, true}) {
    const auto density =
        EstimateDensity(InWideRange(GoldenSample(weighted)), WithBandwidth(golden::kBandwidth)).value();
    CHECK(Total(density) == doctest::Approx(1));
    for (std::size_t i = 0; i < std::size(golden::kPoints); ++i) {
      const double expected = weighted ? golden::kWeightedDensity[i] : golden::kDensity[i];
      // Linear binning adds step^2 / 6 to the variance of the kernel, interpolation here as much.
      CHECK(std::fabs(ValueAt(density, golden::kPoints[i]) - expected) < 1e-4);
    }
  }
}

TEST_CASE("The density is the direct sum over sample and mirror images, at any bandwidth") {
  const Sample sample = GoldenSample(true);
  double total = 0;
  for (const double w : sample.weights) total += w;
  const double range = sample.max - sample.min;
  for (const double bandwidth : {0.02, 0.1, 0.5, 2.0}) {
    const auto density = EstimateDensity(sample, WithBandwidth(bandwidth, 4096)).value();
    double largest = 0;
    double worst = 0;
    for (std::size_t i = 0; i < density.grid.size; i += 37) {
      double expected = 0;
      for (std::size_t j = 0; j < sample.values.size(); ++j) {
        for (int image = -8; image <= 8; ++image) {
          for (const double x : {sample.values[j], 2 * sample.min - sample.values[j]}) {
            const double z = (density.grid.Centre(i) - x - 2 * image * range) / bandwidth;
            expected += sample.weights[j] / total * Exp(-z * z / 2) / (bandwidth * Sqrt(2 * kPi));
          }
        }
      }
      largest = std::max(largest, expected);
      worst = std::max(worst, std::fabs(density.values[i] - expected));
    }
    CHECK(worst < 2e-4 * largest);
    CHECK(Total(density) == doctest::Approx(1));
  }
}

TEST_CASE("No mass leaks out of the range of the weights") {
  // A uniform density is estimated as uniform up to its ends; without reflection it would halve there.
  Sample sample{.min = 0, .max = 1};
  for (int i = 0; i < 1000; ++i) sample.values.push_back((i + 0.5) / 1000);
  sample.weights.assign(1000, 1);
  const auto density = EstimateDensity(sample).value();
  for (const double p : density.values) CHECK(p == Interval(0.99, 1.01));
}

TEST_CASE("A spike of zeros stays a spike, and the rest keeps its own bandwidth") {
  Random random(3);
  Sample smooth{.population = 1'000'000, .min = -4, .max = 4};
  for (int i = 0; i < 500; ++i) smooth.values.push_back(std::clamp(random.Normal(), -4.0, 4.0));
  Sample pruned = smooth;
  for (int i = 0; i < 500; ++i) pruned.values.push_back(0);
  for (Sample* sample : {&smooth, &pruned}) {
    std::ranges::sort(sample->values);
    sample->weights.assign(sample->values.size(), 1);
  }
  const auto with = EstimateDensity(pruned).value();
  CHECK(with.bandwidth == doctest::Approx(EstimateDensity(smooth).value().bandwidth).epsilon(1e-3));
  CHECK(with.values[1023] * with.grid.step + with.values[1024] * with.grid.step == Interval(0.5, 0.51));
  CHECK(Total(with) == doctest::Approx(1));
}

TEST_CASE("A sample of everything is smoothed a fifth as much as one of a few") {
  Sample few = GoldenSample(false);
  few.population = 1'000'000'000;
  Sample all = few;
  all.population = all.values.size();
  CHECK(EstimateDensity(all)->bandwidth / EstimateDensity(few)->bandwidth == Interval(0.1999, 0.2001));
}

TEST_CASE("Options out of range and samples without a density are refused") {
  CHECK(EstimateDensity({}).error().code == ErrorCode::kEmptySample);
  CHECK(EstimateDensity({.values = {1, 1}, .weights = {1, 1}, .min = 1, .max = 1}).error().code ==
        ErrorCode::kConstantSample);
  const Sample sample = GoldenSample(false);
  CHECK(EstimateDensity(sample, {.factor = 0}).error().code == ErrorCode::kUsage);
  CHECK(EstimateDensity(sample, {.grid_points = 1000}).error().code == ErrorCode::kUsage);
  CHECK(EstimateDensity(sample, WithBandwidth(-1)).error().code == ErrorCode::kUsage);
  CHECK(EstimateDensity(sample, {.factor = std::nan("")}).error().code == ErrorCode::kUsage);
}

TEST_CASE("Two values are two spikes, and no error") {
  Sample sample{.values = {-1, -1, -1, -1, 1, 1, 1, 1}, .weights = std::vector<double>(8, 1), .min = -1, .max = 1};
  const auto density = EstimateDensity(sample).value();
  CHECK(density.values.front() * density.grid.step == doctest::Approx(0.5));
  CHECK(density.values.back() * density.grid.step == doctest::Approx(0.5));
}

}  // namespace
}  // namespace kdequant
