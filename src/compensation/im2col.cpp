#include "kdequant/compensation/im2col.h"

#include <algorithm>
#include <numeric>

#include "kdequant/base/random.h"
#include "kdequant/base/sort.h"

namespace kdequant {

std::size_t PositionsWanted(std::size_t columns) { return columns <= 2048 ? 16384 : 8192; }

std::vector<std::vector<std::uint32_t>> SamplePositions(std::size_t positions_per_picture, std::size_t pictures,
                                                        std::size_t wanted, std::uint64_t seed) {
  std::vector<std::vector<std::uint32_t>> chosen(pictures);
  std::vector<std::uint32_t> deck(positions_per_picture);
  for (std::size_t picture = 0; picture < pictures; ++picture) {
    // Shares that differ by one at most and add up to `wanted`.
    const std::size_t share = wanted * (picture + 1) / pictures - wanted * picture / pictures;
    const std::size_t count = std::min(share, positions_per_picture);
    // The first cards of a shuffled deck; each picture has its own stream of random numbers.
    Random random(StreamSeed(seed, picture));
    std::iota(deck.begin(), deck.end(), 0U);
    for (std::size_t i = 0; i < count; ++i) {
      std::swap(deck[i], deck[i + random.Below(static_cast<std::uint32_t>(positions_per_picture - i))]);
    }
    chosen[picture].assign(deck.begin(), deck.begin() + static_cast<std::ptrdiff_t>(count));
    SortSmall(chosen[picture]);
  }
  return chosen;
}

std::vector<ColumnRange> SplitColumns(std::size_t columns, std::size_t multiple, std::size_t uncut,
                                      std::size_t widest) {
  if (columns <= uncut) return {{.begin = 0, .end = columns}};
  // A multiple wider than a run allows no cut at its multiples.
  if (multiple == 0 || multiple > widest) multiple = 1;
  const std::size_t units = (columns + multiple - 1) / multiple;
  const std::size_t units_per_run = widest / multiple;
  const std::size_t runs = (units + units_per_run - 1) / units_per_run;
  std::vector<ColumnRange> ranges;
  for (std::size_t run = 0; run < runs; ++run) {
    ranges.push_back(
        {.begin = units * run / runs * multiple, .end = std::min(columns, units * (run + 1) / runs * multiple)});
  }
  return ranges;
}

std::size_t Im2ColGeometry::Columns() const {
  return static_cast<std::size_t>(channels / groups * window.kernel[0] * window.kernel[1]);
}

void Im2ColRows(std::span<const float> input, const Im2ColGeometry& geometry, std::int64_t group, ColumnRange range,
                std::span<const std::uint32_t> positions, std::span<float> rows) {
  const auto [kernel_height, kernel_width] = geometry.window.kernel;
  const auto [row_step, column_step] = geometry.window.dilations;
  const std::int64_t taps = kernel_height * kernel_width;
  const std::int64_t plane_size = geometry.height * geometry.width;
  const auto first = static_cast<std::int64_t>(range.begin);
  const auto last = static_cast<std::int64_t>(range.end);
  const float* group_input = input.data() + group * (geometry.channels / geometry.groups) * plane_size;
  float* out = rows.data();
  for (const std::uint32_t position : positions) {
    const std::int64_t top = position / geometry.output_width * geometry.window.strides[0] - geometry.window.pads[0];
    const std::int64_t left = position % geometry.output_width * geometry.window.strides[1] - geometry.window.pads[1];
    for (std::int64_t channel = first / taps; channel * taps < last; ++channel) {
      const float* plane = group_input + channel * plane_size;
      for (std::int64_t ky = 0; ky < kernel_height; ++ky) {
        const std::int64_t y = top + ky * row_step;
        for (std::int64_t kx = 0; kx < kernel_width; ++kx) {
          const std::int64_t column = channel * taps + ky * kernel_width + kx;
          if (column < first || column >= last) continue;
          const std::int64_t x = left + kx * column_step;
          const bool inside = y >= 0 && y < geometry.height && x >= 0 && x < geometry.width;
          *out++ = inside ? plane[y * geometry.width + x] : 0;
        }
      }
    }
  }
}

}  // namespace kdequant
