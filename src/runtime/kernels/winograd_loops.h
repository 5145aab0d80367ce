// kernels/winograd_loops.h
// What convolutions by tiles (kernels/winograd_plan.h) share, whatever they compute in. Transformed tiles and filters
// have the same layout in bytes in each: a depth (a channel of floats, a pair of channels of 16-bit integers) of four
// tiles is one vector of 32-bit lanes, of 8 output channels two.
//
//   tiles     [position][quad][depth][4 tiles]
//   filters   [position][depth][8 channels]
//   sums      [quad][position][lower and upper four channels][4 tiles], vectors of four channels
//
// `Lanes` says how vectors are added: Add and Sub.
#ifndef KDEQUANT_RUNTIME_KERNELS_WINOGRAD_LOOPS_H_
#define KDEQUANT_RUNTIME_KERNELS_WINOGRAD_LOOPS_H_

#include <algorithm>
#include <cstddef>

#include "kdequant/base/parallel.h"
#include "kernels/simd.h"
#include "kernels/winograd_plan.h"

namespace kdequant::runtime {

inline constexpr std::ptrdiff_t kTileDepthBytes = 16;    ///< Of four tiles.
inline constexpr std::ptrdiff_t kFilterDepthBytes = 32;  ///< Of 8 channels.

struct Vector4 {
  v128_t at[4];
};

/// B^T x.
template <typename Lanes>
Vector4 TransformLine(const Vector4& x) {
  return {Lanes::Sub(x.at[0], x.at[2]), Lanes::Add(x.at[1], x.at[2]), Lanes::Sub(x.at[2], x.at[1]),
          Lanes::Sub(x.at[1], x.at[3])};
}

/// B^T d B, where `row(y)` are the four pixels of a row of d; `tile` gets the 16 positions.
template <typename Lanes, typename Row>
void TransformTile(Row row, v128_t* tile) {
  Vector4 rows[4];
  for (std::ptrdiff_t y = 0; y < 4; ++y) rows[y] = TransformLine<Lanes>(row(y));
  for (std::ptrdiff_t x = 0; x < 4; ++x) {
    const Vector4 column = TransformLine<Lanes>({rows[0].at[x], rows[1].at[x], rows[2].at[x], rows[3].at[x]});
    for (std::ptrdiff_t y = 0; y < 4; ++y) tile[4 * y + x] = column.at[y];
  }
}

/// 2G x.
template <typename Lanes>
Vector4 TransformTaps(v128_t x0, v128_t x1, v128_t x2) {
  const v128_t ends = Lanes::Add(x0, x2);
  return {Lanes::Add(x0, x0), Lanes::Add(ends, x1), Lanes::Sub(ends, x1), Lanes::Add(x2, x2)};
}

/// 2G g 2G^T, where `tap(i)` is tap i of g, row by row; positions are stored `stride` bytes apart.
template <typename Lanes, typename Tap>
void TransformFilter(Tap tap, std::byte* filter, std::ptrdiff_t stride) {
  Vector4 columns[3];
  for (std::ptrdiff_t x = 0; x < 3; ++x) columns[x] = TransformTaps<Lanes>(tap(x), tap(3 + x), tap(6 + x));
  for (std::ptrdiff_t y = 0; y < 4; ++y) {
    const Vector4 row = TransformTaps<Lanes>(columns[0].at[y], columns[1].at[y], columns[2].at[y]);
    for (std::ptrdiff_t x = 0; x < 4; ++x, filter += stride) wasm_v128_store(filter, row.at[x]);
  }
}

/// Four times the pixels of a tile.
struct Pixels {
  v128_t at[2][2];
};

/// A^T m A, where m are a tile's sums.
template <typename Lanes>
Pixels TransformSums(const v128_t* sums) {
  const auto reduce = [](v128_t x0, v128_t x1, v128_t x2, v128_t x3, v128_t& first, v128_t& second) {
    first = Lanes::Add(Lanes::Add(x0, x1), x2);
    second = Lanes::Sub(Lanes::Sub(x1, x2), x3);
  };
  v128_t rows[2][4];
  for (std::ptrdiff_t x = 0; x < 4; ++x)
    reduce(sums[8 * x], sums[8 * (4 + x)], sums[8 * (8 + x)], sums[8 * (12 + x)], rows[0][x], rows[1][x]);
  Pixels pixels;
  for (std::ptrdiff_t y = 0; y < 2; ++y)
    reduce(rows[y][0], rows[y][1], rows[y][2], rows[y][3], pixels.at[y][0], pixels.at[y][1]);
  return pixels;
}

/// One position of four transformed tiles, each 16 vectors of four depths: stored as `count` (2 or 4) depths of four
/// tiles.
inline void StoreDepths(const v128_t* tiles, std::ptrdiff_t count, std::byte* depths) {
  const v128_t a = tiles[0];
  const v128_t b = tiles[kWinogradPositions];
  const v128_t c = tiles[2 * kWinogradPositions];
  const v128_t d = tiles[3 * kWinogradPositions];
  const v128_t ab = wasm_i32x4_shuffle(a, b, 0, 4, 1, 5);
  const v128_t cd = wasm_i32x4_shuffle(c, d, 0, 4, 1, 5);
  wasm_v128_store(depths, wasm_i64x2_shuffle(ab, cd, 0, 2));
  wasm_v128_store(depths + 16, wasm_i64x2_shuffle(ab, cd, 1, 3));
  if (count == 2) return;
  const v128_t ab_end = wasm_i32x4_shuffle(a, b, 2, 6, 3, 7);
  const v128_t cd_end = wasm_i32x4_shuffle(c, d, 2, 6, 3, 7);
  wasm_v128_store(depths + 32, wasm_i64x2_shuffle(ab_end, cd_end, 0, 2));
  wasm_v128_store(depths + 48, wasm_i64x2_shuffle(ab_end, cd_end, 1, 3));
}

/// One position of four tiles by 8 channels. `Lanes::MultiplyAdd(x, w, sum)` multiplies a depth.
template <typename Lanes>
void MultiplyPosition(const std::byte* tiles, const std::byte* filters, std::ptrdiff_t depths, v128_t* sums) {
  v128_t low[4];
  v128_t high[4];
  for (int t = 0; t < 4; ++t) low[t] = high[t] = wasm_i32x4_splat(0);
  KDEQUANT_NO_UNROLL
  for (std::ptrdiff_t depth = 0; depth < depths; ++depth, tiles += kTileDepthBytes, filters += kFilterDepthBytes) {
    const v128_t lower = wasm_v128_load(filters);
    const v128_t upper = wasm_v128_load(filters + 16);
    for (std::ptrdiff_t t = 0; t < 4; ++t) {
      const v128_t x = wasm_v128_load32_splat(tiles + 4 * t);
      low[t] = Lanes::MultiplyAdd(x, lower, low[t]);
      high[t] = Lanes::MultiplyAdd(x, upper, high[t]);
    }
  }
  for (int t = 0; t < 4; ++t) {
    sums[t] = low[t];
    sums[4 + t] = high[t];
  }
}

/// Some rows of tiles.
struct Band {
  std::ptrdiff_t first;
  std::ptrdiff_t last;
  std::ptrdiff_t tiles;

