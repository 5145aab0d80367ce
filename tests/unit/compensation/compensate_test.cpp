#include "kdequant/compensation/compensate.h"

#include <doctest/doctest.h>

#include <Eigen/Cholesky>
#include <Eigen/LU>
#include <algorithm>
#include <limits>
#include <vector>

#include "interval.h"
#include "layers.h"

namespace kdequant {
namespace {

// GPTQ as its paper writes it, in float64, with the inverse: columns in `order`, the error of each spread over the
// later ones by a row of U = chol(H^-1)^T.
std::vector<std::uint8_t> PlainGptq(const Matrix& h, const std::vector<std::uint32_t>& order,
                                    std::span<const float> weights, std::span<const float> levels) {
  const Eigen::Index columns = h.rows();
  Matrix ordered(columns, columns);
  for (Eigen::Index i = 0; i < columns; ++i) {
    for (Eigen::Index j = 0; j < columns; ++j) {
      ordered(i, j) = h(order[static_cast<std::size_t>(i)], order[static_cast<std::size_t>(j)]);
    }
  }
  const Matrix u = Eigen::LLT<Matrix>(ordered.inverse().eval()).matrixU();
  std::vector<std::uint8_t> indices(weights.size());
  for (std::size_t start = 0; start < weights.size(); start += order.size()) {
    Eigen::VectorXd w(columns);
    for (Eigen::Index k = 0; k < columns; ++k)
      w(k) = static_cast<double>(weights[start + order[static_cast<std::size_t>(k)]]);
    for (Eigen::Index k = 0; k < columns; ++k) {
      const std::uint8_t index = NearestIndex(static_cast<float>(w(k)), levels);
      indices[start + order[static_cast<std::size_t>(k)]] = index;
      const double error = (w(k) - static_cast<double>(levels[index])) / u(k, k);
      for (Eigen::Index j = k; j < columns; ++j) w(j) -= error * u(k, j);
    }
  }
  return indices;
}

TEST_CASE("The indices are those of GPTQ with an inverted matrix in float64") {
  const std::vector<float> levels = GaussianLevels();
  for (const std::size_t columns : {5U, 64U, 150U}) {
    CAPTURE(columns);
    const Gram gram = GramOf(CorrelatedRows(3 * columns, columns, 20 + columns), columns);
    const Factor factor = FactorOf(gram);
    const std::vector<float> weights = NormalFloats(40 * columns, 21);
    const CompensationResult ours = Compensate(factor, weights, levels);
    const std::vector<std::uint8_t> plain = PlainGptq(Damped(gram, 0.01), factor.order, weights, levels);
    // float32 may round a weight that lies within a millionth of a midpoint to the other side, and then the rest of its
    // row differs; a row that fell back to nearest rounding differs too.
    int equal_rows = 0;
    for (std::size_t o = 0; o < 40; ++o) {
      if (std::equal(plain.begin() + static_cast<std::ptrdiff_t>(o * columns),
                     plain.begin() + static_cast<std::ptrdiff_t>((o + 1) * columns),
                     ours.indices.begin() + static_cast<std::ptrdiff_t>(o * columns))) {
        ++equal_rows;
      }
    }
    CHECK(equal_rows + static_cast<int>(ours.nearest_channels) >= 38);
  }
}

TEST_CASE("On correlated inputs compensation loses a fraction of what nearest rounding loses") {
  const std::vector<float> levels = GaussianLevels();
  const std::size_t columns = 288;
  const std::vector<float> rows = CorrelatedRows(2 * columns, columns, 30);
  const Gram gram = GramOf(rows, columns);
  const std::vector<float> weights = NormalFloats(64 * columns, 31);
  const CompensationResult result = Compensate(FactorOf(gram), weights, levels);
  const Matrix h = Damped(gram, 0.01);
  const double loss = Loss(h, weights, result.indices, levels);
  CHECK(result.loss == doctest::Approx(loss).epsilon(1e-4));
  CHECK(result.nearest_channels == 0);
  CHECK(loss / Loss(h, weights, NearestIndices(weights, levels), levels) == Interval(0.1, 0.4));

  SUBCASE("and a Gram matrix rounded to 12 bits is as good as the exact one") {
    const Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>> x(
        rows.data(), static_cast<Eigen::Index>(2 * columns), static_cast<Eigen::Index>(columns));
    const Matrix exact = x.cast<double>().transpose() * x.cast<double>();
    const CompensationResult by_exact = Compensate(FactorOf(GramFrom(exact)), weights, levels);
    CHECK(Loss(exact, weights, result.indices, levels) / Loss(exact, weights, by_exact.indices, levels) ==
          Interval(0.99, 1.01));
  }
  SUBCASE("and the order by energy is better than the columns' own") {
    const Factor unordered = FactorOf(gram, {.damping = 0.01, .order_by_energy = false});
    CHECK(loss < 0.97 * Loss(h, weights, Compensate(unordered, weights, levels).indices, levels));
  }
}

TEST_CASE("With few columns it is close to the best of all combinations, on average") {
  const std::vector<float> levels{-1.5F, -0.45F, 0.45F, 1.5F};
  double best_sum = 0;
  double ours_sum = 0;
  double nearest_sum = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Gram gram = GramOf(CorrelatedRows(40, 6, 100 + seed), 6);
    const Matrix h = Damped(gram, 0.01) / ToMatrix(gram).trace();
    const std::vector<float> weights = NormalFloats(6, 200 + seed);
    double best = std::numeric_limits<double>::infinity();
    for (unsigned combination = 0; combination < 4096; ++combination) {
      std::vector<std::uint8_t> indices(6);
      for (unsigned k = 0; k < 6; ++k) indices[k] = static_cast<std::uint8_t>((combination >> (2 * k)) & 3U);
      best = std::min(best, RowLoss(h, weights, indices, levels));
    }
    const double ours = Loss(h, weights, Compensate(FactorOf(gram), weights, levels).indices, levels);
    const double nearest = Loss(h, weights, NearestIndices(weights, levels), levels);
    CHECK(ours >= best * (1 - 1e-9));
    CHECK(ours <= nearest * (1 + 1e-6));
    best_sum += best;
    ours_sum += ours;
    nearest_sum += nearest;
  }
  CHECK(ours_sum / best_sum == Interval(1.0, 1.35));
  CHECK(nearest_sum / best_sum == Interval(1.5, 10));
}

TEST_CASE("Inputs that do not go together leave nearest rounding") {
  const std::vector<float> levels = GaussianLevels();
  const std::vector<float> weights = NormalFloats(10 * 130, 40);
  Matrix h = Matrix::Identity(130, 130);
  h(5, 5) = 0;
  h(7, 7) = 4;
  CHECK(Compensate(FactorOf(GramFrom(h)), weights, levels).indices == NearestIndices(weights, levels));
}

TEST_CASE("One column, and one position, still give indices") {
  const std::vector<float> levels = GaussianLevels();
  SUBCASE("one column") {
    const Gram gram = GramOf(CorrelatedRows(5, 1, 41), 1);
    const std::vector<float> weights = NormalFloats(33, 42);
    CHECK(Compensate(FactorOf(gram), weights, levels).indices == NearestIndices(weights, levels));
  }
  SUBCASE("one position: the errors are made to cancel in the only direction that was seen") {
    const std::vector<float> row = CorrelatedRows(1, 100, 43);
    const Gram gram = GramOf(row, 100);
    const std::vector<float> weights = NormalFloats(8 * 100, 44);
    const auto indices = Compensate(FactorOf(gram), weights, levels).indices;
    const Matrix h = ToMatrix(gram);
    CHECK(Loss(h, weights, indices, levels) < 0.05 * Loss(h, weights, NearestIndices(weights, levels), levels));
  }
}

TEST_CASE("No channel is worse off than by nearest rounding") {
  // Few columns and coarse levels, where being greedy does not always pay; then more.
  const std::vector<float> levels{-0.5F, -0.2F, 0.2F, 0.5F};
  std::size_t fallen_back = 0;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const std::size_t columns = seed < 8 ? 2 + seed : 10 * seed;
    const Gram gram = GramOf(CorrelatedRows(2 * columns, columns, 300 + seed), columns);
    const Matrix h = Damped(gram, 0.01);
    const std::vector<float> weights = NormalFloats(50 * columns, 400 + seed);
    const CompensationResult result = Compensate(FactorOf(gram), weights, levels);
    const std::vector<std::uint8_t> nearest = NearestIndices(weights, levels);
    double loss = 0;
    std::size_t same_as_nearest = 0;
    for (std::size_t o = 0; o < 50; ++o) {
      const std::span row = std::span(weights).subspan(o * columns, columns);
      const std::span ours = std::span(result.indices).subspan(o * columns, columns);
      const std::span theirs = std::span(nearest).subspan(o * columns, columns);
      const double row_loss = RowLoss(h, row, ours, levels);
      CHECK(row_loss <= RowLoss(h, row, theirs, levels) * (1 + 1e-5));
      loss += row_loss;
      if (std::ranges::equal(ours, theirs)) ++same_as_nearest;
    }
    CHECK(result.nearest_channels <= same_as_nearest);
    CHECK(result.loss == doctest::Approx(loss).epsilon(1e-4));
    fallen_back += result.nearest_channels;
  }
  CHECK(fallen_back > 0);
}

