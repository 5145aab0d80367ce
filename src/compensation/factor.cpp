#include "kdequant/compensation/factor.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <string>
#include <utility>

#include "kdequant/base/sort.h"
#include "tile_kernels.h"

namespace kdequant {
namespace {

constexpr int kMostRetries = 4;

// Copies, factors and normalizes one tile after the other. Tiles are taken from the last row up and, within a row, from
// the diagonal to the left: H = R R^T with R upper triangular, of which `unit` holds the transpose G, so H = G^T G and
//   G_kk^T G_ki = H_ki - sum over m > k of G_mk^T G_mi.
// Left-looking: a tile is written once, after all its products, which read 2 x 16 KB for every 64^3 multiplications.
class FactorJobImplementation final : public FactorJob {
 public:
  FactorJobImplementation(const Gram& gram, FactorOptions options, double scale, TiledTriangle<float> unit)
      : gram_(gram) {
    factor_.columns = gram.columns;
    factor_.unit = std::move(unit);
    factor_.pivots.assign(factor_.unit.tile_rows() * kTile, 1.0F);
    factor_.scale = scale;
    factor_.damping = options.damping;
    factor_.order.resize(gram.columns);
    std::iota(factor_.order.begin(), factor_.order.end(), 0U);
    if (options.order_by_energy) {
      SortSmall(factor_.order, [&](std::uint32_t i, std::uint32_t j) {
        const double a = gram.products.At(i, i);
        const double b = gram.products.At(j, j);
        return a != b ? a > b : i < j;
      });
    }
  }

  Result<bool> Step(double budget_ms) override {
    if (failure_) return std::unexpected(*failure_);
    const Budget budget(budget_ms);
    while (stage_ != Stage::kDone) {
      Advance();
      UpdateFraction();
      if (failure_) return std::unexpected(*failure_);
      if (budget.Spent()) break;
    }
    return stage_ == Stage::kDone;
  }

  Progress progress() const override {
    if (stage_ == Stage::kDone) return {1, "done", {}};
    return {fraction_, "factoring", {}};
  }

  Factor TakeFactor() override { return std::move(factor_); }

 private:
  enum class Stage { kCopying, kFactoring, kNormalizing, kDone };

  // One tile.
  void Advance() {
    TiledTriangle<float>& unit = factor_.unit;
    switch (stage_) {
      case Stage::kCopying:
        CopyTile(row_, column_);
        if (++column_ <= row_) return;
        column_ = 0;
        if (++row_ < unit.tile_rows()) return;
        row_ = column_ = unit.tile_rows() - 1;
        stage_ = Stage::kFactoring;
        return;
      case Stage::kFactoring:
        if (!ComputeTile(row_, column_)) return Retry();
        if (column_-- > 0) return;
        if (row_-- > 0) {
          column_ = row_;
          return;
        }
        row_ = column_ = 0;
        stage_ = Stage::kNormalizing;
        return;
      case Stage::kNormalizing:
        NormalizeRow(row_);
        if (++row_ == unit.tile_rows()) stage_ = Stage::kDone;
        return;
      case Stage::kDone: return;
    }
  }

  // Never falling, also when the work starts again.
  void UpdateFraction() {
    double fraction = stage_ == Stage::kNormalizing ? 0.97 : 0;
    if (stage_ == Stage::kFactoring) {
      // A tile with b rows behind it costs b products, a row has rows - b tiles: a cubic in b / rows.
      const auto rows = static_cast<double>(factor_.unit.tile_rows());
      const double behind = (rows - 1 - static_cast<double>(row_)) / rows;
      fraction = 0.95 * behind * behind * (3 - 2 * behind);
    }
    fraction_ = std::max(fraction_, fraction);
  }

  void CopyTile(std::size_t tile_row, std::size_t tile_column) {
    float* tile = factor_.unit.tile(tile_row, tile_column);
    for (std::size_t r = 0; r < kTile; ++r) {
      const std::size_t k = tile_row * kTile + r;
      for (std::size_t c = 0; c < kTile; ++c) {
        const std::size_t i = tile_column * kTile + c;
        double value = 0;
        if (k < gram_.columns && i < gram_.columns) {
          value = gram_.products.Symmetric(factor_.order[k], factor_.order[i]) / factor_.scale;
        }
        if (k == i) {
          // The padding and the columns of zeros.
          if (!(value > 0)) value = 1;
          value += factor_.damping;
        }
        tile[r * kTile + c] = static_cast<float>(value);
      }
    }
  }

  bool ComputeTile(std::size_t k, std::size_t i) {
    TiledTriangle<float>& unit = factor_.unit;
    float* tile = unit.tile(k, i);
    for (std::size_t m = k + 1; m < unit.tile_rows(); ++m) {
      SubtractTransposedProduct(unit.tile(m, k), unit.tile(m, i), tile);
    }
    if (i < k) {
      SolveTile(unit.tile(k, k), tile);
      return true;
    }
    // No pivot of H + d I is below d in exact arithmetic: one far below it tells that rounding has taken over.
    return FactorTile(tile, static_cast<float>(0.25 * factor_.damping));
  }

  void NormalizeRow(std::size_t k) {
    const float* diagonal = factor_.unit.tile(k, k);
    float roots[kTile];
    for (std::size_t r = 0; r < kTile; ++r) roots[r] = diagonal[r * kTile + r];
    for (std::size_t i = 0; i <= k; ++i) {
      float* tile = factor_.unit.tile(k, i);
      for (std::size_t r = 0; r < kTile; ++r) {
        for (std::size_t c = 0; c < kTile; ++c) tile[r * kTile + c] /= roots[r];
      }
    }
    for (std::size_t r = 0; r < kTile; ++r) factor_.pivots[k * kTile + r] = roots[r] * roots[r];
  }

  void Retry() {
    if (retries_++ == kMostRetries) {
      failure_ = Error{ErrorCode::kInternal,
                       "the inputs' Gram matrix has no Cholesky factor even when strongly damped; switch "
                       "compensation off for this layer or exclude it",
                       {}};
      return;
    }
    factor_.damping = std::max(10 * factor_.damping, 1e-4);
    row_ = column_ = 0;
    stage_ = Stage::kCopying;
  }

  const Gram& gram_;
  Factor factor_;
  Stage stage_ = Stage::kCopying;
  std::size_t row_ = 0, column_ = 0;
  int retries_ = 0;
  double fraction_ = 0;
  std::optional<Error> failure_;
};

}  // namespace

Result<std::unique_ptr<FactorJob>> FactorJob::Create(const Gram& gram, FactorOptions options) {
  if (gram.positions == 0 || gram.columns == 0) {
    return Fail(ErrorCode::kEmptySample, "compensation needs at least one calibration picture; give some");
  }
  const double scale = MeanEnergy(gram);
  if (!std::isfinite(scale)) {
    return Fail(
        ErrorCode::kNotFinite,
        "the calibration pictures make a NaN or an infinity in the layer's input; use other pictures or exclude it");
  }
  auto unit = TiledTriangle<float>::Create(gram.columns);
  if (!unit) return Forward(unit);
  return std::make_unique<FactorJobImplementation>(gram, options, scale, *std::move(unit));
}

}  // namespace kdequant
