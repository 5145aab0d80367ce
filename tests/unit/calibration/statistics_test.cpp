#include "kdequant/calibration/statistics.h"

#include <doctest/doctest.h>

#include <vector>

#include "kdequant/base/random.h"
#include "kdequant/calibration/column_means.h"

namespace kdequant {
namespace {

// im2col written as its definition says: the element of column (channel, tap) at an output position, zero outside.
double ColumnElement(const std::vector<float>& input, const Shape& shape, const Conv& conv, std::int64_t channel,
                     std::int64_t ky, std::int64_t kx, std::int64_t oy, std::int64_t ox) {
  const std::int64_t y = oy * conv.window.strides[0] + ky * conv.window.dilations[0] - conv.window.pads[0];
  const std::int64_t x = ox * conv.window.strides[1] + kx * conv.window.dilations[1] - conv.window.pads[1];
  if (y < 0 || y >= shape[2] || x < 0 || x >= shape[3]) return 0;
  return static_cast<double>(input[static_cast<std::size_t>((channel * shape[2] + y) * shape[3] + x)]);
}

TEST_CASE("Column sums are the sums of im2col columns, with strides, dilations, groups and lopsided padding") {
  const Shape input_shape{1, 4, 7, 6};
  Conv conv{.window = {.kernel = {3, 2}, .strides = {2, 1}, .dilations = {1, 2}, .pads = {1, 0, 0, 1}}, .groups = 2};
  const Shape weight_shape{6, 2, 3, 2};
  const Shape output_shape{1, 6, 3, 5};
  Random random(3);
  std::vector<float> input(4 * 7 * 6);
  for (auto& x : input) x = static_cast<float>(random.Normal());

  std::vector<double> sums(2 * 2 * 3 * 2);
  AddColumnSums(input, input_shape, conv, weight_shape, output_shape, sums);
  for (std::int64_t channel = 0; channel < 4; ++channel) {
    for (std::int64_t tap = 0; tap < 6; ++tap) {
      double expected = 0;
      for (std::int64_t oy = 0; oy < output_shape[2]; ++oy) {
        for (std::int64_t ox = 0; ox < output_shape[3]; ++ox) {
          expected += ColumnElement(input, input_shape, conv, channel, tap / 2, tap % 2, oy, ox);
        }
      }
      CHECK(sums[static_cast<std::size_t>(channel * 6 + tap)] == doctest::Approx(expected));
    }
  }
}

TEST_CASE("An extent holds the ends of all pictures, and the peak of each by magnitude") {
  ValueExtents extents;
  AddExtent(7, std::vector<float>{-1, 2, 0.5F}, extents);
  std::vector<float> wide(40, 0.25F);
  wide[3] = -8;
  wide[37] = 3;
  AddExtent(7, wide, extents);
  const ValueExtent& extent = extents.at(7);
  CHECK(extent.low == -8);
  CHECK(extent.high == 3);
  CHECK(MedianPeak(extent) == 8);  // of two, the larger
  AddExtent(7, std::vector<float>{-0.5F, -0.25F}, extents);
  CHECK(extent.peaks == std::vector<float>{2, 8, 0.5F});
  CHECK(MedianPeak(extent) == 2);
}

}  // namespace
}  // namespace kdequant
