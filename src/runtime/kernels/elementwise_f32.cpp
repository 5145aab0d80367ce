#include "kernels/elementwise_f32.h"

#include "kernels/simd.h"

namespace kdequant::runtime {
namespace {

template <typename Function>
void MapStrided(const StridedLoop<3>& loop, const float* a, const float* b, float* output, Function function) {
  loop.ForEachRun([&](const auto& offsets, std::ptrdiff_t count, const auto& steps) {
    const float* x = a + offsets[0];
    const float* y = b + offsets[1];
    float* z = output + offsets[2];
    for (std::ptrdiff_t i = 0; i < count; ++i) z[i * steps[2]] = function(x[i * steps[0]], y[i * steps[1]]);
  });
}

template <typename Function>
void MapImage(const Image& image, Stretch blocks, const ImageOperand& a, const ImageOperand& b,
              const Epilogue& epilogue, float* output, Function function) {
  const v128_t least = wasm_f32x4_splat(epilogue.low);
  const v128_t most = wasm_f32x4_splat(epilogue.high);
  for (std::ptrdiff_t block = blocks.begin; block < blocks.end; ++block) {
    const float* x = a.data + (a.per_pixel ? block * image.BlockStride() : 4 * block);
    const float* y = b.data + (b.per_pixel ? block * image.BlockStride() : 4 * block);
    float* z = output + block * image.BlockStride();
    const std::ptrdiff_t x_step = a.per_pixel ? 4 : 0;
    const std::ptrdiff_t y_step = b.per_pixel ? 4 : 0;
    for (std::ptrdiff_t pixel = 0; pixel < image.Pixels(); ++pixel, x += x_step, y += y_step, z += 4) {
      const v128_t result = function(wasm_v128_load(x), wasm_v128_load(y));
      wasm_v128_store(z, wasm_f32x4_pmin(wasm_f32x4_pmax(result, least), most));
    }
  }
}

}  // namespace

void ElementwiseStrided(Elementwise::Kind kind, const StridedLoop<3>& loop, const float* a, const float* b,
                        float* output) {
  switch (kind) {
    case Elementwise::Kind::kAdd: return MapStrided(loop, a, b, output, [](float x, float y) { return x + y; });
    case Elementwise::Kind::kSub: return MapStrided(loop, a, b, output, [](float x, float y) { return x - y; });
    case Elementwise::Kind::kMul: return MapStrided(loop, a, b, output, [](float x, float y) { return x * y; });
    case Elementwise::Kind::kDiv: return MapStrided(loop, a, b, output, [](float x, float y) { return x / y; });
  }
}

void PReluStrided(const StridedLoop<3>& loop, const float* x, const float* slopes, float* output) {
  MapStrided(loop, x, slopes, output, [](float value, float slope) { return value >= 0 ? value : slope * value; });
}

void ElementwiseC4(Elementwise::Kind kind, const Image& image, Stretch blocks, const ImageOperand& a,
                   const ImageOperand& b, const Epilogue& epilogue, float* output) {
  const auto map = [&](auto function) { MapImage(image, blocks, a, b, epilogue, output, function); };
  switch (kind) {
    case Elementwise::Kind::kAdd: return map([](v128_t x, v128_t y) { return wasm_f32x4_add(x, y); });
    case Elementwise::Kind::kSub: return map([](v128_t x, v128_t y) { return wasm_f32x4_sub(x, y); });
    case Elementwise::Kind::kMul: return map([](v128_t x, v128_t y) { return wasm_f32x4_mul(x, y); });
    case Elementwise::Kind::kDiv: return map([](v128_t x, v128_t y) { return wasm_f32x4_div(x, y); });
  }
}

}  // namespace kdequant::runtime
