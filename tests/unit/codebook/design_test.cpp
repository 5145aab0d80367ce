#include "kdequant/codebook/design.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "interval.h"
#include "kdequant/base/math.h"
#include "kdequant/base/random.h"
#include "kdequant/codebook/distortion.h"
#include "kdequant/codebook/lloyd_max.h"
#include "kdequant/density/histogram.h"

namespace kdequant {
namespace {

constexpr Method kAllMethods[] = {Method::kKdeLm,   Method::kKdeKm,         Method::kLloydMax,   Method::kKMeans,
                                  Method::kOptimal, Method::kUniformMinMax, Method::kUniformMse, Method::kNf4};

std::vector<float> GaussianWeights(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> weights(count);
  for (auto& w : weights) w = static_cast<float>(random.Normal());
  return weights;
}

Density AnalyticDensity(double range, double (*p)(double)) {
  Density density{.grid = {.low = -range, .step = 2 * range / 16384, .size = 16384}, .values = {}, .bandwidth = 0};
  double sum = 0;
  for (std::size_t i = 0; i < density.grid.size; ++i) {
    density.values.push_back(p(density.grid.Centre(i)));
    sum += density.values.back() * density.grid.step;
  }
  for (auto& value : density.values) value /= sum;
  return density;
}

double UnitGaussian(double x) { return Exp(-x * x / 2); }
double UnitLaplacian(double x) { return Exp(-Sqrt(2) * std::fabs(x)); }
double Flat(double /*x*/) { return 1; }

TEST_CASE("Lloyd-Max on a Gaussian, a Laplacian and a uniform density reaches the errors known in closed form") {
  const Density gaussian = AnalyticDensity(8, UnitGaussian);
  CHECK(MeanSquaredError(CumulativeMoments(gaussian), DesignLloydMax(gaussian, 16).value()) ==
        Interval(0.0095005, 0.0095015));
  const Density laplacian = AnalyticDensity(16, UnitLaplacian);
  CHECK(MeanSquaredError(CumulativeMoments(laplacian), DesignLloydMax(laplacian, 16).value()) ==
        Interval(0.015368, 0.015376));
  const Density flat = AnalyticDensity(1, Flat);
  const double step = 2.0 / 16;
  CHECK(MeanSquaredError(CumulativeMoments(flat), DesignLloydMax(flat, 16).value()) ==
        doctest::Approx(step * step / 12).epsilon(1e-6));
}

TEST_CASE("Newton's leaps lead Lloyd's iteration to where its steps alone would end") {
  const Density gaussian = AnalyticDensity(8, UnitGaussian);
  const CumulativeMoments moments(gaussian);
  for (const int levels : {2, 16, 64}) {
    CAPTURE(levels);
    LloydMax with_leaps(moments, CompandingStart(moments, levels));
    with_leaps.Run();
    LloydMax steps_alone(moments, CompandingStart(moments, levels));
    while (steps_alone.Step()) {
    }
    CHECK(with_leaps.steps() <= 20);
    CHECK(with_leaps.mse() <= steps_alone.mse());
    CHECK(with_leaps.mse() == doctest::Approx(steps_alone.mse()).epsilon(1e-4));
    const std::vector<double> thresholds = with_leaps.Thresholds();
    for (std::size_t i = 0; i + 1 < thresholds.size(); ++i)
      CHECK(moments.Between(thresholds[i], thresholds[i + 1]).mean ==
            doctest::Approx(with_leaps.levels()[i + 1]).epsilon(1e-5));
  }
}

TEST_CASE("Leaps keep to the weights where a density has gaps and outliers, and values have no density") {
  Density gaps = AnalyticDensity(8, UnitGaussian);
  for (std::size_t i = 0; i < gaps.values.size(); ++i) gaps.values[i] *= i / 700 % 2 == 0 || i > 16'000 ? 1 : 0;
  gaps.values.back() = 0.001;
  const auto weights = GaussianWeights(3000, 8);
  for (const CumulativeMoments& moments : {CumulativeMoments(gaps), CumulativeMoments(weights)}) {
    for (const int levels : {3, 16, 48}) {
      CAPTURE(levels);
      LloydMax iteration(moments, PlusPlusStart(moments, levels, /*seed=*/4));
      double before = iteration.mse();
      for (int i = 0; i < 40; ++i) {
        iteration.Run(/*max_steps=*/1);
        CHECK(iteration.mse() <= before * (1 + 1e-12));
        before = iteration.mse();
        CHECK(std::ranges::is_sorted(iteration.levels()));
        CHECK(iteration.levels().front() >= moments.min());
        CHECK(iteration.levels().back() <= moments.max());
      }
    }
  }
}

TEST_CASE("KDE-LM finds the Lloyd-Max quantizer of a Gaussian from 1,024 of a million weights") {
  const auto weights = GaussianWeights(1'000'000, /*seed=*/7);
  const auto sample = DrawSample(weights, {.count = 1024, .seed = 1}).value();
  const auto codebook = DesignLloydMax(EstimateDensity(sample).value(), /*levels=*/16).value();
  // The optimum for unit variance is 0.0095010; sampling may cost 1 %.
  CHECK(MeanSquaredError(weights, codebook) == Interval(0.00945, 0.00960));
}

TEST_CASE("Every method survives every odd tensor: levels ascend, are finite and lie within the weights") {
  const float infinity = std::numeric_limits<float>::infinity();
  std::vector<std::vector<float>> tensors = {
      {0.5F},                  // one weight
      {0, 0, 0, 0},            // constant
      {-0.0F, 0.0F, 0.0F},     // constant, with a sign
      {1, -1, 1, 1, -1},       // two values
      GaussianWeights(17, 3),  // one more than levels
      GaussianWeights(5000, 4),
  };
  auto pruned = GaussianWeights(20'000, 5);
  for (std::size_t i = 0; i < pruned.size(); ++i) pruned[i] *= i % 10 == 0 ? 1.0F : 0.0F;
  tensors.push_back(pruned);
  for (const float scale : {1e-44F, 1e-38F, 1e30F, 1e37F}) {
    auto scaled = GaussianWeights(3000, 6);
    for (auto& w : scaled) w *= scale;
    tensors.push_back(scaled);
  }
  auto outlier = GaussianWeights(100'000, 8);
  outlier[77] = 1e30F;
  tensors.push_back(outlier);
  auto offset = GaussianWeights(3000, 9);
  for (auto& w : offset) w = 1000 + w * 1e-3F;
  tensors.push_back(offset);
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    const auto& weights = tensors[t];
    for (const Method method : kAllMethods) {
      for (const auto sampling : {Sampling::kStratified, Sampling::kRandom, Sampling::kStratifiedBlind}) {
        CAPTURE(t);
        CAPTURE(MethodName(method));
        CAPTURE(SamplingName(sampling));
        const auto design = DesignCodebook(weights, {.method = method, .sampling = {.sampling = sampling}});
        REQUIRE(design);
        const auto& levels = design->codebook.levels;
        REQUIRE(levels.size() == 16);
        CHECK(std::ranges::is_sorted(levels));
        const auto [low, high] = std::ranges::minmax(weights);
        if (method != Method::kNf4) {
          CHECK(levels.front() >= static_cast<double>(low));
          CHECK(levels.back() <= static_cast<double>(high));
        }
        CHECK(std::isfinite(levels.front() + levels.back()));
        CHECK(design->weights_scanned <= weights.size());
      }
    }
  }
  for (const float bad : {infinity, -infinity, std::numeric_limits<float>::quiet_NaN()}) {
    auto weights = GaussianWeights(3000, 10);
    weights[1234] = bad;
    for (const Method method : kAllMethods) {
      const auto design = DesignCodebook(weights, {.method = method});
      REQUIRE(!design);
      CHECK(design.error().code == ErrorCode::kNotFinite);
      CHECK(design.error().message.find("1234") != std::string::npos);
    }
  }
  CHECK(DesignCodebook({}).error().code == ErrorCode::kEmptySample);
}

TEST_CASE("Channels divided by their scales get the levels of a divided copy") {
  const auto weights = GaussianWeights(80'000, 11);
  const std::vector<float> scales = {0.5F, 3, 0, 0.01F};
  auto divided = weights;
  for (std::size_t i = 0; i < divided.size(); ++i) {
    if (const float scale = scales[i / 20'000]; scale > 0) divided[i] /= scale;
  }
  for (const Method method : kAllMethods) {
    CAPTURE(MethodName(method));
    const auto design = DesignCodebook(ScaledWeights(weights, scales), {.method = method}).value();
    CHECK(design.codebook.levels == DesignCodebook(divided, {.method = method})->codebook.levels);
  }
  // Few different values only until the last weight.
  std::vector<float> few(6000, 1);
  few.back() = 7;
  const auto design = DesignCodebook(ScaledWeights(few, std::vector<float>{2, 4}), {.levels = 4}).value();
  CHECK(design.codebook.levels == std::vector<double>{0.25, 0.5, 1.75, 1.75});
}

TEST_CASE("A sample drawn beforehand and a distribution give the levels that DesignCodebook gives") {
  const auto weights = GaussianWeights(50'000, 11);
  for (const Method method : kAllMethods) {
    CAPTURE(MethodName(method));
    const DesignOptions options{.method = method, .sampling = {.count = 500, .seed = 3}, .density = {.factor = 0.7}};
    const auto whole = DesignCodebook(weights, options).value();
    if (UsesDensity(method)) {
      const auto parts = DesignOnSample(DrawSample(weights, options.sampling).value(), options).value();
      CHECK(parts.codebook.levels == whole.codebook.levels);
      CHECK(parts.density.bandwidth == whole.bandwidth);
      const auto unclamped = DesignOnDistribution(CumulativeMoments(parts.density), options).value();
      CHECK(unclamped.levels[8] == whole.codebook.levels[8]);
    } else if (method == Method::kOptimal) {
      const auto histogram = BuildMomentHistogram(weights, 16384).value();
      CHECK(DesignOnDistribution(CumulativeMoments(histogram), options)->levels == whole.codebook.levels);
    } else {
      CHECK(DesignOnDistribution(CumulativeMoments(weights), options)->levels == whole.codebook.levels);
    }
  }
  const auto equal = DrawSample(std::vector<float>(10, 0.5F)).value();
  CHECK(DesignOnSample(equal).error().code == ErrorCode::kConstantSample);
  CHECK(DesignOnDistribution(CumulativeMoments(weights), {.levels = 1}).error().code == ErrorCode::kUsage);
}

}  // namespace
}  // namespace kdequant
