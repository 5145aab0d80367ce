#include "kernels/w4a8_winograd.h"

#include <algorithm>

#include "kernels/winograd_plan.h"

namespace kdequant::w4a8 {
namespace {

using runtime::kQuadSums;
using runtime::WinogradPlan;

constexpr std::ptrdiff_t kPositions = runtime::kWinogradPositions;
constexpr auto kRows = static_cast<std::ptrdiff_t>(kPanelRows);

// Four times a sum must stay below 2^31: 4 * 9 * 2048 * 127 * 128 does.
constexpr std::ptrdiff_t kMostBlocks = 512;

WinogradPlan PlanOf(const Windows& windows, std::size_t rows) {
  return {windows.width, windows.pixels / windows.width, windows.blocks, static_cast<std::ptrdiff_t>(rows),
          sizeof(std::int16_t)};
}

struct Vector4 {
  v128_t at[4];
};

// B^T x, or x B where x are the columns.
Vector4 TransformTile(v128_t x0, v128_t x1, v128_t x2, v128_t x3) {
  return {wasm_i16x8_sub(x0, x2), wasm_i16x8_add(x1, x2), wasm_i16x8_sub(x2, x1), wasm_i16x8_sub(x1, x3)};
}

// 2G x.
Vector4 TransformFilter(v128_t x0, v128_t x1, v128_t x2) {
  const v128_t ends = wasm_i16x8_add(x0, x2);
  return {wasm_i16x8_add(x0, x0), wasm_i16x8_add(ends, x1), wasm_i16x8_sub(ends, x1), wasm_i16x8_add(x2, x2)};
}

struct Vector2 {
  v128_t at[2];
};

// A^T x.
Vector2 TransformSums(v128_t x0, v128_t x1, v128_t x2, v128_t x3) {
  return {wasm_i32x4_add(wasm_i32x4_add(x0, x1), x2), wasm_i32x4_sub(wasm_i32x4_sub(x1, x2), x3)};
}

// A tile of two blocks of channels: `tile` gets its 16 positions, each 4 channels of the one and 4 of the other.
void TransformPixels(const std::int8_t* first, const std::int8_t* second, std::ptrdiff_t row_stride, v128_t* tile) {
  Vector4 rows[4];
  for (std::ptrdiff_t y = 0; y < 4; ++y, first += row_stride, second += row_stride) {
    const v128_t a = wasm_i16x8_load8x8(first);  // Two pixels.
    const v128_t b = wasm_i16x8_load8x8(first + 8);
    const v128_t c = wasm_i16x8_load8x8(second);
    const v128_t d = wasm_i16x8_load8x8(second + 8);
    rows[y] = TransformTile(wasm_i64x2_shuffle(a, c, 0, 2), wasm_i64x2_shuffle(a, c, 1, 3),
                            wasm_i64x2_shuffle(b, d, 0, 2), wasm_i64x2_shuffle(b, d, 1, 3));
  }
  for (std::ptrdiff_t x = 0; x < 4; ++x) {
    const Vector4 column = TransformTile(rows[0].at[x], rows[1].at[x], rows[2].at[x], rows[3].at[x]);
    for (std::ptrdiff_t y = 0; y < 4; ++y) tile[4 * y + x] = column.at[y];
  }
}

// The same position of four tiles: from four pairs of channels a tile to four tiles a pair. Stores `count` pairs.
void StorePairs(const v128_t* tiles, std::ptrdiff_t count, std::int16_t* pairs) {
  const v128_t a = tiles[0];
  const v128_t b = tiles[kPositions];
  const v128_t c = tiles[2 * kPositions];
  const v128_t d = tiles[3 * kPositions];
  const v128_t ab = wasm_i32x4_shuffle(a, b, 0, 4, 1, 5);
  const v128_t cd = wasm_i32x4_shuffle(c, d, 0, 4, 1, 5);
  wasm_v128_store(pairs, wasm_i64x2_shuffle(ab, cd, 0, 2));
  wasm_v128_store(pairs + 8, wasm_i64x2_shuffle(ab, cd, 1, 3));
  if (count == 2) return;
  const v128_t ab_end = wasm_i32x4_shuffle(a, b, 2, 6, 3, 7);
  const v128_t cd_end = wasm_i32x4_shuffle(c, d, 2, 6, 3, 7);
  wasm_v128_store(pairs + 16, wasm_i64x2_shuffle(ab_end, cd_end, 0, 2));
  wasm_v128_store(pairs + 24, wasm_i64x2_shuffle(ab_end, cd_end, 1, 3));
}

// One position of four tiles by 8 channels: the products of all pairs. `sums`: the lower four channels of the four
// tiles, then the upper.
void Multiply(const std::int16_t* tiles, const std::int16_t* filters, std::ptrdiff_t pairs, v128_t* sums) {
  v128_t low[4];
  v128_t high[4];
  for (int t = 0; t < 4; ++t) low[t] = high[t] = wasm_i32x4_splat(0);
  KDEQUANT_NO_UNROLL
  for (std::ptrdiff_t pair = 0; pair < pairs; ++pair, tiles += 8, filters += 16) {
    const v128_t lower = wasm_v128_load(filters);
    const v128_t upper = wasm_v128_load(filters + 8);
    for (int t = 0; t < 4; ++t) {
      const v128_t x = wasm_v128_load32_splat(tiles + static_cast<std::ptrdiff_t>(2 * t));
      low[t] = wasm_i32x4_add(low[t], wasm_i32x4_dot_i16x8(x, lower));
      high[t] = wasm_i32x4_add(high[t], wasm_i32x4_dot_i16x8(x, upper));
    }
  }
  for (int t = 0; t < 4; ++t) {
    sums[t] = low[t];
    sums[4 + t] = high[t];
  }
}

template <typename Output>
struct Run {
  const Source& source;
  const Windows& windows;
  const PackedWeights& weights;
  std::ptrdiff_t channel;
  std::ptrdiff_t block_stride;
  const Output& output;
  WinogradPlan plan;
  std::byte* scratch;