  Band(const WinogradPlan& plan, std::ptrdiff_t band)
      : first(plan.RowsOfBand(band).begin), last(plan.RowsOfBand(band).end), tiles((last - first) * plan.tiles_wide) {}

  std::ptrdiff_t Quads() const { return WinogradPlan::Quads(tiles); }

  /// Upper left pixel of the tile of the output, in the image. Past the last tile: the last one's.
  struct Corner {
    std::ptrdiff_t y;
    std::ptrdiff_t x;
  };
  Corner CornerOf(std::ptrdiff_t tile, const WinogradPlan& plan) const {
    tile = std::min(tile, tiles - 1);
    return {2 * (first + tile / plan.tiles_wide), 2 * (tile % plan.tiles_wide)};
  }
};

/// A whole image. `Layer` has
///   Lanes                                a type, see above
///   Depths()                             how many are multiplied; the plan's are stored
///   TransformPanel(panel, filters)       fills a panel's filters
///   TransformQuad(band, quad, tiles, position_stride)   fills four tiles, positions that many bytes apart
///   Finish(band, panel, sums, pixels)    from sums to the output; `pixels` has room for four channels of the band
template <typename Layer>
void RunWinogradLayer(const Layer& layer, const WinogradPlan& plan, std::byte* scratch, const Threads& threads) {
  const std::ptrdiff_t quad_stride = plan.depths * kTileDepthBytes;
  const std::ptrdiff_t position_stride = plan.band_quads * quad_stride;
  const auto transform = [&](const Band& band, Stretch quads, std::byte* tiles) {
    for (std::ptrdiff_t quad = quads.begin; quad < quads.end; ++quad)
      layer.TransformQuad(band, quad, tiles + quad * quad_stride, position_stride);
  };
  const auto multiply = [&](const Band& band, std::ptrdiff_t panel, const std::byte* filters, const std::byte* tiles,
                            int thread) {
    auto* const sums = reinterpret_cast<v128_t*>(scratch + plan.SumsAt(thread));
    for (std::ptrdiff_t position = 0; position < kWinogradPositions; ++position) {
      for (std::ptrdiff_t quad = 0; quad < band.Quads(); ++quad) {
        MultiplyPosition<typename Layer::Lanes>(tiles + position * position_stride + quad * quad_stride,
                                                filters + position * plan.depths * kFilterDepthBytes, layer.Depths(),
                                                sums + quad * kQuadSums + position * 8);
      }
    }
    layer.Finish(band, panel, sums, sums + plan.band_quads * kQuadSums);
  };

  if (plan.keeps_filters) {
    threads.Cut(plan.panels, 1, [&](Stretch panels, int) {
      for (std::ptrdiff_t panel = panels.begin; panel < panels.end; ++panel)
        layer.TransformPanel(panel, scratch + plan.FiltersAt(panel, 0));
    });
    threads.Cut(plan.bands, 1, [&](Stretch bands, int thread) {
      std::byte* const tiles = scratch + plan.TilesAt(thread);
      for (std::ptrdiff_t i = bands.begin; i < bands.end; ++i) {
        const Band band(plan, i);
        transform(band, {0, band.Quads()}, tiles);
        for (std::ptrdiff_t panel = 0; panel < plan.panels; ++panel)
          multiply(band, panel, scratch + plan.FiltersAt(panel, thread), tiles, thread);
      }
    });
    return;
  }
  std::byte* const tiles = scratch + plan.TilesAt(0);
  for (std::ptrdiff_t i = 0; i < plan.bands; ++i) {
    const Band band(plan, i);
    threads.Cut(band.Quads(), 1, [&](Stretch quads, int) { transform(band, quads, tiles); });
    threads.Cut(plan.panels, 1, [&](Stretch panels, int thread) {
      std::byte* const filters = scratch + plan.FiltersAt(0, thread);
      for (std::ptrdiff_t panel = panels.begin; panel < panels.end; ++panel) {
        layer.TransformPanel(panel, filters);
        multiply(band, panel, filters, tiles, thread);
      }
    });
  }
}

}  // namespace kdequant::runtime

#endif  // KDEQUANT_RUNTIME_KERNELS_WINOGRAD_LOOPS_H_
