#include "kdequant/density/bandwidth.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "density_golden.h"
#include "interval.h"
#include "kdequant/base/random.h"

namespace kdequant {
namespace {

Sample EqualWeights(std::vector<double> values) {
  std::ranges::sort(values);
  Sample sample{.values = std::move(values)};
  sample.weights.assign(sample.values.size(), 1);
  sample.population = sample.values.size();
  sample.min = sample.values.front();
  sample.max = sample.values.back();
  return sample;
}

Sample GoldenSample() { return EqualWeights({std::begin(golden::kValues), std::end(golden::kValues)}); }

const Grid kFine{.low = 0, .step = 1e-9, .size = 64};

TEST_CASE("Silverman's rule is statsmodels' where the standard deviation decides") {
  CHECK(SilvermanBandwidth(GoldenSample(), kFine).value() == doctest::Approx(golden::kSilverman).epsilon(1e-12));
  std::vector<double> narrow;
  std::ranges::copy_if(golden::kValues, std::back_inserter(narrow), [](double x) { return x > -0.4 && x < 0.4; });
  CHECK(SilvermanBandwidth(EqualWeights(narrow), kFine).value() ==
        doctest::Approx(golden::kSilvermanNarrow).epsilon(1e-12));
}

TEST_CASE("Improved Sheather-Jones finds the best bandwidth of a Gaussian, 1.06 n^(-1/5)") {
  // The quantiles of a standard Gaussian, by bisection of its distribution function.
  constexpr int kCount = 1000;
  std::vector<double> quantiles;
  for (int i = 0; i < kCount; ++i) {
    double low = -6;
    double high = 6;
    for (int step = 0; step < 60; ++step) {
      const double middle = (low + high) / 2;
      (0.5 * std::erfc(-middle / std::sqrt(2.0)) < (i + 0.5) / kCount ? low : high) = middle;
    }
    quantiles.push_back(low);
  }
  const double best = 1.06 * std::pow(kCount, -0.2);
  CHECK(SheatherJonesBandwidth(EqualWeights(quantiles), kFine).value() / best == Interval(0.85, 1.2));
}

TEST_CASE("Scaling and moving the weights scales and moves nothing but the bandwidth's unit") {
  for (const auto rule : {SilvermanBandwidth, SheatherJonesBandwidth}) {
    std::vector<double> moved;
    for (const double x : golden::kValues) moved.push_back(0.01 * x + 7);
    CHECK(rule(EqualWeights(moved), kFine).value() ==
          doctest::Approx(0.01 * rule(GoldenSample(), kFine).value()).epsilon(1e-6));
  }
}

TEST_CASE("A value of weight 3 counts like three values, but for the sample size") {
  Sample weighted = GoldenSample();
  for (std::size_t i = 0; i < weighted.weights.size(); ++i) weighted.weights[i] = i % 2 == 0 ? 1 : 3;
  std::vector<double> repeated;
  for (std::size_t i = 0; i < weighted.values.size(); ++i) {
    for (int k = 0; k < (i % 2 == 0 ? 1 : 3); ++k) repeated.push_back(weighted.values[i]);
  }
  // Kish's size of 100 ones and 100 threes is 400^2 / 1000 = 160, not 400.
  CHECK(weighted.EffectiveSize() == doctest::Approx(160));
  const double ratio =
      SilvermanBandwidth(weighted, kFine).value() / SilvermanBandwidth(EqualWeights(repeated), kFine).value();
  CHECK(ratio == Interval(1.19, 1.21));  // (400 / 160)^(1/5) = 1.2011
}

TEST_CASE("Sheather-Jones sees two narrow modes where Silverman's rule sees one wide one") {
  Random random(5);
  std::vector<double> values;
  for (int i = 0; i < 1000; ++i) values.push_back((i % 2 == 0 ? -1 : 1) + 0.05 * random.Normal());
  const Sample sample = EqualWeights(values);
  CHECK(SilvermanBandwidth(sample, kFine).value() == Interval(0.2, 0.25));
  CHECK(SheatherJonesBandwidth(sample, kFine).value() == Interval(0.01, 0.02));
}

TEST_CASE("A pruned layer, whose quartiles are both 0, is measured by its deviation") {
  std::vector<double> values(900, 0.0);
  for (int i = 1; i <= 100; ++i) values.push_back(i % 2 == 0 ? i : -i);
  CHECK(SilvermanBandwidth(EqualWeights(values), kFine).value() == Interval(3, 5));
}

TEST_CASE("The bandwidth is never below one step of the grid") {
  const Grid coarse{.low = 0, .step = 10, .size = 64};
  CHECK(SilvermanBandwidth(GoldenSample(), coarse).value() == 10);
  CHECK(SheatherJonesBandwidth(GoldenSample(), coarse).value() == 10);
}

TEST_CASE("Nothing, or one value, has no bandwidth") {
  CHECK(SilvermanBandwidth({}, kFine).error().code == ErrorCode::kEmptySample);
  CHECK(SilvermanBandwidth(EqualWeights({2, 2, 2}), kFine).error().code == ErrorCode::kConstantSample);
  CHECK(SheatherJonesBandwidth({}, kFine).error().code == ErrorCode::kEmptySample);
  CHECK(SheatherJonesBandwidth(EqualWeights({2, 2, 2}), kFine).error().code == ErrorCode::kConstantSample);
  CHECK(SheatherJonesBandwidth(EqualWeights({1, 2}), kFine).value() > 0);
}

TEST_CASE("Rules have the command line's names") {
  CHECK(ParseBandwidthRule("silverman") == BandwidthRule::kSilverman);
  CHECK(ParseBandwidthRule("isj") == BandwidthRule::kIsj);
  CHECK(ParseBandwidthRule("scott").error().message.find("silverman or isj") != std::string::npos);
}

}  // namespace
}  // namespace kdequant