  std::ptrdiff_t Width() const { return windows.width; }
  std::ptrdiff_t Height() const { return windows.pixels / windows.width; }
  std::ptrdiff_t RowStride() const { return windows.taps[3]; }

  std::ptrdiff_t Pairs() const { return 2 * windows.blocks; }  // Of input channels.

  std::int16_t* Filters(std::ptrdiff_t at) const {
    return reinterpret_cast<std::int16_t*>(scratch + at * static_cast<std::ptrdiff_t>(plan.panel_bytes));
  }

  // Decodes a panel and transforms it: [position][pair][8 channels][2].
  template <bool Nibbles>
  void TransformPanel(std::ptrdiff_t panel, std::int16_t* filters) const {
    constexpr std::ptrdiff_t kStep = Nibbles ? 16 : 32;
    const v128_t table = wasm_v128_load(weights.table.data());
    const std::uint8_t* step = weights.Panel(static_cast<std::size_t>(panel));
    for (std::ptrdiff_t block = 0; block < windows.blocks; ++block, step += kStep) {
      StepBytes taps[9];
      for (std::ptrdiff_t tap = 0; tap < 9; ++tap) {
        const std::uint8_t* const at = step + tap * windows.blocks * kStep;
        if constexpr (Nibbles) {
          taps[tap] = DecodeNibbles(at, table);
        } else {
          taps[tap] = LoadStep(at);
        }
      }
      for (std::ptrdiff_t half = 0; half < 2; ++half) {
        v128_t pairs[2][9];
        for (int tap = 0; tap < 9; ++tap) {
          const DepthPairs both = PairsOfBytes(half == 0 ? taps[tap].first : taps[tap].second);
          pairs[0][tap] = both.even;
          pairs[1][tap] = both.odd;
        }
        for (std::ptrdiff_t odd = 0; odd < 2; ++odd)
          TransformTaps(pairs[odd], filters + (2 * block + odd) * 16 + half * 8, Pairs() * 16);
      }
    }
  }

  static void TransformTaps(const v128_t* taps, std::int16_t* filters, std::ptrdiff_t position_stride) {
    Vector4 columns[3];
    for (int x = 0; x < 3; ++x) columns[x] = TransformFilter(taps[x], taps[3 + x], taps[6 + x]);
    for (int y = 0; y < 4; ++y) {
      const Vector4 row = TransformFilter(columns[0].at[y], columns[1].at[y], columns[2].at[y]);
      for (int x = 0; x < 4; ++x, filters += position_stride) wasm_v128_store(filters, row.at[x]);
    }
  }

