#include "kdequant/compensation/gram.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "simd.h"

namespace kdequant {
namespace {

constexpr std::size_t kTile = TiledTriangle<double>::kTile;
constexpr std::size_t kBlock = GramAccumulator::kBlock;

// Columns that lie together in the packed block, and rows of the micro-tile: 4 x 8 sums in eight registers leave room
// for the loads among the fifteen that V8 gives.
constexpr std::size_t kPanel = 8;
constexpr std::size_t kMicroRows = 4;
constexpr std::size_t kPanelSize = kPanel * kBlock;

// 2047^2 * kBlock = 2,145,386,496 < 2^31: a block's sum of products fits 32 bits.
constexpr float kLargestUnit = 2047;

// Adding and taking away 1.5 * 2^23 rounds to an integer (ties to even), the same everywhere; the integer is in the low
// bits.
std::int16_t RoundToUnit(float value) {
  constexpr float kMagic = 12582912.0F;
  value = value > kLargestUnit ? kLargestUnit : value;
  value = value < -kLargestUnit ? -kLargestUnit : value;
  return static_cast<std::int16_t>(std::bit_cast<std::int32_t>(value + kMagic) - std::bit_cast<std::int32_t>(kMagic));
}

// The power of two that takes `peak` to 1024..2047 units; 0 for a column of zeros. Denormal peaks count as zero.
float UnitFor(float peak) {
  if (!(peak >= 0x1.0p-100F)) return 0;
  return std::ldexp(1.0F, std::ilogb(peak) - 10);
}

// sums[r][c] of four columns of panel `a` (from `first`) with the eight of panel `b`, over `pairs` pairs of rows.
void MicroTile(const std::int16_t* a, const std::int16_t* b, std::size_t pairs, std::int32_t* sums) {
  v128_t c00 = wasm_i32x4_splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
#if defined(__clang__)
#pragma clang loop unroll(disable)
#endif
  for (std::size_t p = 0; p < pairs; ++p) {
    const v128_t b0 = wasm_v128_load(b);
    const v128_t b1 = wasm_v128_load(b + 8);
    v128_t x = wasm_v128_load32_splat(a);
    c00 = wasm_i32x4_add(c00, wasm_i32x4_dot_i16x8(x, b0));
    c01 = wasm_i32x4_add(c01, wasm_i32x4_dot_i16x8(x, b1));
    x = wasm_v128_load32_splat(a + 2);
    c10 = wasm_i32x4_add(c10, wasm_i32x4_dot_i16x8(x, b0));
    c11 = wasm_i32x4_add(c11, wasm_i32x4_dot_i16x8(x, b1));
    x = wasm_v128_load32_splat(a + 4);
    c20 = wasm_i32x4_add(c20, wasm_i32x4_dot_i16x8(x, b0));
    c21 = wasm_i32x4_add(c21, wasm_i32x4_dot_i16x8(x, b1));
    x = wasm_v128_load32_splat(a + 6);
    c30 = wasm_i32x4_add(c30, wasm_i32x4_dot_i16x8(x, b0));
    c31 = wasm_i32x4_add(c31, wasm_i32x4_dot_i16x8(x, b1));
    a += 2 * kPanel;
    b += 2 * kPanel;
  }
  wasm_v128_store(sums, c00);
  wasm_v128_store(sums + 4, c01);
  wasm_v128_store(sums + 8, c10);
  wasm_v128_store(sums + 12, c11);
  wasm_v128_store(sums + 16, c20);
  wasm_v128_store(sums + 20, c21);
  wasm_v128_store(sums + 24, c30);
  wasm_v128_store(sums + 28, c31);
}

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
  accumulator.gram_ = {.columns = columns,
                       .positions = 0,
                       .products = *std::move(products),
                       .column_sums = std::vector<double>(columns)};
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
  for (std::size_t start = 0; start < rows.size(); start += columns) {
    for (std::size_t j = 0; j < columns; ++j) gram_.column_sums[j] += static_cast<double>(rows[start + j]);
  }
  filled_ += rows.size() / columns;
  gram_.positions += rows.size() / columns;
}

void GramAccumulator::PackBlock() {
  const std::size_t columns = gram_.columns;
  const std::size_t pairs = (filled_ + 1) / 2;
  if (filled_ % 2 != 0) std::fill_n(rows_.data() + filled_ * columns, columns, 0.0F);

  std::vector<float> factors(steps_.size());
  for (std::size_t k = 0; k < filled_; ++k) {
    const float* row = rows_.data() + k * columns;
    for (std::size_t j = 0; j < columns; ++j) factors[j] = std::max(factors[j], std::fabs(row[j]));
  }
  for (std::size_t j = 0; j < factors.size(); ++j) {
    const float unit = UnitFor(factors[j]);
    steps_[j] = static_cast<double>(unit);
    factors[j] = unit > 0 ? 1 / unit : 0;
  }
  for (std::size_t panel = 0; panel < steps_.size() / kPanel; ++panel) {
    std::int16_t* out = packed_.data() + panel * kPanelSize;
    const std::size_t first = panel * kPanel;
    const std::size_t width = first < columns ? std::min(kPanel, columns - first) : 0;
    if (width < kPanel) std::fill_n(out, 2 * kPanel * pairs, std::int16_t{0});
    for (std::size_t p = 0; p < pairs; ++p) {
      const float* even = rows_.data() + 2 * p * columns + first;
      const float* odd = even + columns;
      for (std::size_t j = 0; j < width; ++j) {
        out[(p * kPanel + j) * 2] = RoundToUnit(even[j] * factors[first + j]);
        out[(p * kPanel + j) * 2 + 1] = RoundToUnit(odd[j] * factors[first + j]);
      }
    }
  }
}

void GramAccumulator::AddTile(std::size_t i, std::size_t j) {
  const std::size_t pairs = (filled_ + 1) / 2;
  double* tile = gram_.products.tile(i, j);
  alignas(16) std::int32_t sums[kMicroRows * kPanel];
  for (std::size_t column = 0; column < kTile; column += kPanel) {
    const std::int16_t* b = packed_.data() + (j * kTile + column) * kBlock;
    const double* column_steps = steps_.data() + j * kTile + column;
    for (std::size_t row = 0; row < kTile; row += kMicroRows) {
      const std::int16_t* a = packed_.data() + (i * kTile + row) / kPanel * kPanelSize + row % kPanel * 2;
      MicroTile(a, b, pairs, sums);
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
