#include "kdequant/compensation/factor.h"

#include <doctest/doctest.h>

#include <Eigen/Cholesky>
#include <Eigen/LU>
#include <limits>
#include <set>
#include <vector>

#include "layers.h"

namespace kdequant {
namespace {

TEST_CASE("The factor multiplies back to the damped Gram matrix") {
  for (const std::size_t columns : {1U, 2U, 63U, 64U, 65U, 130U, 300U}) {
    CAPTURE(columns);
    const Gram gram = GramOf(CorrelatedRows(2 * columns, columns, columns), columns);
    const Factor factor = FactorOf(gram);
    CHECK(factor.damping == 0.01);
    const Matrix expected = Damped(gram, 0.01);
    CHECK((Multiplied(factor) - expected).cwiseAbs().maxCoeff() < 1e-6 * expected.diagonal().maxCoeff());
  }
}

TEST_CASE("Its inverse is GPTQ's factor: the upper Cholesky factor of the inverse, by Eigen") {
  const std::size_t columns = 100;
  const Gram gram = GramOf(CorrelatedRows(300, columns, 9), columns);
  const Factor factor = FactorOf(gram, {.damping = 0.01, .order_by_energy = false});
  const Matrix u = Eigen::LLT<Matrix>(Damped(gram, 0.01).inverse().eval()).matrixU();
  // U = (sqrt(scale) M sqrt(D))^-1.
  Matrix r = Matrix::Zero(100, 100);
  for (Eigen::Index k = 0; k < 100; ++k) {
    for (Eigen::Index i = 0; i <= k; ++i) {
      r(i, k) = std::sqrt(factor.scale * static_cast<double>(factor.pivots[static_cast<std::size_t>(k)])) *
                static_cast<double>(factor.unit.At(static_cast<std::size_t>(k), static_cast<std::size_t>(i)));
    }
  }
  const Matrix ours = r.inverse();
  CHECK((ours - u).cwiseAbs().maxCoeff() < 1e-5 * u.cwiseAbs().maxCoeff());
}

TEST_CASE("Columns come by falling energy, equals by index") {
  Matrix h = Matrix::Zero(5, 5);
  h.diagonal() << 1, 3, 2, 3, 0;
  const Factor factor = FactorOf(GramFrom(h));
  CHECK(factor.order == std::vector<std::uint32_t>{1, 3, 2, 0, 4});
  CHECK(FactorOf(GramFrom(h), {.damping = 0.01, .order_by_energy = false}).order ==
        std::vector<std::uint32_t>{0, 1, 2, 3, 4});
}

TEST_CASE("Columns of zeros stay apart and do not lower the mean") {
  std::vector<float> rows = CorrelatedRows(400, 80, 11);
  for (std::size_t p = 0; p < 400; ++p) {
    for (const std::size_t dead : {0U, 7U, 79U}) rows[p * 80 + dead] = 0;
  }
  const Gram gram = GramOf(rows, 80);
  const Factor factor = FactorOf(gram);
  const Matrix expected = Damped(gram, 0.01);
  CHECK((Multiplied(factor) - expected).cwiseAbs().maxCoeff() < 1e-6 * expected.diagonal().maxCoeff());
  CHECK(std::set<std::uint32_t>(factor.order.end() - 3, factor.order.end()) == std::set<std::uint32_t>{0, 7, 79});
}

TEST_CASE("A matrix without rank is factored by its damping alone") {
  SUBCASE("one position") {
    const std::vector<float> row = CorrelatedRows(1, 150, 12);
    const Gram gram = GramOf(row, 150);
    const Factor factor = FactorOf(gram);
    CHECK(factor.damping == 0.01);
    const Matrix expected = Damped(gram, 0.01);
    CHECK((Multiplied(factor) - expected).cwiseAbs().maxCoeff() < 1e-6 * expected.diagonal().maxCoeff());
  }
  SUBCASE("nothing but zeros") {
    const Gram gram = GramOf(std::vector<float>(10 * 70), 70);
    const Factor factor = FactorOf(gram);
    for (std::size_t k = 0; k < 70; ++k) CHECK(factor.pivots[k] == doctest::Approx(1.01));
  }
}

TEST_CASE("Damping grows until a matrix that is not positive definite has a factor") {
  // Eigenvalues 1.5 and -0.5 of the first two columns; damping 0.01 and 0.1 leave one negative.
  Matrix h = Matrix::Identity(70, 70);
  h(0, 1) = h(1, 0) = 1.5;
  const Factor factor = FactorOf(GramFrom(h));
  CHECK(factor.damping == doctest::Approx(1));
}

TEST_CASE("What cannot be factored is said") {
  Matrix h = Matrix::Identity(3, 3);
  h(1, 1) = std::numeric_limits<double>::quiet_NaN();
  const auto nan = FactorJob::Create(GramFrom(h));
  REQUIRE_FALSE(nan);
  CHECK(nan.error().code == ErrorCode::kNotFinite);

  h = Matrix::Identity(3, 3);
  h(2, 1) = h(1, 2) = std::numeric_limits<double>::infinity();
  const Gram with_infinity = GramFrom(h);
  auto job = FactorJob::Create(with_infinity).value();
  const auto infinite = Finish(*job);
  REQUIRE_FALSE(infinite);
  CHECK(infinite.error().code == ErrorCode::kInternal);

  Gram empty = GramFrom(Matrix::Identity(3, 3));
  empty.positions = 0;
  CHECK(FactorJob::Create(empty).error().code == ErrorCode::kEmptySample);
}

TEST_CASE("Short steps and long ones give the same factor, and progress never falls") {
  const Gram gram = GramOf(CorrelatedRows(600, 300, 13), 300);
  const Factor at_once = FactorOf(gram);
  auto job = FactorJob::Create(gram).value();
  double before = 0;
  int steps = 0;
  while (!job->Step(0).value()) {
    CHECK(job->progress().fraction >= before);
    CHECK(job->progress().fraction < 1);
    before = job->progress().fraction;
    ++steps;
  }
  CHECK(steps > 30);
  CHECK(job->progress().fraction == 1);
  const Factor stepwise = job->TakeFactor();
  CHECK(stepwise.pivots == at_once.pivots);
  bool equal = true;
  for (std::size_t k = 0; k < 300; ++k) {
    for (std::size_t i = 0; i <= k; ++i) equal = equal && stepwise.unit.At(k, i) == at_once.unit.At(k, i);
  }
  CHECK(equal);
}

}  // namespace
}  // namespace kdequant
