#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "kdequant/base/random.h"
#include "tile_kernels.h"

namespace kdequant {
namespace {

using Values = std::vector<float>;

Values Normals(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  Values values(count);
  for (auto& v : values) v = static_cast<float>(random.Normal());
  return values;
}

// c + sign * a b with a(r, k) = a[r * row_step + k * k_step], b [depth][columns], in the documented order of
// operations.
Values PlainProduct(const Values& a, std::size_t row_step, std::size_t k_step, const Values& b, std::size_t depth,
                    Values c, std::size_t rows, std::size_t columns, float sign) {
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t j = 0; j < columns; ++j) {
      float sum = 0;
      for (std::size_t k = 0; k < depth; ++k) sum += a[r * row_step + k * k_step] * b[k * columns + j];
      c[r * columns + j] += sign * sum;
    }
  }
  return c;
}

TEST_CASE("Tile products equal the plain triple loop bit for bit") {
  const Values a = Normals(kTile * kTile, 1);
  const Values b = Normals(kTile * kTile, 2);
  const Values strip = Normals(kTile * kStrip, 3);
  SUBCASE("c -= a^T b") {
    Values c = Normals(kTile * kTile, 4);
    const Values expected = PlainProduct(a, 1, kTile, b, kTile, c, kTile, kTile, -1);
    SubtractTransposedProduct(a.data(), b.data(), c.data());
    CHECK(c == expected);
  }
  SUBCASE("strip += a b") {
    Values c = Normals(kTile * kStrip, 5);
    const Values expected = PlainProduct(a, kTile, 1, strip, kTile, c, kTile, kStrip, 1);
    AddStripProduct(a.data(), strip.data(), c.data());
    CHECK(c == expected);
  }
  SUBCASE("strip -= a^T b") {
    Values c = Normals(kTile * kStrip, 6);
    const Values expected = PlainProduct(a, 1, kTile, strip, kTile, c, kTile, kStrip, -1);
    SubtractTransposedStripProduct(a.data(), strip.data(), c.data());
    CHECK(c == expected);
  }
  SUBCASE("a few rows and any depth") {
    const Values wide = Normals(8 * 100, 7);
    Values c = Normals(8 * kStrip, 8);
    Values expected = PlainProduct(wide, 100, 1, strip, 33, c, 8, kStrip, 1);
    AddRowsProduct(wide.data(), 100, 8, 33, strip.data(), c.data());
    CHECK(c == expected);
    Values tall = Normals(100 * kStrip, 9);
    expected = PlainProduct(wide, 1, 100, strip, 8, tall, 100, kStrip, 1);
    AddTransposedRowsProduct(wide.data(), 100, 100, 8, strip.data(), tall.data());
    CHECK(tall == expected);
  }
}

Values PositiveDefiniteTile() {
  const Values x = Normals(2 * kTile * kTile, 10);
  Values h(kTile * kTile);
  for (std::size_t i = 0; i < kTile; ++i) {
    for (std::size_t j = 0; j < kTile; ++j) {
      for (std::size_t k = 0; k < 2 * kTile; ++k) h[i * kTile + j] += x[k * kTile + i] * x[k * kTile + j] / 128;
    }
  }
  return h;
}

TEST_CASE("A factored tile times itself, transposed first, is the tile") {
  const Values h = PositiveDefiniteTile();
  Values g = h;
  REQUIRE(FactorTile(g.data(), 1e-3F));
  double worst = 0;
  for (std::size_t i = 0; i < kTile; ++i) {
    for (std::size_t j = 0; j < kTile; ++j) {
      double sum = 0;
      for (std::size_t k = 0; k < kTile; ++k) {
        sum += static_cast<double>(g[k * kTile + i]) * static_cast<double>(g[k * kTile + j]);
      }
      worst = std::max(worst, std::abs(sum - static_cast<double>(h[i * kTile + j])));
      if (j > i) CHECK(g[i * kTile + j] == 0);
    }
  }
  CHECK(worst < 2e-6);

  SUBCASE("and solving by it undoes multiplying by its transpose") {
    Values b = Normals(kTile * kTile, 11);
    const Values before = b;
    SolveTile(g.data(), b.data());
    const Values zero(kTile * kTile);
    const Values again = PlainProduct(g, 1, kTile, b, kTile, zero, kTile, kTile, 1);
    for (std::size_t i = 0; i < again.size(); ++i) CHECK(again[i] == doctest::Approx(before[i]).epsilon(1e-4));
  }
}

TEST_CASE("A tile that is not positive definite is refused, and so is a NaN") {
  Values h = PositiveDefiniteTile();
  h[20 * kTile + 20] = -1;
  CHECK_FALSE(FactorTile(h.data(), 1e-3F));
  h = PositiveDefiniteTile();
  h[20 * kTile + 20] = std::numeric_limits<float>::quiet_NaN();
  CHECK_FALSE(FactorTile(h.data(), 1e-3F));
}

}  // namespace
}  // namespace kdequant
