#include <algorithm>

#include "kdequant/base/memory.h"
#include "kernels/conv_f32.h"
#include "kernels/relaxed.h"
#include "kernels/simd.h"

namespace kdequant::runtime {
namespace {

std::ptrdiff_t CeilDivide(std::ptrdiff_t a, std::ptrdiff_t b) { return a >= 0 ? (a + b - 1) / b : -(-a / b); }

// The taps i in [0, count) whose position start + i * step lies in [0, size).
struct TapRange {
  std::ptrdiff_t begin, end;
  TapRange(std::ptrdiff_t start, std::ptrdiff_t step, std::ptrdiff_t count, std::ptrdiff_t size)
      : begin(std::clamp<std::ptrdiff_t>(CeilDivide(-start, step), 0, count)),
        end(std::clamp<std::ptrdiff_t>(CeilDivide(size - start, step), begin, count)) {}
};

}  // namespace

DepthwiseC4::DepthwiseC4(const ConvGeometry& geometry, const float* weights, const float* bias,
                         const Epilogue& epilogue, bool fused)
    : geometry_(geometry), epilogue_(epilogue), fused_(fused) {
  const ConvGeometry& g = geometry_;
  const std::ptrdiff_t channels = 4 * g.input.Blocks();
  weights_ = Buffer<float>(static_cast<std::size_t>(channels * g.Taps()));
  bias_ = Buffer<float>(static_cast<std::size_t>(channels));
  if (weights_.size() == 0 || bias_.size() == 0) ThrowBadAlloc();
  for (std::ptrdiff_t c = 0; c < channels; ++c) {
    const bool real = c < g.input.channels;
    bias_.data()[c] = real && bias ? bias[c] + 0.0F : 0.0F;
    for (std::ptrdiff_t tap = 0; tap < g.Taps(); ++tap) {
      weights_.data()[(c / 4 * g.Taps() + tap) * 4 + c % 4] = real ? weights[c * g.Taps() + tap] : 0.0F;
    }
  }
  // First and last column at which the window lies wholly inside.
  const std::ptrdiff_t reach = (g.kernel[1] - 1) * g.dilations[1];
  inner_begin_ = std::clamp<std::ptrdiff_t>(CeilDivide(g.pads[1], g.strides[1]), 0, g.output.width);
  inner_end_ = std::clamp<std::ptrdiff_t>(CeilDivide(g.input.width - reach + g.pads[1], g.strides[1]), inner_begin_,
                                          g.output.width);
}

template <bool kFused>
void DepthwiseC4::RunRow(const float* input, const float* weights, const float* bias, std::ptrdiff_t row,
                         float* output) const {
  const ConvGeometry& g = geometry_;
  const v128_t start = wasm_v128_load(bias);
  const v128_t least = wasm_f32x4_splat(epilogue_.low);
  const v128_t most = wasm_f32x4_splat(epilogue_.high);
  const std::ptrdiff_t top = row * g.strides[0] - g.pads[0];
  const TapRange rows(top, g.dilations[0], g.kernel[0], g.input.height);
  const std::ptrdiff_t step = 4 * g.strides[1];

  std::ptrdiff_t column = 0;
  const auto border = [&](std::ptrdiff_t end) {
    for (; column < end; ++column) {
      const std::ptrdiff_t left = column * g.strides[1] - g.pads[1];
      const TapRange columns(left, g.dilations[1], g.kernel[1], g.input.width);
      v128_t sum = start;
      for (std::ptrdiff_t ky = rows.begin; ky < rows.end; ++ky) {
        const float* line = input + 4 * (top + ky * g.dilations[0]) * g.input.width;
        for (std::ptrdiff_t kx = columns.begin; kx < columns.end; ++kx) {
          sum = relaxed::MultiplyAddF32<kFused>(wasm_v128_load(line + 4 * (left + kx * g.dilations[1])),
                                                wasm_v128_load(weights + 4 * (ky * g.kernel[1] + kx)), sum);
        }
      }
      wasm_v128_store(output + 4 * column, wasm_f32x4_pmin(wasm_f32x4_pmax(sum, least), most));
    }
  };
  border(inner_begin_);
  // Four pixels with whole windows at a time.
  for (; column + 4 <= inner_end_; column += 4) {
    v128_t sums[4] = {start, start, start, start};
    for (std::ptrdiff_t ky = rows.begin; ky < rows.end; ++ky) {
      const float* line = input + 4 * ((top + ky * g.dilations[0]) * g.input.width + column * g.strides[1] - g.pads[1]);
      const float* weight = weights + 4 * ky * g.kernel[1];
      KDEQUANT_NO_UNROLL
      for (std::ptrdiff_t kx = 0; kx < g.kernel[1]; ++kx, line += 4 * g.dilations[1], weight += 4) {
        const v128_t w = wasm_v128_load(weight);
        for (int p = 0; p < 4; ++p)
          sums[p] = relaxed::MultiplyAddF32<kFused>(wasm_v128_load(line + p * step), w, sums[p]);
      }
    }
    for (int p = 0; p < 4; ++p) {
      wasm_v128_store(output + 4 * (column + p), wasm_f32x4_pmin(wasm_f32x4_pmax(sums[p], least), most));
    }
  }
  border(g.output.width);
}

void DepthwiseC4::Run(const float* input, float* output, const Threads& threads) const {
  const ConvGeometry& g = geometry_;
  threads.Cut(g.input.Blocks(), 1, [&](Stretch blocks, int) {
    for (std::ptrdiff_t block = blocks.begin; block < blocks.end; ++block) {
      const float* source = input + block * g.input.BlockStride();
      const float* weights = weights_.data() + 4 * block * g.Taps();
      const float* bias = bias_.data() + 4 * block;
      for (std::ptrdiff_t row = 0; row < g.output.height; ++row) {
        float* target = output + block * g.output.BlockStride() + 4 * row * g.output.width;
        if (fused_) {
          RunRow<true>(source, weights, bias, row, target);
        } else {
          RunRow<false>(source, weights, bias, row, target);
        }
      }
    }
  });
}

}  // namespace kdequant::runtime
