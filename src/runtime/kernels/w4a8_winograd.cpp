#include "kernels/w4a8_winograd.h"

#include <algorithm>
#include <array>

#include "kernels/w4a8_steps.h"
#include "kernels/winograd_loops.h"

namespace kdequant::w4a8 {
namespace {

using runtime::Band;
using runtime::WinogradPlan;

constexpr std::ptrdiff_t kPairs = 2;  // Of a block of four channels.

// Four times a sum must stay below 2^31: 4 * 9 * 2048 * 127 * 128 does.
constexpr std::ptrdiff_t kMostBlocks = 512;

WinogradPlan PlanOf(const Windows& windows, std::size_t rows, int threads) {
  return {windows.width, windows.pixels / windows.width, windows.blocks, static_cast<std::ptrdiff_t>(rows), kPairs,
          threads};
}

struct Transformed {
  static v128_t Add(v128_t a, v128_t b) { return wasm_i16x8_add(a, b); }
  static v128_t Sub(v128_t a, v128_t b) { return wasm_i16x8_sub(a, b); }
};
struct Sums {
  static v128_t Add(v128_t a, v128_t b) { return wasm_i32x4_add(a, b); }
  static v128_t Sub(v128_t a, v128_t b) { return wasm_i32x4_sub(a, b); }
  static v128_t MultiplyAdd(v128_t x, v128_t w, v128_t sum) { return wasm_i32x4_add(sum, wasm_i32x4_dot_i16x8(x, w)); }
};

// A row of a tile of two blocks of channels: four channels of the one and four of the other.
runtime::Vector4 LoadRow(const std::int8_t* first, const std::int8_t* second) {
  const v128_t a = wasm_i16x8_load8x8(first);  // Two pixels.
  const v128_t b = wasm_i16x8_load8x8(first + 8);
  const v128_t c = wasm_i16x8_load8x8(second);
  const v128_t d = wasm_i16x8_load8x8(second + 8);
  return {wasm_i64x2_shuffle(a, c, 0, 2), wasm_i64x2_shuffle(a, c, 1, 3), wasm_i64x2_shuffle(b, d, 0, 2),
          wasm_i64x2_shuffle(b, d, 1, 3)};
}

template <typename Output>
struct Layer {
  using Lanes = Sums;

  const Source& source;
  const Windows& windows;
  const PackedWeights& weights;
  std::ptrdiff_t channel;
  std::ptrdiff_t block_stride;
  const Output& output;
  const WinogradPlan& plan;

  std::ptrdiff_t Width() const { return windows.width; }
  std::ptrdiff_t Height() const { return windows.pixels / windows.width; }
  std::ptrdiff_t RowStride() const { return windows.taps[3]; }
  std::ptrdiff_t Depths() const { return plan.depths; }

  // The steps of a block's taps. Of 4-bit weights the group of each tap is kept, which holds blocks to come, too.
  class TapReader {
   public:
    TapReader(const PackedWeights& weights, std::size_t panel)
        : groups_(weights, panel), panel_(weights.Panel(panel)), nibbles_(weights.nibbles) {
      kept_.fill(~std::size_t{0});
    }
    StepBytes Read(std::size_t tap, std::size_t step) {
      if (!nibbles_) return LoadStep(reinterpret_cast<const std::int8_t*>(panel_) + 32 * step);
      const std::size_t group = step / kGroupSteps;
      if (kept_[tap] != group) groups_.Read(group, steps_[tap]);
      kept_[tap] = group;
      return LoadStep(steps_[tap] + 32 * (step % kGroupSteps));
    }

   private:
    GroupReader groups_;
    const std::uint8_t* panel_;
    bool nibbles_;
    std::array<std::size_t, 9> kept_;
    alignas(16) std::int8_t steps_[9][GroupReader::kBytes];
  };

  void TransformPanel(std::ptrdiff_t panel, std::byte* filters) const {
    TapReader reader(weights, static_cast<std::size_t>(panel));
    for (std::ptrdiff_t block = 0; block < windows.blocks; ++block) {
      // As pairs of channels, of the lower and the upper four output channels.
      v128_t taps[2][kPairs][9];
      for (std::size_t tap = 0; tap < 9; ++tap) {
        const StepBytes bytes =
            reader.Read(tap, tap * static_cast<std::size_t>(windows.blocks) + static_cast<std::size_t>(block));
        for (int half = 0; half < 2; ++half) {
          const DepthPairs both = PairsOfBytes(half == 0 ? bytes.first : bytes.second);
          taps[half][0][tap] = both.even;
          taps[half][1][tap] = both.odd;
        }
      }
      for (std::ptrdiff_t half = 0; half < 2; ++half) {
        for (std::ptrdiff_t pair = 0; pair < kPairs; ++pair) {
          runtime::TransformFilter<Transformed>(
              [&](std::ptrdiff_t tap) { return taps[half][pair][tap]; },
              filters + (kPairs * block + pair) * runtime::kFilterDepthBytes + 16 * half,
              plan.depths * runtime::kFilterDepthBytes);
        }
      }
    }
  }

