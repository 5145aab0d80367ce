#include "integer_panels.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "layers.h"

namespace kdequant {
namespace {

// What packing says that a value becomes: a multiple of its line's unit, at most 2047 of them.
float Rounded(float value, float unit) {
  if (unit == 0) return 0;
  return std::fmin(std::fmax(std::nearbyint(value / unit), -2047.0F), 2047.0F);
}

struct Packed {
  std::vector<std::int16_t> panels;
  std::vector<float> units;
};

std::size_t RoundUp(std::size_t count) { return (count + kPanel - 1) / kPanel * kPanel; }

Packed PackedColumns(const std::vector<float>& values, std::size_t lines, std::size_t depth) {
  Packed packed{.panels = std::vector<std::int16_t>(RoundUp(lines) / kPanel * PanelSize(depth), std::int16_t{99}),
                .units = std::vector<float>(RoundUp(lines))};
  PackColumns(values.data(), lines, lines, depth, packed.panels.data(), packed.units);
  return packed;
}

TEST_CASE("Products of panels are those of the rounded values, bit for bit, for any number of lines and depths") {
  for (const std::size_t depth : {1U, 2U, 7U, 512U}) {
    for (const std::size_t lines : {1U, 8U, 13U}) {
      CAPTURE(depth);
      CAPTURE(lines);
      // Lines of very different sizes, one of them of zeros.
      std::vector<float> x = NormalFloats(depth * lines, 3);
      for (std::size_t i = 0; i < x.size(); ++i) x[i] *= i % lines == 2 ? 0 : std::exp(static_cast<float>(i % lines));
      const Packed packed = PackedColumns(x, lines, depth);
      for (std::size_t row = 0; row < packed.units.size(); row += kMicroRows) {
        for (std::size_t column = 0; column < packed.units.size(); column += kPanel) {
          alignas(16) std::int32_t sums[kMicroSums];
          MultiplyPanels(packed.panels.data() + LineAt(row, depth), packed.panels.data() + LineAt(column, depth),
                         Pairs(depth), sums);
          std::vector<float> target(kMicroSums, 0.5F);
          AddScaled(sums, packed.units.data() + row, packed.units.data() + column, target.data(), kPanel);
          for (std::size_t r = 0; r < kMicroRows; ++r) {
            for (std::size_t c = 0; c < kPanel; ++c) {
              double sum = 0;
              for (std::size_t k = 0; k < depth && row + r < lines && column + c < lines; ++k) {
                sum += static_cast<double>(Rounded(x[k * lines + row + r], packed.units[row + r])) *
                       static_cast<double>(Rounded(x[k * lines + column + c], packed.units[column + c]));
              }
              CHECK(sums[r * kPanel + c] == sum);
              const float scaled = static_cast<float>(sum) * (packed.units[row + r] * packed.units[column + c]);
              CHECK(target[r * kPanel + c] == 0.5F + scaled);
            }
          }
        }
      }
    }
  }
}

TEST_CASE("Rows pack as the columns of the transposed matrix do, and the largest values do not overflow") {
  constexpr std::size_t kLines = 11;
  for (const std::size_t depth : {1U, 6U, 33U}) {
    CAPTURE(depth);
    const std::vector<float> rows = NormalFloats(kLines * depth, 4);
    std::vector<float> columns(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) columns[i % depth * kLines + i / depth] = rows[i];
    Packed packed{.panels = std::vector<std::int16_t>(2 * PanelSize(depth), std::int16_t{99}),
                  .units = std::vector<float>(2 * kPanel)};
    PackRows(rows.data(), depth, kLines, depth, packed.panels.data(), packed.units);
    const Packed expected = PackedColumns(columns, kLines, depth);
    CHECK(packed.panels == expected.panels);
    CHECK(packed.units == expected.units);
  }
  const Packed largest = PackedColumns(std::vector<float>(kMostDepth * kPanel, 2047.9F), kPanel, kMostDepth);
  alignas(16) std::int32_t sums[kMicroSums];
  MultiplyPanels(largest.panels.data(), largest.panels.data(), Pairs(kMostDepth), sums);
  CHECK(sums[9] == 512 * 2047 * 2047);
}

}  // namespace
}  // namespace kdequant
