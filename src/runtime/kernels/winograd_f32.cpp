#include "kernels/winograd_f32.h"

#include <algorithm>

#include "kernels/relaxed.h"

namespace kdequant::runtime {
namespace {

struct Vector4 {
  v128_t at[4];
};

// B^T x, or x B where x are the columns.
Vector4 TransformTile(v128_t x0, v128_t x1, v128_t x2, v128_t x3) {
  return {wasm_f32x4_sub(x0, x2), wasm_f32x4_add(x1, x2), wasm_f32x4_sub(x2, x1), wasm_f32x4_sub(x1, x3)};
}

// 2G x.
Vector4 TransformFilter(v128_t x0, v128_t x1, v128_t x2) {
  const v128_t ends = wasm_f32x4_add(x0, x2);
  return {wasm_f32x4_add(x0, x0), wasm_f32x4_add(ends, x1), wasm_f32x4_sub(ends, x1), wasm_f32x4_add(x2, x2)};
}

struct Vector2 {
  v128_t at[2];
};

// A^T x.
Vector2 TransformSums(v128_t x0, v128_t x1, v128_t x2, v128_t x3) {
  return {wasm_f32x4_add(wasm_f32x4_add(x0, x1), x2), wasm_f32x4_sub(wasm_f32x4_sub(x1, x2), x3)};
}

// A position of four tiles, from four channels a tile to four tiles a channel.
void StoreTransposed(const v128_t* tiles, float* channels) {
  const v128_t a = tiles[0];
  const v128_t b = tiles[kWinogradPositions];
  const v128_t c = tiles[2 * kWinogradPositions];
  const v128_t d = tiles[3 * kWinogradPositions];
  const v128_t ab = wasm_i32x4_shuffle(a, b, 0, 4, 1, 5);
  const v128_t cd = wasm_i32x4_shuffle(c, d, 0, 4, 1, 5);
  const v128_t ab_end = wasm_i32x4_shuffle(a, b, 2, 6, 3, 7);
  const v128_t cd_end = wasm_i32x4_shuffle(c, d, 2, 6, 3, 7);
  wasm_v128_store(channels, wasm_i64x2_shuffle(ab, cd, 0, 2));
  wasm_v128_store(channels + 4, wasm_i64x2_shuffle(ab, cd, 1, 3));
  wasm_v128_store(channels + 8, wasm_i64x2_shuffle(ab_end, cd_end, 0, 2));
  wasm_v128_store(channels + 12, wasm_i64x2_shuffle(ab_end, cd_end, 1, 3));
}

// One position of four tiles by 8 channels; `sums`: the lower four channels of the four tiles, then the upper.
void Multiply(const float* tiles, const float* filters, std::ptrdiff_t channels, v128_t* sums) {
  v128_t low[4];
  v128_t high[4];
  for (int t = 0; t < 4; ++t) low[t] = high[t] = wasm_f32x4_splat(0);
  KDEQUANT_NO_UNROLL
  for (std::ptrdiff_t c = 0; c < channels; ++c, tiles += 4, filters += 8) {
    const v128_t lower = wasm_v128_load(filters);
    const v128_t upper = wasm_v128_load(filters + 4);
    for (int t = 0; t < 4; ++t) {
      const v128_t x = wasm_v128_load32_splat(tiles + t);
      low[t] = relaxed::MultiplyAddF32<true>(x, lower, low[t]);
      high[t] = relaxed::MultiplyAddF32<true>(x, upper, high[t]);
    }
  }
  for (int t = 0; t < 4; ++t) {
    sums[t] = low[t];
    sums[4 + t] = high[t];
  }
}

}  // namespace

bool WinogradC4::Pays(const ConvGeometry& g) {
  const auto both = [](const std::ptrdiff_t(&sides)[2], std::ptrdiff_t value) {
    return sides[0] == value && sides[1] == value;
  };
  return g.groups == 1 && both(g.kernel, 3) && both(g.strides, 1) && both(g.dilations, 1) &&
         WinogradPlan::Pays(g.output.width, g.output.height, g.input.Blocks(), g.output.channels);
}

WinogradC4::WinogradC4(const ConvGeometry& geometry, const float* weights, const float* bias, const Epilogue& epilogue)
    : geometry_(geometry),
      epilogue_(epilogue),
      plan_(geometry.output.width, geometry.output.height, geometry.input.Blocks(), geometry.output.channels,
            sizeof(float)),
      weights_(PackPanels(geometry, weights)),
      bias_(PackBias(geometry, bias)) {}

void WinogradC4::TransformPanel(std::ptrdiff_t panel, float* filters) const {
  const std::ptrdiff_t tap_stride = FilterStride();
  const float* const packed = weights_.data() + panel * 9 * tap_stride;
  for (std::ptrdiff_t at = 0; at < tap_stride; at += 4) {
    const auto tap = [&](std::ptrdiff_t i) { return wasm_v128_load(packed + i * tap_stride + at); };
    Vector4 columns[3];
    for (std::ptrdiff_t x = 0; x < 3; ++x) columns[x] = TransformFilter(tap(x), tap(3 + x), tap(6 + x));
    float* target = filters + at;
    for (int y = 0; y < 4; ++y) {
      const Vector4 row = TransformFilter(columns[0].at[y], columns[1].at[y], columns[2].at[y]);
      for (int x = 0; x < 4; ++x, target += tap_stride) wasm_v128_store(target, row.at[x]);
    }
  }
}

void WinogradC4::TransformQuad(const Band& band, std::ptrdiff_t quad, const float* input, float* tiles) const {
  const Image& image = geometry_.input;
  std::ptrdiff_t tops[4];
  std::ptrdiff_t lefts[4];
  for (std::ptrdiff_t t = 0; t < 4; ++t) {
    const std::ptrdiff_t tile = std::min(4 * quad + t, band.tiles - 1);
    tops[t] = 2 * (band.first + tile / plan_.tiles_wide) - geometry_.pads[0];
    lefts[t] = 2 * (tile % plan_.tiles_wide) - geometry_.pads[1];
  }
  float* at = tiles + quad * QuadStride();
  for (std::ptrdiff_t block = 0; block < image.Blocks(); ++block, at += 16) {
    const float* const pixels = input + block * image.BlockStride();
    v128_t transformed[4 * kWinogradPositions];
    for (std::ptrdiff_t t = 0; t < 4; ++t) {
      const bool inside = tops[t] >= 0 && lefts[t] >= 0 && tops[t] + 4 <= image.height && lefts[t] + 4 <= image.width;
      const auto load = [&](std::ptrdiff_t y, std::ptrdiff_t x) {
        y += tops[t];
        x += lefts[t];
        if (!inside && (y < 0 || x < 0 || y >= image.height || x >= image.width)) return wasm_f32x4_splat(0);
        return wasm_v128_load(pixels + 4 * (y * image.width + x));
      };
      Vector4 rows[4];
      for (std::ptrdiff_t y = 0; y < 4; ++y) rows[y] = TransformTile(load(y, 0), load(y, 1), load(y, 2), load(y, 3));
      for (std::ptrdiff_t x = 0; x < 4; ++x) {
        const Vector4 column = TransformTile(rows[0].at[x], rows[1].at[x], rows[2].at[x], rows[3].at[x]);
        for (std::ptrdiff_t y = 0; y < 4; ++y) transformed[t * kWinogradPositions + 4 * y + x] = column.at[y];
      }
    }
    for (std::ptrdiff_t position = 0; position < kWinogradPositions; ++position)
      StoreTransposed(transformed + position, at + position * PositionStride());
  }
}

void WinogradC4::MultiplyPanel(const Band& band, std::ptrdiff_t panel, const float* filters, const float* tiles,
                               std::byte* scratch, float* output) const {
  const Image& image = geometry_.output;
  auto* const sums = reinterpret_cast<v128_t*>(scratch);
  const std::ptrdiff_t quads = WinogradPlan::Quads(band.tiles);
  for (std::ptrdiff_t position = 0; position < kWinogradPositions; ++position) {
    for (std::ptrdiff_t quad = 0; quad < quads; ++quad) {
      Multiply(tiles + position * PositionStride() + quad * QuadStride(), filters + position * FilterStride(),
               geometry_.input.channels, sums + quad * kQuadSums + position * 8);
    }
  }
  const v128_t quarter = wasm_f32x4_splat(0.25F);
  const v128_t least = wasm_f32x4_splat(epilogue_.low);
  const v128_t most = wasm_f32x4_splat(epilogue_.high);
  for (std::ptrdiff_t half = 0; half < 2 && 8 * panel + 4 * half < image.channels; ++half) {
    const v128_t bias = wasm_v128_load(bias_.data() + 8 * panel + 4 * half);
    float* const block = output + image.Index(8 * panel + 4 * half, 0);
    for (std::ptrdiff_t tile = 0; tile < band.tiles; ++tile) {
      const v128_t* const of_tile = sums + tile / 4 * kQuadSums + 4 * half + tile % 4;
      Vector2 columns[4];
      for (std::ptrdiff_t x = 0; x < 4; ++x)
        columns[x] = TransformSums(of_tile[8 * x], of_tile[8 * (4 + x)], of_tile[8 * (8 + x)], of_tile[8 * (12 + x)]);
      const std::ptrdiff_t top = 2 * (band.first + tile / plan_.tiles_wide);
      const std::ptrdiff_t left = 2 * (tile % plan_.tiles_wide);
      for (std::ptrdiff_t y = 0; y < 2 && top + y < image.height; ++y) {
        const Vector2 row = TransformSums(columns[0].at[y], columns[1].at[y], columns[2].at[y], columns[3].at[y]);
        for (std::ptrdiff_t x = 0; x < 2 && left + x < image.width; ++x) {
          const v128_t sum = wasm_f32x4_add(wasm_f32x4_mul(row.at[x], quarter), bias);
          wasm_v128_store(block + 4 * ((top + y) * image.width + left + x),
                          wasm_f32x4_pmin(wasm_f32x4_pmax(sum, least), most));
        }
      }
    }
  }
}

void WinogradC4::Run(const float* input, float* output, std::byte* scratch, const Threads& threads) const {
  std::byte* const after_filters = scratch + plan_.FilterBytes(threads.count());
  auto* const tiles = reinterpret_cast<float*>(after_filters);
  std::byte* const sums = after_filters + plan_.tile_bytes;
  const auto filters = [&](std::ptrdiff_t at) {
    return reinterpret_cast<float*>(scratch + at * static_cast<std::ptrdiff_t>(plan_.panel_bytes));
  };
  if (plan_.keeps_filters) {
    threads.Cut(plan_.panels, 1, [&](Stretch panels, int) {
      for (std::ptrdiff_t panel = panels.begin; panel < panels.end; ++panel) TransformPanel(panel, filters(panel));
    });
  }
  for (std::ptrdiff_t first = 0; first < plan_.tiles_high; first += plan_.band_rows) {
    const std::ptrdiff_t last = std::min(first + plan_.band_rows, plan_.tiles_high);
    const Band band{first, last, (last - first) * plan_.tiles_wide};
    threads.Cut(WinogradPlan::Quads(band.tiles), 1, [&](Stretch quads, int) {
      for (std::ptrdiff_t quad = quads.begin; quad < quads.end; ++quad) TransformQuad(band, quad, input, tiles);
    });
    threads.Cut(plan_.panels, 1, [&](Stretch panels, int thread) {
      for (std::ptrdiff_t panel = panels.begin; panel < panels.end; ++panel) {
        float* const of_panel = filters(plan_.keeps_filters ? panel : thread);
        if (!plan_.keeps_filters) TransformPanel(panel, of_panel);
        MultiplyPanel(band, panel, of_panel, tiles, sums + static_cast<std::size_t>(thread) * plan_.thread_bytes,
                      output);
      }
    });
  }
}

}  // namespace kdequant::runtime
