#include "kdequant/compensation/im2col.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <vector>

namespace kdequant {
namespace {

TEST_CASE("Positions are spread evenly, ascending, in range, without repetition, and the same for the same seed") {
  const auto chosen = SamplePositions(196, 7, 500, 3);
  REQUIRE(chosen.size() == 7);
  std::size_t total = 0;
  for (const auto& positions : chosen) {
    CHECK((positions.size() == 71 || positions.size() == 72));
    CHECK(std::ranges::is_sorted(positions));
    CHECK(std::set(positions.begin(), positions.end()).size() == positions.size());
    CHECK(positions.back() < 196);
    total += positions.size();
  }
  CHECK(total == 500);
  CHECK(chosen[0] != chosen[1]);
  CHECK(SamplePositions(196, 7, 500, 3) == chosen);
  CHECK(SamplePositions(196, 7, 500, 4) != chosen);
}

TEST_CASE("Every position of a picture is as likely as another") {
  std::vector<int> counts(50);
  for (const auto& positions : SamplePositions(50, 4000, 40000, 5)) {
    for (const std::uint32_t p : positions) ++counts[p];
  }
  // 800 expected; the standard deviation is 25.
  CHECK(*std::ranges::min_element(counts) > 700);
  CHECK(*std::ranges::max_element(counts) < 900);
}

TEST_CASE("A picture with too few positions gives them all") {
  for (const auto& positions : SamplePositions(4, 3, 100, 1)) {
    CHECK(positions == std::vector<std::uint32_t>{0, 1, 2, 3});
  }
  CHECK(SamplePositions(1, 2, 1, 1)[0].size() + SamplePositions(1, 2, 1, 1)[1].size() == 1);
}

TEST_CASE("Narrow layers are seen at as many positions as others, very wide ones at fewer") {
  CHECK(PositionsWanted(27) == 16384);
  CHECK(PositionsWanted(4608) == 8192);
}

TEST_CASE("Wide layers are cut into nearly equal runs that cover every column once") {
  CHECK(SplitColumns(4608) == std::vector<ColumnRange>{{0, 4608}});
  CHECK(SplitColumns(9216) == std::vector<ColumnRange>{{0, 2304}, {2304, 4608}, {4608, 6912}, {6912, 9216}});
  for (const std::size_t multiple : {1U, 9U, 49U, 5000U, 0U}) {
    CAPTURE(multiple);
    const auto runs = SplitColumns(25088, multiple);
    std::size_t end = 0;
    for (const ColumnRange& run : runs) {
      CHECK(run.begin == end);
      CHECK(run.size() <= 2304);
      CHECK(run.size() > 2000);
      if (multiple > 0 && multiple <= 49) CHECK(run.begin % multiple == 0);
      end = run.end;
    }
    CHECK(end == 25088);
  }
}

// A convolution by its definition, and by rows times weights.
struct Case {
  Im2ColGeometry geometry;
  std::int64_t output_height;
};

TEST_CASE("A row times the weights is the convolution at its position") {
  const std::vector<Case> cases{
      {{.window = {.kernel = {3, 3}, .pads = {1, 1, 1, 1}}, .channels = 4, .height = 5, .width = 6, .output_width = 6},
       5},
      {{.window = {.kernel = {3, 2}, .strides = {2, 3}, .dilations = {2, 1}, .pads = {0, 1, 2, 1}},
        .channels = 6,
        .height = 9,
        .width = 11,
        .output_width = 4,
        .groups = 2},
       4},
      {{.window = {}, .channels = 3, .height = 2, .width = 2, .output_width = 2}, 2},
  };
  for (const auto& [geometry, output_height] : cases) {
    const std::int64_t group_channels = geometry.channels / geometry.groups;
    const auto [kernel_height, kernel_width] = geometry.window.kernel;
    std::vector<float> input(static_cast<std::size_t>(geometry.channels * geometry.height * geometry.width));
    std::iota(input.begin(), input.end(), 1.0F);
    std::vector<float> weights(geometry.Columns());
    for (std::size_t k = 0; k < weights.size(); ++k) weights[k] = static_cast<float>(k % 5) - 2;
    std::vector<std::uint32_t> positions(static_cast<std::size_t>(output_height * geometry.output_width));
    std::iota(positions.begin(), positions.end(), 0U);
    std::vector<float> rows(positions.size() * geometry.Columns());
    for (std::int64_t group = 0; group < geometry.groups; ++group) {
      Im2ColRows(input, geometry, group, {0, geometry.Columns()}, positions, rows);
      for (const std::uint32_t position : positions) {
        const std::int64_t oy = position / geometry.output_width;
        const std::int64_t ox = position % geometry.output_width;
        float expected = 0;
        std::size_t k = 0;
        for (std::int64_t c = 0; c < group_channels; ++c) {
          for (std::int64_t ky = 0; ky < kernel_height; ++ky) {
            for (std::int64_t kx = 0; kx < kernel_width; ++kx, ++k) {
              const std::int64_t y =
                  oy * geometry.window.strides[0] + ky * geometry.window.dilations[0] - geometry.window.pads[0];
              const std::int64_t x =
                  ox * geometry.window.strides[1] + kx * geometry.window.dilations[1] - geometry.window.pads[1];
              if (y < 0 || y >= geometry.height || x < 0 || x >= geometry.width) continue;
              const std::int64_t channel = group * group_channels + c;
              expected +=
                  weights[k] * input[static_cast<std::size_t>((channel * geometry.height + y) * geometry.width + x)];
            }
          }
        }
        const auto row = rows.begin() + static_cast<std::ptrdiff_t>(position * geometry.Columns());
        CHECK(std::inner_product(weights.begin(), weights.end(), row, 0.0F) == expected);
      }
      // A range gives those columns of the full rows.
      const ColumnRange range{geometry.Columns() / 3, geometry.Columns() - 1};
      std::vector<float> part(positions.size() * range.size());
      Im2ColRows(input, geometry, group, range, positions, part);
      for (std::size_t p = 0; p < positions.size(); ++p) {
        CHECK(std::equal(part.begin() + static_cast<std::ptrdiff_t>(p * range.size()),
                         part.begin() + static_cast<std::ptrdiff_t>((p + 1) * range.size()),
                         rows.begin() + static_cast<std::ptrdiff_t>(p * geometry.Columns() + range.begin)));
      }
    }
  }
}

}  // namespace
}  // namespace kdequant