  void TransformPanel(std::ptrdiff_t panel, std::int16_t* filters) const {
    if (weights.nibbles) return TransformPanel<true>(panel, filters);
    TransformPanel<false>(panel, filters);
  }

  // Rows of tiles [first, last), whose tiles are counted row by row and go together by four.
  struct Band {
    std::ptrdiff_t first;
    std::ptrdiff_t last;
    std::ptrdiff_t tiles;
  };

  // Of transformed tiles: [position][quad][pair][4 tiles][2 channels].
  std::ptrdiff_t QuadStride() const { return Pairs() * 8; }
  std::ptrdiff_t PositionStride() const { return plan.band_quads * QuadStride(); }

  void TransformQuad(const Band& band, std::ptrdiff_t quad, std::int16_t* tiles) const {
    const std::int8_t* corners[4];
    for (std::ptrdiff_t t = 0; t < 4; ++t) {
      const std::ptrdiff_t tile = std::min(4 * quad + t, band.tiles - 1);
      corners[t] =
          source.pixels + 2 * (band.first + tile / plan.tiles_wide) * RowStride() + 8 * (tile % plan.tiles_wide);
    }
    std::int16_t* at = tiles + quad * QuadStride();
    for (std::ptrdiff_t block = 0; block < windows.blocks; block += 2, at += 32) {
      // The last block of an odd number goes alone.
      const std::ptrdiff_t count = std::min<std::ptrdiff_t>(2, windows.blocks - block);
      const std::ptrdiff_t first = block * source.block_stride;
      const std::ptrdiff_t second = (block + count - 1) * source.block_stride;
      v128_t transformed[4 * kPositions];
      for (std::ptrdiff_t t = 0; t < 4; ++t)
        TransformPixels(corners[t] + first, corners[t] + second, RowStride(), transformed + t * kPositions);
      for (std::ptrdiff_t position = 0; position < kPositions; ++position)
        StorePairs(transformed + position, 2 * count, at + position * PositionStride());
    }
  }

  // What one panel makes of a band.
  void MultiplyPanel(const Band& band, std::ptrdiff_t panel, const std::int16_t* filters, const std::int16_t* tiles,
                     std::byte* thread_scratch) const {
    auto* const sums = reinterpret_cast<v128_t*>(thread_scratch);
    const std::ptrdiff_t quads = WinogradPlan::Quads(band.tiles);
    for (std::ptrdiff_t position = 0; position < kPositions; ++position) {
      for (std::ptrdiff_t quad = 0; quad < quads; ++quad) {
        Multiply(tiles + position * PositionStride() + quad * QuadStride(), filters + position * Pairs() * 16, Pairs(),
                 sums + quad * kQuadSums + position * 8);
      }
    }
    const std::ptrdiff_t row = panel * kRows;
    v128_t* const pixels = sums + plan.band_quads * kQuadSums;
    Finish(band, row, sums, pixels);
    if (row + 4 < static_cast<std::ptrdiff_t>(weights.rows)) Finish(band, row + 4, sums + 4, pixels);
  }

