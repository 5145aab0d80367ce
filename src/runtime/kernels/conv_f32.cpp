#include "kernels/conv_f32.h"

#include <algorithm>
#include <cstring>

#include "kdequant/base/memory.h"
#include "kernels/relaxed.h"
#include "kernels/simd.h"

namespace kdequant::runtime {
namespace {

// Floats of input that a band may bring into the second-level cache (192 KB), beside the panel that passes over it.
constexpr std::ptrdiff_t kBandFloats = 48 * 1024;
constexpr std::ptrdiff_t kSmallestBand = 32;  // Pixels; below, loading panels would cost more than it saves.

Buffer<float> NewBuffer(std::ptrdiff_t count) {
  Buffer<float> buffer(static_cast<std::size_t>(count));
  if (count != 0 && buffer.size() == 0) ThrowBadAlloc();  // Session::Create answers.
  return buffer;
}

// Four pixels x eight channels: the most accumulators that leave V8 registers for the operands.
struct Tile {
  v128_t sums[4][2];

  void Start(const float* bias) {
    const v128_t low = wasm_v128_load(bias);
    const v128_t high = wasm_v128_load(bias + 4);
    for (auto& pixel : sums) {
      pixel[0] = low;
      pixel[1] = high;
    }
  }

  // One input channel: `offset` floats into each of the four pixels.
  template <bool kFused>
  void Accumulate(const float* const pixels[4], std::ptrdiff_t offset, const float* weights) {
    const v128_t low = wasm_v128_load(weights);
    const v128_t high = wasm_v128_load(weights + 4);
    for (int p = 0; p < 4; ++p) {
      const v128_t x = wasm_v128_load32_splat(pixels[p] + offset);
      sums[p][0] = relaxed::MultiplyAddF32<kFused>(x, low, sums[p][0]);
      sums[p][1] = relaxed::MultiplyAddF32<kFused>(x, high, sums[p][1]);
    }
  }