TEST_CASE("Exchanging columns exchanges their indices and nothing else") {
  const std::size_t columns = 140;
  const std::vector<float> rows = CorrelatedRows(300, columns, 50);
  const std::vector<float> weights = NormalFloats(35 * columns, 51);
  std::vector<std::size_t> exchange(columns);
  for (std::size_t j = 0; j < columns; ++j) exchange[j] = (j * 37 + 11) % columns;
  const auto exchanged = [&](std::span<const float> matrix) {
    std::vector<float> result(matrix.size());
    for (std::size_t i = 0; i < matrix.size(); ++i) result[i / columns * columns + exchange[i % columns]] = matrix[i];
    return result;
  };
  const std::vector<float> levels = GaussianLevels();
  const auto indices = Compensate(FactorOf(GramOf(rows, columns)), weights, levels).indices;
  const auto others = Compensate(FactorOf(GramOf(exchanged(rows), columns)), exchanged(weights), levels).indices;
  bool equal = true;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    equal = equal && indices[i] == others[i / columns * columns + exchange[i % columns]];
  }
  CHECK(equal);
}

TEST_CASE("Scales, a table per channel and a range of columns mean what plain scaled rows mean") {
  const std::size_t columns = 70;
  const Factor factor = FactorOf(GramOf(CorrelatedRows(200, columns, 60), columns));
  const std::vector<float> weights = NormalFloats(40 * columns, 61);
  const std::vector<float> levels = GaussianLevels();
  const std::vector<std::uint8_t> expected = Compensate(factor, weights, levels).indices;

  // Powers of two, so that scaling is exact; every other channel has its table doubled instead. The rows lie in wider
  // ones.
  std::vector<float> wide(40 * 100, 1e30F);
  std::vector<float> scales;
  std::vector<float> tables;
  for (std::size_t o = 0; o < 40; ++o) {
    const float factor_of_row = o % 3 == 0 ? 4.0F : 0.25F;
    scales.push_back(o % 2 == 0 ? factor_of_row / 2 : factor_of_row);
    for (const float level : levels) tables.push_back(o % 2 == 0 ? 2 * level : level);
    for (std::size_t k = 0; k < columns; ++k) wide[o * 100 + 17 + k] = factor_of_row * weights[o * columns + k];
  }
  const CompensationResult result = Compensate(factor, {.weights = wide,
                                                        .channels = 40,
                                                        .row_columns = 100,
                                                        .range = {.begin = 17, .end = 87},
                                                        .scales = scales,
                                                        .levels = tables,
                                                        .levels_per_table = 16});
  CHECK(result.indices == expected);
}

