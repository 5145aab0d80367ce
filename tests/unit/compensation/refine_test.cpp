#include "kdequant/compensation/refine.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "interval.h"
#include "layers.h"

namespace kdequant {
namespace {

CompensationInput InputOf(std::span<const float> weights, std::size_t columns, std::span<const float> levels) {
  return {.weights = weights,
          .channels = weights.size() / columns,
          .row_columns = columns,
          .range = {.begin = 0, .end = columns},
          .scales = {},
          .levels = levels,
          .levels_per_table = levels.size()};
}

RefineResult Refine(const Gram& gram, const CompensationInput& input, std::vector<std::uint8_t> indices, int sweeps) {
  auto job = RefineJob::Create(gram, input, std::move(indices), {.damping = 0.01, .sweeps = sweeps}).value();
  REQUIRE(Finish(*job));
  return job->TakeResult();
}

TEST_CASE("Refining makes nothing worse that was compensated, and takes much of what nearest rounding has left") {
  const std::vector<float> levels = GaussianLevels();
  for (const std::size_t columns : {5U, 64U, 150U}) {
    CAPTURE(columns);
    const Gram gram = GramOf(CorrelatedRows(3 * columns, columns, 20 + columns), columns);
    const Matrix h = Damped(gram, 0.01);
    const std::vector<float> weights = NormalFloats(40 * columns, 21);
    const CompensationInput input = InputOf(weights, columns, levels);
    const auto compensated = Compensate(FactorOf(gram), input).indices;
    const double before = Loss(h, weights, compensated, levels);
    CHECK(Loss(h, weights, Refine(gram, input, compensated, 4).indices, levels) / before == Interval(0.9, 1 + 1e-6));
    const auto nearest = NearestIndices(weights, levels);
    CHECK(Loss(h, weights, Refine(gram, input, nearest, 4).indices, levels) < 0.8 * Loss(h, weights, nearest, levels));
  }
}

TEST_CASE("After enough sweeps no single weight has a better level") {
  const std::vector<float> levels = GaussianLevels();
  const std::size_t columns = 70;
  const Gram gram = GramOf(CorrelatedRows(200, columns, 80), columns);
  const Matrix h = Damped(gram, 0.01);
  const std::vector<float> weights = NormalFloats(3 * columns, 81);
  auto indices = Refine(gram, InputOf(weights, columns, levels), NearestIndices(weights, levels), 100).indices;
  const double loss = Loss(h, weights, indices, levels);
  for (auto& index : indices) {
    const std::uint8_t kept = index;
    for (index = 0; index < levels.size(); ++index) CHECK(Loss(h, weights, indices, levels) >= loss * (1 - 1e-5));
    index = kept;
  }
}

TEST_CASE("Inputs that do not go together leave the nearest levels, and no sweep leaves everything") {
  const std::vector<float> levels = GaussianLevels();
  const std::vector<float> weights = NormalFloats(10 * 130, 40);
  Matrix h = Matrix::Identity(130, 130);
  h(5, 5) = 0;
  h(7, 7) = 4;
  const auto nearest = NearestIndices(weights, levels);
  const RefineResult refined = Refine(GramFrom(h), InputOf(weights, 130, levels), nearest, 3);
  CHECK(refined.indices == nearest);
  CHECK(refined.changed == 0);
  const std::vector<std::uint8_t> zeros(weights.size());
  CHECK(Refine(GramFrom(h), InputOf(weights, 130, levels), zeros, 0).indices == zeros);
}

TEST_CASE("Scales, a table per channel and a range of columns mean what plain scaled rows mean") {
  const std::size_t columns = 70;
  const Gram gram = GramOf(CorrelatedRows(200, columns, 60), columns);
  const std::vector<float> weights = NormalFloats(40 * columns, 61);
  const std::vector<float> levels = GaussianLevels();
  const auto start = NearestIndices(weights, levels);
  const auto expected = Refine(gram, InputOf(weights, columns, levels), start, 2).indices;
  std::vector<float> wide(40 * 100, 1e30F);
  std::vector<float> scales;
  std::vector<float> tables;
  for (std::size_t o = 0; o < 40; ++o) {
    const float factor_of_row = o % 3 == 0 ? 4.0F : 0.25F;
    scales.push_back(o % 2 == 0 ? factor_of_row / 2 : factor_of_row);
    for (const float level : levels) tables.push_back(o % 2 == 0 ? 2 * level : level);
    for (std::size_t k = 0; k < columns; ++k) wide[o * 100 + 17 + k] = factor_of_row * weights[o * columns + k];
  }
  const CompensationInput input{.weights = wide,
                                .channels = 40,
                                .row_columns = 100,
                                .range = {.begin = 17, .end = 87},
                                .scales = scales,
                                .levels = tables,
                                .levels_per_table = 16};
  CHECK(Refine(gram, input, start, 2).indices == expected);
}

TEST_CASE("A channel of scale zero keeps its indices") {
  const Gram gram = GramOf(CorrelatedRows(50, 20, 62), 20);
  const std::vector<float> weights = NormalFloats(2 * 20, 63);
  const std::vector<float> levels = GaussianLevels();
  const std::vector<float> scales{0, 1};
  CompensationInput input = InputOf(weights, 20, levels);
  input.scales = scales;
  const auto refined = Refine(gram, input, std::vector<std::uint8_t>(40), 2).indices;
  for (std::size_t k = 0; k < 20; ++k) CHECK(refined[k] == 0);
  CHECK(std::ranges::any_of(refined, [](std::uint8_t index) { return index != 0; }));
}

TEST_CASE("Sizes that do not fit together are refused by a refinement") {
  const Gram gram = GramOf(CorrelatedRows(50, 20, 63), 20);
  const std::vector<float> weights(2 * 20);
  const std::vector<float> levels = GaussianLevels();
  CHECK(RefineJob::Create(gram, InputOf(weights, 20, levels), std::vector<std::uint8_t>(40), {}));
  CHECK(!RefineJob::Create(gram, InputOf(weights, 20, levels), std::vector<std::uint8_t>(39), {}));
  CHECK(!RefineJob::Create(gram, InputOf(weights, 10, levels), std::vector<std::uint8_t>(40), {}));
}

TEST_CASE("Short steps and long ones refine alike, and progress never falls") {
  const Gram gram = GramOf(CorrelatedRows(400, 200, 64), 200);
  const std::vector<float> weights = NormalFloats(70 * 200, 65);
  const std::vector<float> levels = GaussianLevels();
  const CompensationInput input = InputOf(weights, 200, levels);
  const auto start = NearestIndices(weights, levels);
  auto job = RefineJob::Create(gram, input, start, {.damping = 0.01, .sweeps = 3}).value();
  double before = 0;
  while (!job->Step(0).value()) {
    CHECK(job->progress().fraction >= before);
    before = job->progress().fraction;
  }
  CHECK(job->progress().fraction == 1);
  CHECK(job->TakeResult().indices == Refine(gram, input, start, 3).indices);
}

TEST_CASE("Every build refines to the same indices") {
  const std::vector<float> levels = GaussianLevels();
  const Gram gram = GramOf(CorrelatedRows(1100, 500, 70), 500);
  const std::vector<float> weights = NormalFloats(100 * 500, 71);
  CHECK(Hash(Refine(gram, InputOf(weights, 500, levels), NearestIndices(weights, levels), 3).indices) == 2712793676U);
}

}  // namespace
}  // namespace kdequant
