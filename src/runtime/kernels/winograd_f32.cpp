#include "kernels/winograd_f32.h"

#include "kernels/relaxed.h"
#include "kernels/winograd_loops.h"

namespace kdequant::runtime {
namespace {

template <bool kFused>
struct FloatLanes {
  static v128_t Add(v128_t a, v128_t b) { return wasm_f32x4_add(a, b); }
  static v128_t Sub(v128_t a, v128_t b) { return wasm_f32x4_sub(a, b); }
  static v128_t MultiplyAdd(v128_t x, v128_t w, v128_t sum) { return relaxed::MultiplyAddF32<kFused>(x, w, sum); }
};

}  // namespace

bool WinogradC4::Pays(const ConvGeometry& g) {
  return g.groups == 1 && g.IsPlain3x3() &&
         WinogradPlan::Pays(g.output.width, g.output.height, g.input.Blocks(), g.output.channels);
}

WinogradC4::WinogradC4(const ConvGeometry& geometry, const float* weights, const float* bias, const Epilogue& epilogue,
                       bool fused)
    : geometry_(geometry),
      epilogue_(epilogue),
      fused_(fused),
      weights_(PackPanels(geometry, weights)),
      bias_(PackBias(geometry, bias)) {}

template <bool kFused>
struct WinogradC4::Layer {
  using Lanes = FloatLanes<kFused>;

  const WinogradC4& of;
  const WinogradPlan& plan;
  const float* input;
  float* output;

  // What fills the last block may be anything, and is not multiplied.
  std::ptrdiff_t Depths() const { return of.geometry_.input.channels; }

  void TransformPanel(std::ptrdiff_t panel, std::byte* filters) const {
    const std::ptrdiff_t tap_stride = 8 * of.geometry_.input.channels;
    const float* packed = of.weights_.data() + panel * 9 * tap_stride;
    for (std::ptrdiff_t at = 0; at < tap_stride; at += 4, filters += kFilterDepthBytes / 2) {
      TransformFilter<Lanes>([&](std::ptrdiff_t tap) { return wasm_v128_load(packed + tap * tap_stride + at); },
                             filters, plan.depths * kFilterDepthBytes);
    }
  }

  void TransformQuad(const Band& band, std::ptrdiff_t quad, std::byte* tiles, std::ptrdiff_t position_stride) const {
    const Image& image = of.geometry_.input;
    for (std::ptrdiff_t block = 0; block < image.Blocks(); ++block, tiles += 4 * kTileDepthBytes) {
      v128_t transformed[4 * kWinogradPositions];
      for (std::ptrdiff_t t = 0; t < 4; ++t) {
        const Band::Corner corner = band.CornerOf(4 * quad + t, plan);
        TransformPixels(input + block * image.BlockStride(), corner.y - of.geometry_.pads[0],
                        corner.x - of.geometry_.pads[1], transformed + t * kWinogradPositions);
      }
      for (std::ptrdiff_t position = 0; position < kWinogradPositions; ++position)
        StoreDepths(transformed + position, 4, tiles + position * position_stride);
    }
  }

  // Four channels of the tile at that pixel, which may lie in the padding.
  void TransformPixels(const float* block, std::ptrdiff_t top, std::ptrdiff_t left, v128_t* tile) const {
    const Image& image = of.geometry_.input;
    const bool inside = top >= 0 && left >= 0 && top + 4 <= image.height && left + 4 <= image.width;
    const auto load = [&](std::ptrdiff_t y, std::ptrdiff_t x) {
      if (!inside && (y < 0 || x < 0 || y >= image.height || x >= image.width)) return wasm_f32x4_splat(0);
      return wasm_v128_load(block + 4 * (y * image.width + x));
    };
    const auto row = [&](std::ptrdiff_t y) -> Vector4 {
      return {load(top + y, left), load(top + y, left + 1), load(top + y, left + 2), load(top + y, left + 3)};
    };
    TransformTile<Lanes>(row, tile);
  }

  void Finish(const Band& band, std::ptrdiff_t panel, const v128_t* sums, v128_t*) const {
    const Image& image = of.geometry_.output;
    const v128_t quarter = wasm_f32x4_splat(0.25F);
    const v128_t least = wasm_f32x4_splat(of.epilogue_.low);
    const v128_t most = wasm_f32x4_splat(of.epilogue_.high);
    for (std::ptrdiff_t half = 0; half < 2 && 8 * panel + 4 * half < image.channels; ++half) {
      const v128_t bias = wasm_v128_load(of.bias_.data() + 8 * panel + 4 * half);
      float* const block = output + image.Index(8 * panel + 4 * half, 0);
      for (std::ptrdiff_t tile = 0; tile < band.tiles; ++tile) {
        const Pixels pixels = TransformSums<Lanes>(sums + tile / 4 * kQuadSums + 4 * half + tile % 4);
        const Band::Corner corner = band.CornerOf(tile, plan);
        for (std::ptrdiff_t y = 0; y < 2 && corner.y + y < image.height; ++y) {
          for (std::ptrdiff_t x = 0; x < 2 && corner.x + x < image.width; ++x) {
            const v128_t sum = wasm_f32x4_add(wasm_f32x4_mul(pixels.at[y][x], quarter), bias);
            wasm_v128_store(block + 4 * ((corner.y + y) * image.width + corner.x + x),
                            wasm_f32x4_pmin(wasm_f32x4_pmax(sum, least), most));
          }
        }
      }
    }
  }
};

void WinogradC4::Run(const float* input, float* output, std::byte* scratch, const Threads& threads) const {
  const WinogradPlan plan = PlanFor(threads.count());
  if (fused_) {
    RunWinogradLayer(Layer<true>{*this, plan, input, output}, plan, scratch, threads);
  } else {
    RunWinogradLayer(Layer<false>{*this, plan, input, output}, plan, scratch, threads);
  }
}

}  // namespace kdequant::runtime