TEST_CASE("Levels and scales fitted to the corrected weights lose less when these are compensated anew") {
  const std::size_t columns = 150;
  const Gram gram = GramOf(CorrelatedRows(450, columns, 72), columns);
  const Factor factor = FactorOf(gram);
  const std::vector<float> weights = NormalFloats(64 * columns, 73);
  // Levels and scales that are a fifth too large.
  std::vector<float> levels = GaussianLevels();
  for (auto& level : levels) level *= 1.2F;
  std::vector<float> scales(64, 1.0F);
  const auto compensate = [&] {
    return Compensate(factor, {.weights = weights,
                               .channels = 64,
                               .row_columns = columns,
                               .range = {.begin = 0, .end = columns},
                               .scales = scales,
                               .levels = levels,
                               .levels_per_table = 16,
                               .fit = true});
  };
  const CompensationResult first = compensate();
  REQUIRE(first.fit.scale_factors.size() == 64);
  REQUIRE(first.fit.level_shifts.size() == 16);
  for (const float growth : first.fit.scale_factors) CHECK(growth == Interval(0.5, 2));
  for (int round = 0; round < 3; ++round) {
    const CodebookFit fit = compensate().fit;
    for (std::size_t o = 0; o < 64; ++o) scales[o] *= fit.scale_factors[o];
    for (std::size_t i = 0; i < 16; ++i)
      levels[i] = static_cast<float>(static_cast<double>(levels[i]) + fit.level_shifts[i]);
    CHECK(std::ranges::is_sorted(levels));
  }
  CHECK(compensate().loss < 0.95 * first.loss);
}

