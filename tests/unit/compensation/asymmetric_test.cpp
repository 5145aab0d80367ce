#include "kdequant/compensation/asymmetric.h"

#include <doctest/doctest.h>

#include <Eigen/LU>
#include <algorithm>
#include <array>
#include <vector>

#include "layers.h"

namespace kdequant {
namespace {

using FloatMap = Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

Matrix AsMatrix(std::span<const float> values, std::size_t columns) {
  return FloatMap(values.data(), static_cast<Eigen::Index>(values.size() / columns), static_cast<Eigen::Index>(columns))
      .cast<double>();
}

OutputError OutputErrorOf(std::span<const float> weights, std::size_t row_columns, ColumnRange range,
                          std::span<const float> rows, std::span<const float> quantized, double budget_ms = 1000) {
  const std::size_t columns = range.size();
  auto accumulator = OutputErrorAccumulator::Create(weights, weights.size() / row_columns, row_columns, range).value();
  for (std::size_t start = 0; start < rows.size();) {
    const std::size_t count = std::min(accumulator.Room() * columns, rows.size() - start);
    accumulator.Add(rows.subspan(start, count), quantized.subspan(start, count));
    start += count;
    if (accumulator.Room() == 0) {
      while (!accumulator.Fold(budget_ms)) CHECK(accumulator.Room() == 0);
    }
  }
  while (!accumulator.Fold(budget_ms)) {
  }
  while (!accumulator.Finish(budget_ms)) {
  }
  return accumulator.Take();
}

// A layer, its float input, and an input as quantized layers before it would leave it.
struct Layer {
  std::size_t columns, channels, positions;
  std::vector<float> weights, rows, quantized;

  Layer(std::size_t k, std::size_t o, std::size_t n, std::uint64_t seed)
      : columns(k),
        channels(o),
        positions(n),
        weights(NormalFloats(o * k, seed)),
        rows(CorrelatedRows(n, k, seed + 1)),
        quantized(rows) {
    // A tenth lost everywhere, as when some channel upstream was cut off, and noise.
    const std::vector<float> noise = NormalFloats(n * k, seed + 2);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (rows[i] > 0) quantized[i] = std::max(0.0F, 0.9F * rows[i] + 0.02F * noise[i]);
    }
  }
};

TEST_CASE("The move is W C (H + 0.1 mean diag)^-1 by Eigen, for every size") {
  for (const auto& [columns, channels, positions] :
       {std::array<std::size_t, 3>{1, 1, 1}, {9, 33, 70}, {64, 32, 64}, {130, 40, 300}}) {
    CAPTURE(columns);
    const Layer layer(columns, channels, positions, columns);
    const ColumnRange all{.begin = 0, .end = columns};
    const OutputError error = OutputErrorOf(layer.weights, columns, all, layer.rows, layer.quantized);
    const Gram gram = GramOf(layer.quantized, columns);
    const Factor factor = FactorOf(gram, {.damping = MoveJob::kMoveDamping});
    auto job = MoveJob::Create(factor, error, layer.weights, columns, all).value();
    REQUIRE(Finish(*job));
    const std::vector<float> moved = job->TakeWeights();

    const Matrix x = AsMatrix(layer.rows, columns);
    const Matrix xq = AsMatrix(layer.quantized, columns);
    const Matrix w = AsMatrix(layer.weights, columns);
    const Matrix expected = w * (x - xq).transpose() * xq * Damped(gram, 0.1).inverse();
    // Rows are rounded to 12 bits, and the inverse makes the most of that.
    CHECK((AsMatrix(moved, columns) - w - expected).cwiseAbs().maxCoeff() <
          5e-3 * std::max(1e-3, expected.cwiseAbs().maxCoeff()));
  }
}

TEST_CASE("Moved weights bring the output on the quantized input nearer to the float output") {
  const Layer layer(96, 48, 400, 7);
  const ColumnRange all{.begin = 0, .end = 96};
  const OutputError error = OutputErrorOf(layer.weights, 96, all, layer.rows, layer.quantized);
  const Factor factor = FactorOf(GramOf(layer.quantized, 96), {.damping = MoveJob::kMoveDamping});
  auto job = MoveJob::Create(factor, error, layer.weights, 96, all).value();
  REQUIRE(Finish(*job));
  const Matrix moved = AsMatrix(job->TakeWeights(), 96);
  const Matrix xq = AsMatrix(layer.quantized, 96);
  const Matrix target = AsMatrix(layer.rows, 96) * AsMatrix(layer.weights, 96).transpose();
  const double before = (xq * AsMatrix(layer.weights, 96).transpose() - target).squaredNorm();
  CHECK((xq * moved.transpose() - target).squaredNorm() < 0.3 * before);
}

TEST_CASE("Equal inputs move nothing") {
  const Layer layer(70, 35, 150, 8);
  const ColumnRange all{.begin = 0, .end = 70};
  const OutputError error = OutputErrorOf(layer.weights, 70, all, layer.rows, layer.rows);
  const Factor factor = FactorOf(GramOf(layer.rows, 70), {.damping = MoveJob::kMoveDamping});
  auto job = MoveJob::Create(factor, error, layer.weights, 70, all).value();
  REQUIRE(Finish(*job));
  CHECK(job->TakeWeights() == layer.weights);
}

TEST_CASE("A range of columns is moved as if the layer had no others, and short steps change nothing") {
  const Layer layer(80, 70, 200, 9);
  const ColumnRange all{.begin = 0, .end = 80};
  std::vector<float> wide(70 * 100, 5.0F);
  for (std::size_t i = 0; i < layer.weights.size(); ++i) wide[i / 80 * 100 + 13 + i % 80] = layer.weights[i];
  const ColumnRange range{.begin = 13, .end = 93};
  const Factor factor = FactorOf(GramOf(layer.quantized, 80), {.damping = MoveJob::kMoveDamping});
  const OutputError error = OutputErrorOf(layer.weights, 80, all, layer.rows, layer.quantized);
  const OutputError stepwise = OutputErrorOf(wide, 100, range, layer.rows, layer.quantized, 0);
  auto whole = MoveJob::Create(factor, error, layer.weights, 80, all).value();
  REQUIRE(Finish(*whole));
  auto part = MoveJob::Create(factor, stepwise, wide, 100, range).value();
  while (!part->Step(0).value()) {
  }
  CHECK(part->TakeWeights() == whole->TakeWeights());
  CHECK_FALSE(MoveJob::Create(factor, error, wide, 100, {.begin = 13, .end = 92}));
}

}  // namespace
}  // namespace kdequant