  void Clamp(float low, float high) {
    const v128_t least = wasm_f32x4_splat(low);
    const v128_t most = wasm_f32x4_splat(high);
    for (auto& pixel : sums) {
      for (auto& sum : pixel) sum = wasm_f32x4_pmin(wasm_f32x4_pmax(sum, least), most);
    }
  }
};

// The sums of one tile over all taps and the group's channels. Channels start at lane `lane` of the block at the
// origins.
template <bool kFused>
void Multiply(const float* const origins[4], const std::vector<std::int32_t>& taps, std::ptrdiff_t lane,
              std::ptrdiff_t channels, std::ptrdiff_t block_stride, const float* weights, Tile& result) {
  // A copy that nothing indexes at run time, as the stores do: only then are the sums kept in registers.
  Tile tile = result;
  for (const std::int32_t tap : taps) {
    const float* pixels[4] = {origins[0] + tap, origins[1] + tap, origins[2] + tap, origins[3] + tap};
    std::ptrdiff_t remaining = channels;
    std::ptrdiff_t first = lane;
    KDEQUANT_NO_UNROLL
    while (remaining > 0) {
      // One channel at a time: unrolled, the compiler puts all loads first, and their values back into memory.
      const std::ptrdiff_t last = std::min<std::ptrdiff_t>(4, first + remaining);
      KDEQUANT_NO_UNROLL
      for (std::ptrdiff_t i = first; i < last; ++i, weights += 8) tile.template Accumulate<kFused>(pixels, i, weights);
      remaining -= last - first;
      first = 0;
      for (auto& pixel : pixels) pixel += block_stride;
    }
  }
  result = tile;
}

// Stores `pixels` x `channels` of a tile whose first channel starts a block: whole vectors.
void StoreAligned(const Tile& tile, const Image& image, std::ptrdiff_t channel, std::ptrdiff_t channels,
                  std::ptrdiff_t pixel, std::ptrdiff_t pixels, float* output) {
  float* low = output + image.Index(channel, pixel);
  for (std::ptrdiff_t p = 0; p < pixels; ++p) wasm_v128_store(low + 4 * p, tile.sums[p][0]);
  if (channels <= 4) return;
  float* high = low + image.BlockStride();
  for (std::ptrdiff_t p = 0; p < pixels; ++p) wasm_v128_store(high + 4 * p, tile.sums[p][1]);
}

// Groups of a width that is no multiple of four start in the middle of a block.
void StoreScattered(const Tile& tile, const Image& image, std::ptrdiff_t channel, std::ptrdiff_t channels,
                    std::ptrdiff_t pixel, std::ptrdiff_t pixels, float* output) {
  for (std::ptrdiff_t p = 0; p < pixels; ++p) {
    float values[8];
    wasm_v128_store(values, tile.sums[p][0]);
    wasm_v128_store(values + 4, tile.sums[p][1]);
    for (std::ptrdiff_t c = 0; c < channels; ++c) output[image.Index(channel + c, pixel + p)] = values[c];
  }
}

std::ptrdiff_t PanelsPerGroup(const ConvGeometry& g) { return (g.GroupOutputs() + 7) / 8; }

// Calls visit(panel, first channel, number of channels) for every panel of every group.
template <typename Visit>
void ForEachPanel(const ConvGeometry& g, Visit visit) {
  const std::ptrdiff_t per_group = PanelsPerGroup(g);
  for (std::ptrdiff_t panel = 0; panel < g.groups * per_group; ++panel) {
    const std::ptrdiff_t in_group = panel % per_group * 8;
    visit(panel, panel / per_group * g.GroupOutputs() + in_group,
          std::min<std::ptrdiff_t>(8, g.GroupOutputs() - in_group));
  }
}

}  // namespace

Buffer<float> PackPanels(const ConvGeometry& g, const float* weights) {
  const std::ptrdiff_t inputs = g.GroupInputs();
  Buffer<float> buffer = NewBuffer(g.groups * PanelsPerGroup(g) * g.Taps() * inputs * 8);
  float* packed = buffer.data();
  ForEachPanel(g, [&](std::ptrdiff_t, std::ptrdiff_t first, std::ptrdiff_t real) {
    for (std::ptrdiff_t tap = 0; tap < g.Taps(); ++tap) {
      for (std::ptrdiff_t c = 0; c < inputs; ++c) {
        for (std::ptrdiff_t i = 0; i < 8; ++i)
          *packed++ = i < real ? weights[((first + i) * inputs + c) * g.Taps() + tap] : 0.0F;
      }
    }
  });
  return buffer;
}

Buffer<float> PackBias(const ConvGeometry& g, const float* bias) {
  Buffer<float> packed = NewBuffer(g.groups * PanelsPerGroup(g) * 8);
  ForEachPanel(g, [&](std::ptrdiff_t panel, std::ptrdiff_t first, std::ptrdiff_t real) {
    for (std::ptrdiff_t i = 0; i < 8; ++i)
      packed.data()[8 * panel + i] = i < real && bias ? bias[first + i] + 0.0F : 0.0F;
  });
  return packed;
}

ConvC4::ConvC4(const ConvGeometry& geometry, const float* weights, const float* bias, const Epilogue& epilogue,
               bool fused)
    : geometry_(geometry), epilogue_(epilogue), fused_(fused), copies_(geometry.HasPadding()) {
  const ConvGeometry& g = geometry_;
  const std::ptrdiff_t blocks = g.input.Blocks();
  if (copies_) {
    source_width_ = g.input.width + g.pads[1] + g.pads[3];
    band_rows_ =
        std::clamp<std::ptrdiff_t>(kBandFloats / (4 * blocks * source_width_ * g.strides[0]), 1, g.output.height);
    band_pixels_ = band_rows_ * g.output.width;
    const std::ptrdiff_t source_rows = (band_rows_ - 1) * g.strides[0] + (g.kernel[0] - 1) * g.dilations[0] + 1;
    source_block_stride_ = 4 * source_rows * source_width_;
  } else {
    source_width_ = g.input.width;
    band_pixels_ = std::clamp<std::ptrdiff_t>(kBandFloats / (4 * blocks * g.strides[0] * g.strides[1]) / 4 * 4,
                                              kSmallestBand, std::max(kSmallestBand, g.output.Pixels()));
    source_block_stride_ = g.input.BlockStride();
  }
  for (std::ptrdiff_t ky = 0; ky < g.kernel[0]; ++ky) {
    for (std::ptrdiff_t kx = 0; kx < g.kernel[1]; ++kx) {
      taps_.push_back(static_cast<std::int32_t>(4 * (ky * g.dilations[0] * source_width_ + kx * g.dilations[1])));
    }
  }

  panels_per_group_ = PanelsPerGroup(g);
  weights_ = PackPanels(g, weights);
  bias_ = PackBias(g, bias);
}

std::size_t ConvC4::ThreadBytes() const {
  const std::ptrdiff_t origins = (band_pixels_ + 3) / 4 * 4;
  const std::ptrdiff_t copied = copies_ ? geometry_.input.Blocks() * source_block_stride_ : 0;
  // Origins are a multiple of 16 bytes, blocks of pixels too.
  return static_cast<std::size_t>(origins) * sizeof(std::int32_t) + static_cast<std::size_t>(copied) * sizeof(float);
}

// Copies the band's input rows with their padding (if there is padding) and says where each output pixel's window
// begins.
const float* ConvC4::FillBand(const Band& band, const float* input, float* padded, std::int32_t* origins) const {
  const ConvGeometry& g = geometry_;
  const std::ptrdiff_t first_row = band.begin / g.output.width;
  const std::ptrdiff_t top = copies_ ? first_row * g.strides[0] : 0;  // Of the source, in rows of the padded image.
  std::ptrdiff_t row = first_row;
  std::ptrdiff_t column = band.begin % g.output.width;
  for (std::ptrdiff_t pixel = band.begin; pixel < band.end; ++pixel) {
    *origins++ = static_cast<std::int32_t>(4 * ((row * g.strides[0] - top) * source_width_ + column * g.strides[1]));
    if (++column == g.output.width) {
      column = 0;
      ++row;
    }
  }
  // The last tile's missing pixels compute what its last pixel does, and are not stored.
  for (std::ptrdiff_t pixel = band.end - band.begin; pixel % 4 != 0; ++pixel, ++origins) *origins = origins[-1];
  if (!copies_) return input;

  const std::ptrdiff_t rows =
      (row - first_row - (column == 0 ? 1 : 0)) * g.strides[0] + (g.kernel[0] - 1) * g.dilations[0] + 1;
  const std::ptrdiff_t left = std::max<std::ptrdiff_t>(0, g.pads[1]);
  const std::ptrdiff_t skipped = std::max<std::ptrdiff_t>(0, -g.pads[1]);
  const std::ptrdiff_t copied = std::max<std::ptrdiff_t>(0, std::min(g.input.width - skipped, source_width_ - left));
  for (std::ptrdiff_t block = 0; block < g.input.Blocks(); ++block) {
    float* target = padded + block * source_block_stride_;
    for (std::ptrdiff_t i = 0; i < rows; ++i, target += 4 * source_width_) {
      const std::ptrdiff_t y = top + i - g.pads[0];
      if (y < 0 || y >= g.input.height || copied == 0) {
        std::memset(target, 0, static_cast<std::size_t>(4 * source_width_) * sizeof(float));
        continue;
      }
      const float* source = input + block * g.input.BlockStride() + 4 * (y * g.input.width + skipped);
      std::memset(target, 0, static_cast<std::size_t>(4 * left) * sizeof(float));
      std::memcpy(target + 4 * left, source, static_cast<std::size_t>(4 * copied) * sizeof(float));
      std::memset(target + 4 * (left + copied), 0,
                  static_cast<std::size_t>(4 * (source_width_ - left - copied)) * sizeof(float));
    }
  }
  return padded;
}

template <bool kFused>
void ConvC4::RunPanel(std::ptrdiff_t group, std::ptrdiff_t panel, const Band& band, const float* source,
                      std::ptrdiff_t block_stride, const std::int32_t* origins, float* output) const {
  const ConvGeometry& g = geometry_;
  const std::ptrdiff_t inputs = g.GroupInputs();
  const std::ptrdiff_t first_input = group * inputs;
  const std::ptrdiff_t packed_panel = group * panels_per_group_ + panel;
  const float* weights = weights_.data() + packed_panel * 8 * g.Taps() * inputs;
  const float* bias = bias_.data() + packed_panel * 8;
  const std::ptrdiff_t channel = group * g.GroupOutputs() + 8 * panel;
  const std::ptrdiff_t channels = std::min<std::ptrdiff_t>(8, g.GroupOutputs() - 8 * panel);
  const float* base = source + first_input / 4 * block_stride;
  // A whole vector may spill over the end of the group only where the next group, or nothing, overwrites it.
  const bool aligned = channel % 4 == 0;
  for (std::ptrdiff_t pixel = band.begin; pixel < band.end; pixel += 4, origins += 4) {
    const float* pixels[4] = {base + origins[0], base + origins[1], base + origins[2], base + origins[3]};
    Tile tile;
    tile.Start(bias);
    Multiply<kFused>(pixels, taps_, first_input % 4, inputs, block_stride, weights, tile);
    tile.Clamp(epilogue_.low, epilogue_.high);
    const std::ptrdiff_t count = std::min<std::ptrdiff_t>(4, band.end - pixel);
    if (aligned) {
      StoreAligned(tile, g.output, channel, channels, pixel, count, output);
    } else {
      StoreScattered(tile, g.output, channel, channels, pixel, count, output);
    }
  }
}

void ConvC4::Compute(const float* input, Stretch panels, Stretch pixels, float* output, std::byte* scratch) const {
  auto* origins = reinterpret_cast<std::int32_t*>(scratch);
  auto* padded = reinterpret_cast<float*>(origins + (band_pixels_ + 3) / 4 * 4);
  for (std::ptrdiff_t begin = pixels.begin; begin < pixels.end; begin += band_pixels_) {
    const Band band{begin, std::min(begin + band_pixels_, pixels.end)};
    const float* source = FillBand(band, input, padded, origins);
    for (std::ptrdiff_t group = 0; group < geometry_.groups; ++group) {
      for (std::ptrdiff_t panel = panels.begin; panel < panels.end; ++panel) {
        if (fused_) {
          RunPanel<true>(group, panel, band, source, source_block_stride_, origins, output);
        } else {
          RunPanel<false>(group, panel, band, source, source_block_stride_, origins, output);
        }
      }
    }
  }
}

void ConvC4::Run(const float* input, float* output, std::byte* scratch, const Threads& threads) const {
  const std::ptrdiff_t pixels = geometry_.output.Pixels();
  const std::ptrdiff_t grain = copies_ ? geometry_.output.width : 4;  // Bands that are copied are whole rows.
  // Where pixels are few, panels, so that a thread reads its weights only; but groups may write over their ends, into
  // the next group's panel.
  if (!AreManyPixels(pixels, threads) && geometry_.groups == 1 &&
      threads.CutWell(panels_per_group_, (pixels + grain - 1) / grain)) {
    threads.Cut(panels_per_group_, 1, [&](Stretch panels, int thread) {
      Compute(input, panels, {0, pixels}, output, scratch + static_cast<std::size_t>(thread) * ThreadBytes());
    });
  } else {
    threads.Cut(pixels, grain, [&](Stretch stretch, int thread) {
      Compute(input, {0, panels_per_group_}, stretch, output,
              scratch + static_cast<std::size_t>(thread) * ThreadBytes());
    });
  }
}

}  // namespace kdequant::runtime
