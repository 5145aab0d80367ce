#include "kdequant/compensation/im2col.h"

#include <algorithm>
#include <numeric>
#include <vector>

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

namespace {

// Channels [first, last) of the window whose upper left corner is there, which may reach beyond the input; of them
// only the columns `range`.
void CopyWindow(const float* input, const Im2ColGeometry& geometry, std::int64_t first, std::int64_t last,
                ColumnRange range, std::int64_t top, std::int64_t left, float* out) {
  const auto [kernel_height, kernel_width] = geometry.window.kernel;
  const auto [row_step, column_step] = geometry.window.dilations;
  auto column = static_cast<std::size_t>(first * kernel_height * kernel_width);
  for (std::int64_t channel = first; channel < last; ++channel) {
    const float* plane = input + channel * geometry.height * geometry.width;
    for (std::int64_t ky = 0; ky < kernel_height; ++ky) {
      const std::int64_t y = top + ky * row_step;
      for (std::int64_t kx = 0; kx < kernel_width; ++kx, ++column) {
        if (column < range.begin || column >= range.end) continue;
        const std::int64_t x = left + kx * column_step;
        const bool inside = y >= 0 && y < geometry.height && x >= 0 && x < geometry.width;
        *out++ = inside ? plane[y * geometry.width + x] : 0;
      }
    }
  }
}

}  // namespace

void Im2ColRows(std::span<const float> input, const Im2ColGeometry& geometry, std::int64_t group, ColumnRange range,
                std::span<const std::uint32_t> positions, std::span<float> rows) {
  // So many planes are read side by side: neighbouring positions find them in the first-level cache.
  constexpr std::int64_t kChannels = 16;
  const auto [kernel_height, kernel_width] = geometry.window.kernel;
  const auto [row_step, column_step] = geometry.window.dilations;
  const std::int64_t taps = kernel_height * kernel_width;
  const std::int64_t plane_size = geometry.height * geometry.width;
  const auto begin = static_cast<std::int64_t>(range.begin);
  const auto end = static_cast<std::int64_t>(range.end);
  const float* group_input = input.data() + group * (geometry.channels / geometry.groups) * plane_size;
  std::vector<std::int64_t> offsets;
  for (std::int64_t ky = 0; ky < kernel_height; ++ky) {
    for (std::int64_t kx = 0; kx < kernel_width; ++kx)
      offsets.push_back(ky * row_step * geometry.width + kx * column_step);
  }
  for (std::int64_t first = begin / taps; first * taps < end; first += kChannels) {
    const std::int64_t last = std::min(first + kChannels, (end + taps - 1) / taps);
    const bool is_whole = first * taps >= begin && last * taps <= end;
    float* out = rows.data() + (std::max(first * taps, begin) - begin);
    for (const std::uint32_t position : positions) {
      const std::int64_t top = position / geometry.output_width * geometry.window.strides[0] - geometry.window.pads[0];
      const std::int64_t left = position % geometry.output_width * geometry.window.strides[1] - geometry.window.pads[1];
      const bool inside = top >= 0 && left >= 0 && top + (kernel_height - 1) * row_step < geometry.height &&
                          left + (kernel_width - 1) * column_step < geometry.width;
      if (is_whole && inside) {
        const float* window = group_input + first * plane_size + top * geometry.width + left;
        float* to = out;
        for (std::int64_t channel = first; channel < last; ++channel, window += plane_size) {
          for (const std::int64_t offset : offsets) *to++ = window[offset];
        }
      } else {
        CopyWindow(group_input, geometry, first, last, range, top, left, out);
      }
      out += range.size();
    }
  }
}

}  // namespace kdequant
