#include "kernels/activation_f32.h"

#include <algorithm>

#include "kernels/simd.h"

namespace kdequant::runtime {

Epilogue EpilogueOf(const std::optional<Activation>& activation) {
  Epilogue epilogue;
  if (!activation) return epilogue;
  switch (activation->kind) {
    case Activation::Kind::kRelu: epilogue.low = 0; break;
    case Activation::Kind::kClip:
      epilogue.low = activation->a;
      epilogue.high = activation->b;
      break;
    default: epilogue.rest = activation; break;
  }
  return epilogue;
}

namespace {

// The cheap functions as loops of their own, which compilers vectorize: each is the expression of Apply.
template <typename Function>
void Map(const float* source, float* target, std::ptrdiff_t count, Function function) {
  for (std::ptrdiff_t i = 0; i < count; ++i) target[i] = function(source[i]);
}

}  // namespace

void ApplyToRun(const Activation& activation, const float* source, float* target, std::ptrdiff_t count) {
  const float a = activation.a;
  const float b = activation.b;
  switch (activation.kind) {
    case Activation::Kind::kRelu: return Map(source, target, count, [](float x) { return x < 0 ? 0.0F : x; });
    case Activation::Kind::kClip:
      return Map(source, target, count, [=](float x) { return std::min(std::max(x, a), b); });
    case Activation::Kind::kLeakyRelu: return Map(source, target, count, [=](float x) { return x >= 0 ? x : a * x; });
    case Activation::Kind::kHardSwish:
      return Map(source, target, count, [](float x) { return x * std::max(0.0F, std::min(1.0F, x / 6 + 0.5F)); });
    case Activation::Kind::kHardSigmoid:
      return Map(source, target, count, [=](float x) { return std::max(0.0F, std::min(1.0F, a * x + b)); });
    default: return Map(source, target, count, [&](float x) { return Apply(activation, x); });
  }
}

void ApplyToImage(const Activation& activation, const Image& image, const float* source, float* target,
                  const Threads& threads) {
  const auto apply = [&](std::ptrdiff_t block) {
    const std::ptrdiff_t start = block * image.BlockStride();
    const std::ptrdiff_t lanes = image.channels - 4 * block;
    if (lanes >= 4) return ApplyToRun(activation, source + start, target + start, 4 * image.Pixels());
    for (std::ptrdiff_t i = start; i < start + 4 * image.Pixels(); i += 4)
      ApplyToRun(activation, source + i, target + i, lanes);
  };
  threads.Cut(image.Blocks(), 1, [&](Stretch blocks, int) {
    for (std::ptrdiff_t block = blocks.begin; block < blocks.end; ++block) apply(block);
  });
}

void PReluImage(const Image& image, const float* slopes, const float* source, float* target) {
  const v128_t zero = wasm_f32x4_splat(0);
  for (std::ptrdiff_t block = 0; block < image.Blocks(); ++block) {
    const v128_t slope = wasm_v128_load(slopes + 4 * block);
    const float* from = source + block * image.BlockStride();
    float* to = target + block * image.BlockStride();
    for (std::ptrdiff_t i = 0; i < 4 * image.Pixels(); i += 4) {
      const v128_t x = wasm_v128_load(from + i);
      wasm_v128_store(to + i, wasm_v128_bitselect(x, wasm_f32x4_mul(slope, x), wasm_f32x4_ge(x, zero)));
    }
  }
}

}  // namespace kdequant::runtime
