#include "kdequant/compensation/gram.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "interval.h"
#include "layers.h"

namespace kdequant {
namespace {

TEST_CASE("The Gram matrix of small integers is exact, whatever the number of rows and columns") {
  for (const std::size_t columns : {1U, 3U, 64U, 65U, 150U}) {
    for (const std::size_t positions : {1U, 2U, 511U, 512U, 513U, 1100U}) {
      CAPTURE(columns);
      CAPTURE(positions);
      Random random(columns * 10000 + positions);
      std::vector<float> rows(positions * columns);
      for (auto& x : rows) x = static_cast<float>(static_cast<int>(random.Below(2001)) - 1000);
      const Gram gram = GramOf(rows, columns);
      const Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>> x(
          rows.data(), static_cast<Eigen::Index>(positions), static_cast<Eigen::Index>(columns));
      const Matrix exact = x.cast<double>().transpose() * x.cast<double>();
      CHECK((ToMatrix(gram) - exact).cwiseAbs().maxCoeff() == 0);
      CHECK(gram.positions == positions);
    }
  }
}

TEST_CASE("A full block of the largest values does not overflow") {
  // Every value becomes 2047 units with the same sign: the sum of 512 squares is 33 thousand short of 2^31.
  const std::vector<float> rows(512 * 8, 2047.9F);
  const Gram gram = GramOf(rows, 8);
  CHECK(gram.products.At(3, 3) == 512.0 * 2047 * 2047);
}

TEST_CASE("Rounding to 12 bits changes each product by less than 2e-4 of the sizes of its two columns") {
  const std::size_t columns = 96;
  const std::vector<float> rows = CorrelatedRows(1500, columns, 3);
  const Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>> x(
      rows.data(), 1500, static_cast<Eigen::Index>(columns));
  const Matrix exact = x.cast<double>().transpose() * x.cast<double>();
  const Matrix difference = ToMatrix(GramOf(rows, columns)) - exact;
  // Against each pair's own size: a small column next to a large one is as exact.
  double worst = 0;
  for (Eigen::Index i = 0; i < difference.rows(); ++i) {
    for (Eigen::Index j = 0; j < difference.cols(); ++j) {
      worst = std::max(worst, std::abs(difference(i, j)) / std::sqrt(exact(i, i) * exact(j, j)));
    }
  }
  CHECK(worst == Interval(1e-6, 2e-4));
}

TEST_CASE("Folding in the shortest steps gives the same sums as folding in one") {
  const std::size_t columns = 200;
  const std::vector<float> rows = CorrelatedRows(600, columns, 5);
  GramAccumulator accumulator = GramAccumulator::Create(columns).value();
  int steps = 0;
  for (std::size_t p = 0; p < 600; ++p) {
    accumulator.Add(std::span(rows).subspan(p * columns, columns));
    if (accumulator.Room() > 0) continue;
    for (double before = accumulator.FoldProgress(); !accumulator.Fold(0); before = accumulator.FoldProgress()) {
      CHECK(accumulator.FoldProgress() >= before);
      CHECK(accumulator.Room() == 0);
      ++steps;
    }
  }
  while (!accumulator.Fold(0)) {
  }
  CHECK(steps == 10);  // packing and the ten tiles of 4 x 4 tiles' lower half
  const Gram stepwise = accumulator.Take();
  const Gram at_once = GramOf(rows, columns);
  CHECK((ToMatrix(stepwise) - ToMatrix(at_once)).cwiseAbs().maxCoeff() == 0);
}

TEST_CASE("Columns of zeros and of denormals have no energy") {
  std::vector<float> rows(10 * 3, 1.0F);
  for (std::size_t p = 0; p < 10; ++p) {
    rows[p * 3 + 1] = 0;
    rows[p * 3 + 2] = 1e-40F;
  }
  const Gram gram = GramOf(rows, 3);
  CHECK(gram.products.At(0, 0) == 10);
  CHECK(gram.products.At(1, 1) == 0);
  CHECK(gram.products.At(2, 2) == 0);
  CHECK(gram.products.At(2, 0) == 0);
}

}  // namespace
}  // namespace kdequant