  // Four channels of a band, from the sums of its positions to the output. `pixels` has room for the band's.
  void Finish(const Band& band, std::ptrdiff_t row, const v128_t* sums, v128_t* pixels) const {
    const v128_t start = wasm_v128_load(output.rows.start + channel + row);
    for (std::ptrdiff_t tile = 0; tile < band.tiles; ++tile) {
      const v128_t* const of_tile = sums + tile / 4 * kQuadSums + tile % 4;
      Vector2 columns[4];
      for (std::ptrdiff_t x = 0; x < 4; ++x)
        columns[x] = TransformSums(of_tile[8 * x], of_tile[8 * (4 + x)], of_tile[8 * (8 + x)], of_tile[8 * (12 + x)]);
      const std::ptrdiff_t column = 2 * (tile % plan.tiles_wide);
      v128_t* const corner = pixels + 2 * (tile / plan.tiles_wide) * Width() + column;
      for (std::ptrdiff_t y = 0; y < 2; ++y) {
        const Vector2 both = TransformSums(columns[0].at[y], columns[1].at[y], columns[2].at[y], columns[3].at[y]);
        // Beyond the right edge lies the next row; beyond the lower one there is room.
        corner[y * Width()] = wasm_i32x4_add(start, wasm_i32x4_shr(both.at[0], 2));
        if (column + 1 < Width()) corner[y * Width() + 1] = wasm_i32x4_add(start, wasm_i32x4_shr(both.at[1], 2));
      }
    }
    const VectorBounds bounds = MakeStore(output);
    const std::ptrdiff_t begin = 2 * band.first * Width();
    const std::ptrdiff_t count = std::min(2 * band.last, Height()) * Width() - begin;
    const std::ptrdiff_t index = (channel + row) / 4 * block_stride + 4 * begin;
    std::ptrdiff_t pixel = 0;
    for (; pixel + 4 <= count; pixel += 4) Store<4>(output, bounds, channel + row, index + 4 * pixel, pixels + pixel);
    for (; pixel < count; ++pixel) Store<1>(output, bounds, channel + row, index + 4 * pixel, pixels + pixel);
  }

  void All(const Threads& threads) const {
    std::byte* const after_filters = scratch + plan.FilterBytes(threads.count());
    auto* const tiles = reinterpret_cast<std::int16_t*>(after_filters);
    std::byte* const sums = after_filters + plan.tile_bytes;
    if (plan.keeps_filters) {
      threads.Cut(plan.panels, 1, [&](Stretch panels, int) {
        for (std::ptrdiff_t panel = panels.begin; panel < panels.end; ++panel) TransformPanel(panel, Filters(panel));
      });
    }
    for (std::ptrdiff_t first = 0; first < plan.tiles_high; first += plan.band_rows) {
      const std::ptrdiff_t last = std::min(first + plan.band_rows, plan.tiles_high);
      const Band band{first, last, (last - first) * plan.tiles_wide};
      threads.Cut(WinogradPlan::Quads(band.tiles), 1, [&](Stretch quads, int) {
        for (std::ptrdiff_t quad = quads.begin; quad < quads.end; ++quad) TransformQuad(band, quad, tiles);
      });
      threads.Cut(plan.panels, 1, [&](Stretch panels, int thread) {
        for (std::ptrdiff_t panel = panels.begin; panel < panels.end; ++panel) {
          std::int16_t* const filters = Filters(plan.keeps_filters ? panel : thread);
          if (!plan.keeps_filters) TransformPanel(panel, filters);
          MultiplyPanel(band, panel, filters, tiles, sums + thread * static_cast<std::ptrdiff_t>(plan.thread_bytes));
        }
      });
    }
  }
};

}  // namespace

bool WinogradPays(const Windows& windows, std::size_t rows) {
  return windows.is_plain_3x3 && windows.blocks <= kMostBlocks &&
         WinogradPlan::Pays(windows.width, windows.pixels / windows.width, windows.blocks,
                            static_cast<std::ptrdiff_t>(rows));
}

std::size_t WinogradScratchBytes(const Windows& windows, std::size_t rows, int threads) {
  return PlanOf(windows, rows).ScratchBytes(threads);
}

void RunWinograd(const Source& source, const Windows& windows, const PackedWeights& weights, std::ptrdiff_t channel,
                 std::ptrdiff_t block_stride, const ByteOutput& output, std::byte* scratch, const Threads& threads) {
  const WinogradPlan plan = PlanOf(windows, weights.rows);
  Run<ByteOutput>{source, windows, weights, channel, block_stride, output, plan, scratch}.All(threads);
}
void RunWinograd(const Source& source, const Windows& windows, const PackedWeights& weights, std::ptrdiff_t channel,
                 std::ptrdiff_t block_stride, const FloatOutput& output, std::byte* scratch, const Threads& threads) {
  const WinogradPlan plan = PlanOf(windows, weights.rows);
  Run<FloatOutput>{source, windows, weights, channel, block_stride, output, plan, scratch}.All(threads);
}

}  // namespace kdequant::w4a8
