#include "kdequant/compensation/gram.h"

#include <algorithm>

#include "integer_panels.h"

namespace kdequant {
namespace {

constexpr std::size_t kTile = TiledTriangle<double>::kTile;
constexpr std::size_t kBlock = GramAccumulator::kBlock;
static_assert(kBlock <= kMostDepth);

}  // namespace

double MeanEnergy(const Gram& gram) {
  double sum = 0;
  std::size_t live = 0;
  for (std::size_t j = 0; j < gram.columns; ++j) {
    const double energy = gram.products.At(j, j);
    sum += energy;
    if (energy > 0) ++live;
  }
  // Written so that a sum that is not a number stays one.
  return sum == 0 ? 1 : sum / static_cast<double>(live);
}

Result<GramAccumulator> GramAccumulator::Create(std::size_t columns) {
  GramAccumulator accumulator;
  auto products = TiledTriangle<double>::Create(columns);
  if (!products) return Forward(products);
  const std::size_t padded = products->tile_rows() * kTile;
  accumulator.gram_ = {.columns = columns, .positions = 0, .products = *std::move(products)};
  accumulator.rows_ = Buffer<float>(kBlock * columns);
  accumulator.packed_ = Buffer<std::int16_t>(kBlock * padded);
  accumulator.steps_.resize(padded);
  if (accumulator.rows_.size() != kBlock * columns || accumulator.packed_.size() != kBlock * padded) {
    return Fail(ErrorCode::kOutOfMemory, "no memory for a block of the inputs of a layer of " +
                                             std::to_string(columns) +
                                             " columns; switch compensation off for this layer or exclude it");
  }
  return accumulator;
}

void GramAccumulator::Add(std::span<const float> rows) {
  const std::size_t columns = gram_.columns;
  if (columns == 0) return;
  std::ranges::copy(rows, rows_.data() + filled_ * columns);
  filled_ += rows.size() / columns;
  gram_.positions += rows.size() / columns;
}

void GramAccumulator::PackBlock() {
  std::vector<float> units(steps_.size());
  PackColumns(rows_.data(), gram_.columns, gram_.columns, filled_, packed_.data(), units);
  std::ranges::copy(units, steps_.begin());
}

void GramAccumulator::AddTile(std::size_t i, std::size_t j) {
  double* tile = gram_.products.tile(i, j);
  alignas(16) std::int32_t sums[kMicroSums];
  for (std::size_t column = 0; column < kTile; column += kPanel) {
    const std::int16_t* b = packed_.data() + LineAt(j * kTile + column, filled_);
    const double* column_steps = steps_.data() + j * kTile + column;
    for (std::size_t row = 0; row < kTile; row += kMicroRows) {
      MultiplyPanels(packed_.data() + LineAt(i * kTile + row, filled_), b, Pairs(filled_), sums);
      for (std::size_t r = 0; r < kMicroRows; ++r) {
        const double row_step = steps_[i * kTile + row + r];
        double* out = tile + (row + r) * kTile + column;
        for (std::size_t c = 0; c < kPanel; ++c) {
          out[c] += static_cast<double>(sums[r * kPanel + c]) * (row_step * column_steps[c]);
        }
      }
    }
  }
}

bool GramAccumulator::Fold(double budget_ms) {
  if (filled_ == 0) return true;
  const Budget budget(budget_ms);
  if (!folding_) {
    PackBlock();
    folding_ = true;
    tile_i_ = tile_j_ = 0;
    if (budget.Spent()) return false;
  }
  while (tile_i_ < gram_.products.tile_rows()) {
    AddTile(tile_i_, tile_j_);
    if (++tile_j_ > tile_i_) {
      ++tile_i_;
      tile_j_ = 0;
    }
    if (budget.Spent() && tile_i_ < gram_.products.tile_rows()) return false;
  }
  filled_ = 0;
  folding_ = false;
  return true;
}

double GramAccumulator::FoldProgress() const {
  if (!folding_) return filled_ == 0 ? 1 : 0;
  const std::size_t rows = gram_.products.tile_rows();
  const std::size_t tiles_done = tile_i_ * (tile_i_ + 1) / 2 + tile_j_;
  const std::size_t tiles = rows * (rows + 1) / 2;
  return static_cast<double>(tiles_done) / static_cast<double>(tiles);
}

}  // namespace kdequant
