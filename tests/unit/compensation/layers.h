// Made-up layers: correlated input rows, weights, levels, and the way from one to a result.
#ifndef KDEQUANT_TESTS_UNIT_COMPENSATION_LAYERS_H_
#define KDEQUANT_TESTS_UNIT_COMPENSATION_LAYERS_H_

#include <doctest/doctest.h>

#include <Eigen/Core>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kdequant/base/random.h"
#include "kdequant/compensation/compensate.h"
#include "kdequant/compensation/factor.h"
#include "kdequant/compensation/gram.h"

namespace kdequant {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

inline std::vector<float> NormalFloats(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> values(count);
  for (auto& value : values) value = static_cast<float>(random.Normal());
  return values;
}

/// Rows whose neighbouring columns go together (each is 0.8 of the one before it and 0.6 new) and whose columns differ
/// in size, cut off at zero as ReLU does: what the inputs of a convolution look like. [positions, columns]
inline std::vector<float> CorrelatedRows(std::size_t positions, std::size_t columns, std::uint64_t seed) {
  std::vector<float> rows = NormalFloats(positions * columns, seed);
  std::vector<float> sizes = NormalFloats(columns, seed + 1);
  for (std::size_t p = 0; p < positions; ++p) {
    float before = 0;
    for (std::size_t j = 0; j < columns; ++j) {
      float& x = rows[p * columns + j];
      before = 0.8F * before + 0.6F * x;
      x = std::max(0.0F, (0.2F + before) * (0.1F + sizes[j] * sizes[j]));
    }
  }
  return rows;
}

/// FNV-1a: says in one number whether every build chose the same indices.
inline std::uint32_t Hash(std::span<const std::uint8_t> bytes) {
  std::uint32_t hash = 2166136261U;
  for (const std::uint8_t byte : bytes) hash = (hash ^ byte) * 16777619U;
  return hash;
}

inline Gram GramOf(std::span<const float> rows, std::size_t columns) {
  GramAccumulator accumulator = GramAccumulator::Create(columns).value();
  for (std::size_t start = 0; start < rows.size();) {
    const std::size_t count = std::min(accumulator.Room() * columns, rows.size() - start);
    accumulator.Add(rows.subspan(start, count));
    start += count;
    if (accumulator.Room() == 0) {
      while (!accumulator.Fold(1000)) {
      }
    }
  }
  while (!accumulator.Fold(1000)) {
  }
  return accumulator.Take();
}

/// A Gram whose products are the given symmetric matrix.
inline Gram GramFrom(const Matrix& h) {
  const auto columns = static_cast<std::size_t>(h.rows());
  Gram gram{.columns = columns, .positions = 1, .products = TiledTriangle<double>::Create(columns).value()};
  for (std::size_t i = 0; i < columns; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      gram.products.At(i, j) = h(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j));
    }
  }
  return gram;
}

inline Matrix ToMatrix(const Gram& gram) {
  const auto columns = static_cast<Eigen::Index>(gram.columns);
  Matrix h(columns, columns);
  for (Eigen::Index i = 0; i < columns; ++i) {
    for (Eigen::Index j = 0; j < columns; ++j) {
      h(i, j) = gram.products.Symmetric(static_cast<std::size_t>(i), static_cast<std::size_t>(j));
    }
  }
  return h;
}

inline Factor FactorOf(const Gram& gram, FactorOptions options = {}) {
  auto job = FactorJob::Create(gram, options).value();
  REQUIRE(Finish(*job));
  return job->TakeFactor();
}