  void TransformQuad(const Band& band, std::ptrdiff_t quad, std::byte* tiles, std::ptrdiff_t position_stride) const {
    const std::int8_t* corners[4];
    for (std::ptrdiff_t t = 0; t < 4; ++t) {
      const Band::Corner corner = band.CornerOf(4 * quad + t, plan);
      corners[t] = source.pixels + corner.y * RowStride() + 4 * corner.x;
    }
    // Two blocks at once; the last one of an odd number goes alone.
    for (std::ptrdiff_t block = 0; block < windows.blocks; block += 2, tiles += 2 * kPairs * runtime::kTileDepthBytes) {
      const std::ptrdiff_t count = std::min<std::ptrdiff_t>(2, windows.blocks - block);
      const std::ptrdiff_t first = block * source.block_stride;
      const std::ptrdiff_t second = (block + count - 1) * source.block_stride;
      v128_t transformed[4 * runtime::kWinogradPositions];
      for (std::ptrdiff_t t = 0; t < 4; ++t) {
        const auto row = [&](std::ptrdiff_t y) {
          const std::int8_t* const pixels = corners[t] + y * RowStride();
          return LoadRow(pixels + first, pixels + second);
        };
        runtime::TransformTile<Transformed>(row, transformed + t * runtime::kWinogradPositions);
      }
      for (std::ptrdiff_t position = 0; position < runtime::kWinogradPositions; ++position)
        runtime::StoreDepths(transformed + position, kPairs * count, tiles + position * position_stride);
    }
  }

  // Not inlined: there once for both orders of panels and bands.
  [[gnu::noinline]] void Finish(const Band& band, std::ptrdiff_t panel, const v128_t* sums, v128_t* pixels) const {
    const std::ptrdiff_t row = panel * static_cast<std::ptrdiff_t>(kPanelRows);
    FinishHalf(band, row, sums, pixels);
    if (row + 4 < static_cast<std::ptrdiff_t>(weights.rows)) FinishHalf(band, row + 4, sums + 4, pixels);
  }

  // Four channels.
  void FinishHalf(const Band& band, std::ptrdiff_t row, const v128_t* sums, v128_t* pixels) const {
    const v128_t start = wasm_v128_load(output.rows.start + channel + row);
    for (std::ptrdiff_t tile = 0; tile < band.tiles; ++tile) {
      const auto of_tile = runtime::TransformSums<Sums>(sums + tile / 4 * runtime::kQuadSums + tile % 4);
      const Band::Corner corner = band.CornerOf(tile, plan);
      v128_t* target = pixels + (corner.y - 2 * band.first) * Width() + corner.x;
      for (std::ptrdiff_t y = 0; y < 2; ++y, target += Width()) {
        // Beyond the right edge lies the next row; beyond the lower one there is room.
        target[0] = wasm_i32x4_add(start, wasm_i32x4_shr(of_tile.at[y][0], 2));
        if (corner.x + 1 < Width()) target[1] = wasm_i32x4_add(start, wasm_i32x4_shr(of_tile.at[y][1], 2));
      }
    }
    const ByteBounds bounds = MakeStore(output);
    const std::ptrdiff_t begin = 2 * band.first * Width();
    const std::ptrdiff_t count = std::min(2 * band.last, Height()) * Width() - begin;
    const std::ptrdiff_t index = (channel + row) / 4 * block_stride + 4 * begin;
    std::ptrdiff_t pixel = 0;
    for (; pixel + 4 <= count; pixel += 4) Store<4>(output, bounds, channel + row, index + 4 * pixel, pixels + pixel);
    for (; pixel < count; ++pixel) Store<1>(output, bounds, channel + row, index + 4 * pixel, pixels + pixel);
  }
};

}  // namespace

bool WinogradPays(const Windows& windows, std::size_t rows) {
  return windows.is_plain_3x3 && windows.blocks <= kMostBlocks &&
         WinogradPlan::Pays(windows.width, windows.pixels / windows.width, windows.blocks,
                            static_cast<std::ptrdiff_t>(rows));
}

std::size_t WinogradScratchBytes(const Windows& windows, std::size_t rows, int threads) {
  return PlanOf(windows, rows, threads).ScratchBytes();
}

void RunWinograd(const Source& source, const Windows& windows, const PackedWeights& weights, std::ptrdiff_t channel,
                 std::ptrdiff_t block_stride, const ByteOutput& output, std::byte* scratch, const Threads& threads) {
  const WinogradPlan plan = PlanOf(windows, weights.rows, threads.count());
  runtime::RunWinogradLayer(Layer<ByteOutput>{source, windows, weights, channel, block_stride, output, plan}, plan,
                            scratch, threads);
}
void RunWinograd(const Source& source, const Windows& windows, const PackedWeights& weights, std::ptrdiff_t channel,
                 std::ptrdiff_t block_stride, const FloatOutput& output, std::byte* scratch, const Threads& threads) {
  const WinogradPlan plan = PlanOf(windows, weights.rows, threads.count());
  runtime::RunWinogradLayer(Layer<FloatOutput>{source, windows, weights, channel, block_stride, output, plan}, plan,
                            scratch, threads);
}

}  // namespace kdequant::w4a8
