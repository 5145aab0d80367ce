#include "kdequant/density/sample.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "interval.h"
#include "kdequant/base/random.h"

namespace kdequant {
namespace {

constexpr Sampling kAll[] = {Sampling::kStratified, Sampling::kRandom, Sampling::kStratifiedBlind};

// Gaussian with a few weights far out, as trained layers have.
std::vector<float> HeavyTailed(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> weights(count);
  for (auto& w : weights) {
    const double g = random.Normal();
    w = static_cast<float>(0.02 * g * (1 + 0.2 * g * g));
  }
  return weights;
}

double Sum(const std::vector<double>& values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return sum;
}

TEST_CASE("A sample has the size asked for, ascends, and its importance adds up to the population") {
  const auto weights = HeavyTailed(100'000, 1);
  for (const auto sampling : kAll) {
    for (const std::size_t count : {1U, 2U, 16U, 100U, 1024U, 50'000U}) {
      CAPTURE(SamplingName(sampling));
      CAPTURE(count);
      const auto sample = DrawSample(weights, {.sampling = sampling, .count = count}).value();
      CHECK(sample.values.size() == count);
      CHECK(sample.weights.size() == count);
      CHECK(std::ranges::is_sorted(sample.values));
      CHECK(Sum(sample.weights) == doctest::Approx(100'000));
      CHECK(sample.population == 100'000);
      CHECK(sample.min <= sample.values.front());
      CHECK(sample.max >= sample.values.back());
    }
  }
}

TEST_CASE("Every sampled value is one of the weights") {
  const auto weights = HeavyTailed(10'000, 2);
  for (const auto sampling : kAll) {
    for (const double value : DrawSample(weights, {.sampling = sampling, .count = 300})->values) {
      CHECK(std::ranges::find(weights, static_cast<float>(value)) != weights.end());
    }
  }
}

TEST_CASE("Scanned says what was read: all, the sample, or sixteen times the sample") {
  const auto weights = HeavyTailed(100'000, 3);
  CHECK(DrawSample(weights, {.sampling = Sampling::kStratified})->scanned == 100'000);
  CHECK(DrawSample(weights, {.sampling = Sampling::kRandom})->scanned == 1024);
  CHECK(DrawSample(weights, {.sampling = Sampling::kStratifiedBlind})->scanned == 16'384);
}

TEST_CASE("A stratified sample holds the smallest and the largest weight's stratum, a random one does not") {
  auto weights = HeavyTailed(1'000'000, 4);
  weights[123'456] = 5;
  const auto stratified = DrawSample(weights).value();
  CHECK(stratified.max == 5);
  CHECK(stratified.values.back() == 5);
  CHECK(stratified.weights.back() == 1);  // it stands for itself alone
  CHECK(DrawSample(weights, {.sampling = Sampling::kRandom})->values.back() < 5);
}

TEST_CASE("The stratified sample estimates moments far better than a random one") {
  const auto weights = HeavyTailed(300'000, 5);
  const auto fourth_moment_error = [&](Sampling sampling) {
    double exact = 0;
    for (const float w : weights) exact += std::pow(static_cast<double>(w), 4);
    double squares = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      const auto sample = DrawSample(weights, {.sampling = sampling, .seed = seed}).value();
      double estimate = 0;
      for (std::size_t i = 0; i < sample.values.size(); ++i)
        estimate += sample.weights[i] * std::pow(sample.values[i], 4);
      squares += std::pow(estimate / exact - 1, 2) / 20;
    }
    return std::sqrt(squares);
  };
  CHECK(fourth_moment_error(Sampling::kStratified) < 0.01);
  CHECK(fourth_moment_error(Sampling::kRandom) > 0.05);
}

TEST_CASE("The same seed draws the same sample, another seed another") {
  const auto weights = HeavyTailed(20'000, 6);
  for (const auto sampling : kAll) {
    const auto draw = [&](std::uint64_t seed) {
      return DrawSample(weights, {.sampling = sampling, .count = 500, .seed = seed})->values;
    };
    CHECK(draw(1) == draw(1));
    CHECK(draw(1) != draw(2));
  }
}

TEST_CASE("No more weights than samples, or a count of 0, takes every weight once") {
  const auto weights = HeavyTailed(1000, 7);
  for (const auto sampling : kAll) {
    for (const std::size_t count : {0U, 1000U, 1024U}) {
      const auto sample = DrawSample(weights, {.sampling = sampling, .count = count}).value();
      CHECK(sample.values.size() == 1000);
      CHECK(sample.scanned == 1000);
      CHECK(std::ranges::all_of(sample.weights, [](double w) { return w == 1; }));
    }
  }
}

TEST_CASE("Extreme weights are sampled: constant, denormal, huge") {
  const float denormal = std::numeric_limits<float>::denorm_min();
  const float largest = std::numeric_limits<float>::max();
  for (const auto& [low, high] : {std::pair{3.0F, 3.0F}, {0.0F, denormal}, {-largest, largest}}) {
    std::vector<float> weights(5000, low);
    for (std::size_t i = 0; i < weights.size(); i += 2) weights[i] = high;
    const auto sample = DrawSample(weights, {.count = 100}).value();
    CHECK(sample.values.size() == 100);
    CHECK(sample.min == static_cast<double>(low));
    CHECK(sample.max == static_cast<double>(high));
    CHECK(Sum(sample.weights) == doctest::Approx(5000));
  }
}

TEST_CASE("Negative zero is zero") {
  const std::vector<float> weights = {-0.0F, -0.0F};
  CHECK(!std::signbit(FindRange(weights)->min));
  CHECK(!std::signbit(FindRange(weights)->max));
}

TEST_CASE("A weight that is not finite is named, wherever it is and whichever kind") {
  const float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const float bad : {infinity, -infinity, nan, -nan}) {
    for (const std::size_t at : {0U, 4321U, 9999U}) {
      auto weights = HeavyTailed(10'000, 8);
      weights[at] = bad;
      for (const std::size_t count : {1024U, 0U}) {
        const auto sample = DrawSample(weights, {.count = count});
        REQUIRE(!sample);
        CHECK(sample.error().code == ErrorCode::kNotFinite);
        CHECK(sample.error().message.find("weight " + std::to_string(at) + " is") != std::string::npos);
      }
    }
  }
  // A random sample that meets one names it too.
  auto weights = HeavyTailed(2000, 9);
  std::ranges::fill(weights, nan);
  CHECK(DrawSample(weights, {.sampling = Sampling::kRandom, .count = 10}).error().code == ErrorCode::kNotFinite);
  CHECK(DrawSample({}).error().code == ErrorCode::kEmptySample);
}

TEST_CASE("Samplings have the command line's names") {
  for (const auto sampling : kAll) CHECK(ParseSampling(SamplingName(sampling)) == sampling);
  CHECK(ParseSampling("uniform").error().code == ErrorCode::kUsage);
}

}  // namespace
}  // namespace kdequant
