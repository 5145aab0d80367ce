#include "kdequant/density/moments.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kdequant/base/random.h"

namespace kdequant {
namespace {

std::vector<float> GaussianWeights(std::size_t count, double mean, double deviation) {
  Random random(count);
  std::vector<float> weights(count);
  for (auto& w : weights) w = static_cast<float>(mean + deviation * random.Normal());
  return weights;
}

// The moments of (low, high] by their definition.
CellMoments Direct(const std::vector<float>& weights, double low, double high) {
  CellMoments cell;
  for (const float w : weights) {
    const auto x = static_cast<double>(w);
    if (x > low && x <= high) {
      cell.mass += 1;
      cell.mean += x;
    }
  }
  if (cell.mass > 0) cell.mean /= cell.mass;
  for (const float w : weights) {
    const auto x = static_cast<double>(w);
    if (x > low && x <= high) cell.scatter += (x - cell.mean) * (x - cell.mean);
  }
  return cell;
}

TEST_CASE("Moments of weights are exact on every interval, also far from zero") {
  for (const double mean : {0.0, 1000.0}) {
    const auto weights = GaussianWeights(3000, mean, 0.1);
    const CumulativeMoments moments(weights);
    for (const double low : {-1.0, -0.15, 0.0, 0.07}) {
      const CellMoments expected = Direct(weights, mean + low, mean + low + 0.1);
      const CellMoments cell = moments.Between(mean + low, mean + low + 0.1);
      CHECK(cell.mass == expected.mass);
      CHECK(cell.mean == doctest::Approx(expected.mean).epsilon(1e-12));
      CHECK(cell.scatter == doctest::Approx(expected.scatter).epsilon(1e-8));
    }
  }
}

TEST_CASE("A value on the border belongs to the lower interval") {
  const CumulativeMoments moments(std::vector<float>{1, 2, 2, 3});
  CHECK(moments.pieces() == 3);
  CHECK(moments.Between(0, 2).mass == 3);
  CHECK(moments.Between(2, 3).mass == 1);
  CHECK(moments.Between(3, 9).mass == 0);
  CHECK(moments.min() == 1);
  CHECK(moments.max() == 3);
}

TEST_CASE("A histogram's moments are exact between bins and near enough within them") {
  const auto weights = GaussianWeights(200'000, 0.3, 1);
  const auto histogram = BuildMomentHistogram(weights, 512).value();
  const CumulativeMoments moments(histogram);
  const CellMoments at_edges = moments.Between(histogram.grid.Edge(100), histogram.grid.Edge(300));
  const CellMoments expected = Direct(weights, histogram.grid.Edge(100), histogram.grid.Edge(300));
  CHECK(at_edges.mass == doctest::Approx(expected.mass).epsilon(1e-9));
  CHECK(at_edges.mean == doctest::Approx(expected.mean).epsilon(1e-9));
  CHECK(at_edges.scatter == doctest::Approx(expected.scatter).epsilon(1e-6));
  const CellMoments within = moments.Between(-0.5, 0.25);
  const CellMoments direct = Direct(weights, -0.5, 0.25);
  CHECK(within.mass == doctest::Approx(direct.mass).epsilon(0.003));
  CHECK(within.mean == doctest::Approx(direct.mean).epsilon(0.003));
  CHECK(within.scatter == doctest::Approx(direct.scatter).epsilon(0.005));
}

TEST_CASE("The parts of a cell add up to the cell") {
  const auto weights = GaussianWeights(5000, 0, 1);
  const CumulativeMoments moments(BuildMomentHistogram(weights, 64).value());
  const CellMoments whole = moments.Between(-0.7, 0.9);
  const CellMoments left = moments.Between(-0.7, 0.12);
  const CellMoments right = moments.Between(0.12, 0.9);
  CHECK(left.mass + right.mass == doctest::Approx(whole.mass));
  CHECK(left.SquaredError(0.5) + right.SquaredError(0.5) == doctest::Approx(whole.SquaredError(0.5)));
}

TEST_CASE("A level density has the moments of a uniform distribution on any interval") {
  Density density{.grid = {.low = 2, .step = 0.25, .size = 16}, .values = std::vector<double>(16, 0.25)};
  const CumulativeMoments moments(density);
  const CellMoments cell = moments.Between(2.1, 5.3);
  CHECK(cell.mass == doctest::Approx(0.8));
  CHECK(cell.mean == doctest::Approx(3.7));
  CHECK(cell.scatter == doctest::Approx(0.8 * 3.2 * 3.2 / 12));
  CHECK(moments.Below(1).mass == 0);
  CHECK(moments.Below(7).mass == doctest::Approx(1));
  CHECK(moments.DensityAt(3.7) == doctest::Approx(0.25));
  CHECK(moments.DensityAt(1.9) == 0);
  CHECK(moments.DensityAt(6.1) == 0);
  CHECK(CumulativeMoments(std::vector<float>{1, 2}).DensityAt(1.5) == 0);
}

TEST_CASE("A histogram counts every weight once, with its sum and square") {
  auto weights = GaussianWeights(10'000, 0, 1e-3);
  weights.push_back(0.5F);
  const auto histogram = BuildMomentHistogram(weights, 100).value();
  double count = 0, sum = 0, squares = 0, direct_sum = 0, direct_squares = 0;
  for (const auto& bin : histogram.bins) {
    count += bin.count;
    sum += bin.sum;
    squares += bin.sum_squares;
  }
  for (const float w : weights) {
    direct_sum += static_cast<double>(w);
    direct_squares += static_cast<double>(w) * static_cast<double>(w);
  }
  CHECK(count == 10'001);
  CHECK(histogram.population == 10'001);
  CHECK(sum == doctest::Approx(direct_sum));
  CHECK(squares == doctest::Approx(direct_squares));
  CHECK(histogram.bins.back().count == 1);
}

TEST_CASE("Equal weights make one bin of width 0, and its moments can be asked for") {
  const auto histogram = BuildMomentHistogram(std::vector<float>(7, 2.5F), 100).value();
  CHECK(histogram.bins.size() == 1);
  CHECK(histogram.bins[0].count == 7);
  const CumulativeMoments moments(histogram);
  CHECK(moments.Between(1, 2.5).mass == 7);
  CHECK(moments.Between(1, 2.4).mass == 0);
  CHECK(moments.Between(2.5, 4).mass == 0);
}

TEST_CASE("A histogram of nothing or of a NaN is refused") {
  CHECK(BuildMomentHistogram({}, 10).error().code == ErrorCode::kEmptySample);
  const std::vector<float> bad = {0, std::numeric_limits<float>::quiet_NaN()};
  CHECK(BuildMomentHistogram(bad, 10).error().code == ErrorCode::kNotFinite);
}

}  // namespace
}  // namespace kdequant