TEST_CASE("Channels that share tables are compensated as if each had a copy of its own") {
  const std::size_t columns = 60;
  const Factor factor = FactorOf(GramOf(CorrelatedRows(150, columns, 74), columns));
  const std::vector<float> weights = NormalFloats(20 * columns, 75);
  std::vector<float> shared = GaussianLevels();
  for (std::size_t i = 0; i < 16; ++i) shared.push_back(1.5F * shared[i]);
  std::vector<float> own;
  std::vector<std::uint8_t> table_of;
  for (std::size_t o = 0; o < 20; ++o) {
    table_of.push_back(static_cast<std::uint8_t>(o % 3 == 0));
    const auto table = std::span(shared).subspan(16U * table_of.back(), 16);
    own.insert(own.end(), table.begin(), table.end());
  }
  CompensationInput input{.weights = weights,
                          .channels = 20,
                          .row_columns = columns,
                          .range = {.begin = 0, .end = columns},
                          .scales = {},
                          .levels = own,
                          .levels_per_table = 16,
                          .fit = true};
  const CompensationResult expected = Compensate(factor, input);
  input.levels = shared;
  input.table_of = table_of;
  const CompensationResult result = Compensate(factor, input);
  CHECK(result.indices == expected.indices);
  CHECK(result.loss == expected.loss);
  CHECK(result.fit.level_shifts.size() == 32);
}

TEST_CASE("A channel of scale zero goes to the level nearest to zero") {
  const Factor factor = FactorOf(GramOf(CorrelatedRows(50, 20, 62), 20));
  const std::vector<float> weights(2 * 20);
  const std::vector<float> levels{-1, -0.3F, 0.2F, 1};
  const std::vector<float> scales{0, 1};
  const CompensationResult result = Compensate(factor, {.weights = weights,
                                                        .channels = 2,
                                                        .row_columns = 20,
                                                        .range = {.begin = 0, .end = 20},
                                                        .scales = scales,
                                                        .levels = levels,
                                                        .levels_per_table = 4});
  for (std::size_t k = 0; k < 20; ++k) CHECK(result.indices[k] == 2);
  CHECK(result.nearest_channels <= 1);
}

TEST_CASE("Sizes that do not fit together are refused") {
  const Factor factor = FactorOf(GramOf(CorrelatedRows(50, 20, 63), 20));
  const std::vector<float> weights(2 * 20);
  const std::vector<float> levels = GaussianLevels();
  const CompensationInput good{.weights = weights,
                               .channels = 2,
                               .row_columns = 20,
                               .range = {.begin = 0, .end = 20},
                               .scales = {},
                               .levels = levels,
                               .levels_per_table = 16};
  CHECK(CompensationJob::Create(factor, good));
  const auto refused = [&](auto change) {
    CompensationInput bad = good;
    change(bad);
    return !CompensationJob::Create(factor, bad);
  };
  CHECK(refused([](CompensationInput& i) { i.channels = 3; }));
  CHECK(refused([](CompensationInput& i) { i.range.end = 19; }));
  CHECK(refused([](CompensationInput& i) { i.range = {.begin = 1, .end = 21}; }));
  CHECK(refused([](CompensationInput& i) { i.levels = i.levels.first(15); }));
  CHECK(refused([](CompensationInput& i) { i.levels_per_table = 1; }));
  CHECK(refused([&](CompensationInput& i) { i.scales = levels; }));
  const std::vector<std::uint8_t> beyond{0, 1};
  CHECK(refused([&](CompensationInput& i) { i.table_of = beyond; }));
  CHECK(refused([&](CompensationInput& i) { i.table_of = std::span(beyond).first(1); }));
}

TEST_CASE("Short steps and long ones give the same indices, and progress never falls") {
  const Factor factor = FactorOf(GramOf(CorrelatedRows(400, 200, 64), 200));
  const std::vector<float> weights = NormalFloats(70 * 200, 65);
  const std::vector<float> levels = GaussianLevels();
  auto job = CompensationJob::Create(factor, {.weights = weights,
                                              .channels = 70,
                                              .row_columns = 200,
                                              .range = {.begin = 0, .end = 200},
                                              .scales = {},
                                              .levels = levels,
                                              .levels_per_table = 16})
                 .value();
  double before = 0;
  while (!job->Step(0).value()) {
    CHECK(job->progress().fraction >= before);
    CHECK(job->progress().fraction < 1);
    before = job->progress().fraction;
  }
  CHECK(job->progress().fraction == 1);
  CHECK(job->TakeResult().indices == Compensate(factor, weights, levels).indices);
}

TEST_CASE("Every build chooses the same indices") {
  const std::vector<float> levels = GaussianLevels();
  const Factor factor = FactorOf(GramOf(CorrelatedRows(1100, 500, 70), 500));
  const std::vector<float> weights = NormalFloats(100 * 500, 71);
  CHECK(Hash(Compensate(factor, weights, levels).indices) == 3924093185U);
}

}  // namespace
}  // namespace kdequant