/// The matrix that the factor is of, in the columns' own order: scale * P^T M D M^T P.
inline Matrix Multiplied(const Factor& factor) {
  const auto columns = static_cast<Eigen::Index>(factor.columns);
  Matrix m = Matrix::Zero(columns, columns);
  Matrix d = Matrix::Zero(columns, columns);
  for (Eigen::Index k = 0; k < columns; ++k) {
    const auto row = static_cast<std::size_t>(k);
    d(k, k) = static_cast<double>(factor.pivots[row]);
    for (Eigen::Index i = 0; i <= k; ++i)
      m(i, k) = static_cast<double>(factor.unit.At(row, static_cast<std::size_t>(i)));
  }
  const Matrix ordered = factor.scale * m * d * m.transpose();
  Matrix h(columns, columns);
  for (Eigen::Index i = 0; i < columns; ++i) {
    for (Eigen::Index j = 0; j < columns; ++j) {
      h(factor.order[static_cast<std::size_t>(i)], factor.order[static_cast<std::size_t>(j)]) = ordered(i, j);
    }
  }
  return h;
}

/// What the factor should be of: H + damping * mean diagonal of the columns that are not zero, which get that mean.
inline Matrix Damped(const Gram& gram, double damping) {
  Matrix h = ToMatrix(gram);
  double sum = 0;
  int live = 0;
  for (Eigen::Index j = 0; j < h.rows(); ++j) {
    sum += h(j, j);
    if (h(j, j) > 0) ++live;
  }
  const double mean = sum / live;
  for (Eigen::Index j = 0; j < h.rows(); ++j) h(j, j) = (h(j, j) > 0 ? h(j, j) : mean) + damping * mean;
  return h;
}

/// 16 levels near the Lloyd-Max quantizer of a unit Gaussian.
inline std::vector<float> GaussianLevels() {
  const std::vector<float> half{0.1284F, 0.3881F, 0.6568F, 0.9424F, 1.2562F, 1.6181F, 2.0690F, 2.7326F};
  std::vector<float> levels(16);
  for (std::size_t i = 0; i < 8; ++i) {
    levels[8 + i] = half[i];
    levels[7 - i] = -half[i];
  }
  return levels;
}

inline std::uint8_t NearestIndex(float value, std::span<const float> levels) {
  std::uint8_t index = 0;
  while (index + 1U < levels.size() && value > 0.5F * levels[index] + 0.5F * levels[index + 1U]) ++index;
  return index;
}

inline std::vector<std::uint8_t> NearestIndices(std::span<const float> weights, std::span<const float> levels) {
  std::vector<std::uint8_t> indices;
  for (const float w : weights) indices.push_back(NearestIndex(w, levels));
  return indices;
}

inline CompensationResult Compensate(const Factor& factor, const CompensationInput& input) {
  auto job = CompensationJob::Create(factor, input).value();
  REQUIRE(Finish(*job));
  return job->TakeResult();
}

/// The weights are [channels, columns of the factor], scale 1, one table.
inline CompensationResult Compensate(const Factor& factor, std::span<const float> weights,
                                     std::span<const float> levels) {
  return Compensate(factor, {.weights = weights,
                             .channels = weights.size() / factor.columns,
                             .row_columns = factor.columns,
                             .range = {.begin = 0, .end = factor.columns},
                             .scales = {},
                             .levels = levels,
                             .levels_per_table = levels.size()});
}

/// (w - q) H (w - q)^T of one row.
inline double RowLoss(const Matrix& h, std::span<const float> weights, std::span<const std::uint8_t> indices,
                      std::span<const float> levels) {
  Eigen::VectorXd error(h.rows());
  for (std::size_t j = 0; j < weights.size(); ++j) {
    error(static_cast<Eigen::Index>(j)) = static_cast<double>(weights[j]) - static_cast<double>(levels[indices[j]]);
  }
  return error.dot(h * error);
}

/// The same added up over all rows.
inline double Loss(const Matrix& h, std::span<const float> weights, std::span<const std::uint8_t> indices,
                   std::span<const float> levels) {
  const auto columns = static_cast<std::size_t>(h.rows());
  double loss = 0;
  for (std::size_t start = 0; start < weights.size(); start += columns) {
    loss += RowLoss(h, weights.subspan(start, columns), indices.subspan(start, columns), levels);
  }
  return loss;
}

}  // namespace kdequant

#endif  // KDEQUANT_TESTS_UNIT_COMPENSATION_LAYERS_H_
