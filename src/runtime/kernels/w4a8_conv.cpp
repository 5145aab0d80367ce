#include "kernels/w4a8_conv.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "kernels/w4a8_vector.h"

namespace kdequant::w4a8 {
namespace {

constexpr std::ptrdiff_t kPairBytes = 64;  // A step of a decoded panel: four vectors of 16-bit pairs.

std::uint8_t Finish(const ByteOutput& output, std::ptrdiff_t channel, std::int32_t sum) {
  return Requantize(sum, output.rows.multipliers[channel], output.bounds, output.zero_point);
}

float Finish(const FloatOutput& output, std::ptrdiff_t channel, std::int32_t sum) {
  const float x = static_cast<float>(sum) * output.rows.multipliers[channel] + output.bias[channel];
  const float above = x < output.low ? output.low : x;
  return output.high < above ? output.high : above;
}

void Put(const ByteOutput& output, std::ptrdiff_t index, std::uint8_t value) { output.bytes[index] = value; }
void Put(const FloatOutput& output, std::ptrdiff_t index, float value) { output.floats[index] = value; }

// Stores four channels of P pixels (four, or the only one of an image).
template <int P>
void Store(const ByteOutput& output, const VectorBounds& bounds, std::ptrdiff_t channel, std::ptrdiff_t index,
           const v128_t* sums) {
  const v128_t multipliers = wasm_v128_load(output.rows.multipliers + channel);
  v128_t bytes[4];
  for (int p = 0; p < P; ++p) bytes[p] = RequantizeVector(sums[p], multipliers, bounds);
  if constexpr (P == 4) {
    wasm_v128_store(output.bytes + index, NarrowToBytes(bytes[0], bytes[1], bytes[2], bytes[3]));
  } else {
    const v128_t narrow = NarrowToBytes(bytes[0], bytes[0], bytes[0], bytes[0]);
    wasm_v128_store32_lane(output.bytes + index, narrow, 0);
  }
}

template <int P>
void Store(const FloatOutput& output, const VectorBounds&, std::ptrdiff_t channel, std::ptrdiff_t index,
           const v128_t* sums) {
  const v128_t multipliers = wasm_v128_load(output.rows.multipliers + channel);
  const v128_t bias = wasm_v128_load(output.bias + channel);
  const v128_t low = wasm_f32x4_splat(output.low);
  const v128_t high = wasm_f32x4_splat(output.high);
  for (int p = 0; p < P; ++p) {
    const v128_t x = wasm_f32x4_add(wasm_f32x4_mul(wasm_f32x4_convert_i32x4(sums[p]), multipliers), bias);
    wasm_v128_store(output.floats + index + 4 * p, wasm_f32x4_pmin(wasm_f32x4_pmax(x, low), high));
  }
}

VectorBounds BoundsOfOutput(const ByteOutput& output) { return {output.bounds, output.zero_point}; }
VectorBounds BoundsOfOutput(const FloatOutput&) { return {Bounds{}, 0}; }

// A panel's weights as 16-bit pairs: rows 0..3 depths 0 1, depths 2 3, rows 4..7 the same.
void DecodePanel(const PackedWeights& weights, std::size_t panel, std::int16_t* pairs) {
  const std::uint8_t* step = weights.Panel(panel);
  const v128_t table = wasm_v128_load(weights.table.data());
  for (std::size_t i = 0; i < weights.steps; ++i, pairs += kPairBytes / 2) {
    const StepBytes bytes = weights.nibbles ? DecodeNibbles(step, table) : LoadStep(step);
    step += weights.nibbles ? 16 : 32;
    const DepthPairs first = PairsOfSignedBytes(bytes.first);
    const DepthPairs second = PairsOfSignedBytes(bytes.second);
    wasm_v128_store(pairs, first.even);
    wasm_v128_store(pairs + 8, first.odd);
    wasm_v128_store(pairs + 16, second.even);
    wasm_v128_store(pairs + 24, second.odd);
  }
}

// P pixels x 8 channels.
template <int P>
struct Tile {
  v128_t low[P];
  v128_t high[P];

  explicit Tile(const std::int32_t* start) {
    for (int p = 0; p < P; ++p) {
      low[p] = wasm_v128_load(start);
      high[p] = wasm_v128_load(start + 4);
    }
  }

  void Accumulate(v128_t even, v128_t odd, int p, const std::int16_t* pairs) {
    low[p] = wasm_i32x4_add(low[p], wasm_i32x4_add(wasm_i32x4_dot_i16x8(even, wasm_v128_load(pairs)),
                                                   wasm_i32x4_dot_i16x8(odd, wasm_v128_load(pairs + 8))));
    high[p] = wasm_i32x4_add(high[p], wasm_i32x4_add(wasm_i32x4_dot_i16x8(even, wasm_v128_load(pairs + 16)),
                                                     wasm_i32x4_dot_i16x8(odd, wasm_v128_load(pairs + 24))));
  }

  void Step(const std::uint8_t* const* pixels, std::ptrdiff_t offset, const std::int16_t* pairs) {
    if constexpr (P == 4) {
      v128_t bytes = wasm_v128_load32_zero(pixels[0] + offset);
      bytes = wasm_v128_load32_lane(pixels[1] + offset, bytes, 1);
      bytes = wasm_v128_load32_lane(pixels[2] + offset, bytes, 2);
      bytes = wasm_v128_load32_lane(pixels[3] + offset, bytes, 3);
      const DepthPairs x = PairsOfBytes(bytes);
      Accumulate(wasm_i32x4_shuffle(x.even, x.even, 0, 0, 0, 0), wasm_i32x4_shuffle(x.odd, x.odd, 0, 0, 0, 0), 0,
                 pairs);
      Accumulate(wasm_i32x4_shuffle(x.even, x.even, 1, 1, 1, 1), wasm_i32x4_shuffle(x.odd, x.odd, 1, 1, 1, 1), 1,
                 pairs);
      Accumulate(wasm_i32x4_shuffle(x.even, x.even, 2, 2, 2, 2), wasm_i32x4_shuffle(x.odd, x.odd, 2, 2, 2, 2), 2,
                 pairs);
      Accumulate(wasm_i32x4_shuffle(x.even, x.even, 3, 3, 3, 3), wasm_i32x4_shuffle(x.odd, x.odd, 3, 3, 3, 3), 3,
                 pairs);
    } else {
      const DepthPairs x = PairsOfBytes(wasm_v128_load32_splat(pixels[0] + offset));
      Accumulate(x.even, x.odd, 0, pairs);
    }
  }
};

std::ptrdiff_t Rounded(std::ptrdiff_t value, std::ptrdiff_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

// Of a dense group: taps outermost, then blocks of four channels.
std::vector<std::size_t> DenseOrder(std::ptrdiff_t inputs, std::ptrdiff_t taps) {
  std::vector<std::size_t> order;
  for (std::ptrdiff_t tap = 0; tap < taps; ++tap) {
    for (std::ptrdiff_t c = 0; c < Rounded(inputs, 4); ++c) {
      order.push_back(c < inputs ? static_cast<std::size_t>(c * taps + tap) : kNoDepth);
    }
  }
  return order;
}

}  // namespace

Result<Convolution> Convolution::Create(const ConvGeometry& geometry, IntegerWeights weights, bool vectors) {
  Convolution made;
  made.geometry_ = geometry;
  const ConvGeometry& g = made.geometry_;
  const bool whole_blocks = g.groups == 1 || (g.GroupInputs() % 4 == 0 && g.GroupOutputs() % 4 == 0);
  made.vectors_ = vectors && (g.IsDepthwise() || whole_blocks);
  if (!made.vectors_) {
    made.values_ = std::move(weights.values);
    return made;
  }

  made.copies_ = g.HasPadding();
  made.source_width_ = g.input.width + (made.copies_ ? g.pads[1] + g.pads[3] : 0);
  made.source_height_ = g.input.height + (made.copies_ ? g.pads[0] + g.pads[2] : 0);
  // Vector loads of a depthwise window may reach 15 bytes past the last pixel.
  if (made.copies_)
    made.padded_bytes_ =
        static_cast<std::size_t>(Rounded(g.input.Blocks() * made.source_width_ * made.source_height_ * 4 + 16, 16));
  for (std::ptrdiff_t y = 0; y < g.output.height; ++y) {
    for (std::ptrdiff_t x = 0; x < g.output.width; ++x) {
      made.origins_.push_back(
          static_cast<std::int32_t>(4 * (y * g.strides[0] * made.source_width_ + x * g.strides[1])));
    }
  }
  // The last tile's missing pixels compute what the last one does, into the image's padding.
  while (made.origins_.size() % 4 != 0) made.origins_.push_back(made.origins_.back());
  for (std::ptrdiff_t ky = 0; ky < g.kernel[0]; ++ky) {
    for (std::ptrdiff_t kx = 0; kx < g.kernel[1]; ++kx) {
      made.taps_.push_back(
          static_cast<std::int32_t>(4 * (ky * g.dilations[0] * made.source_width_ + kx * g.dilations[1])));
    }
  }

  if (g.IsDepthwise()) {
    const std::ptrdiff_t taps = g.Taps();
    if (taps % 2 != 0) made.taps_.push_back(made.taps_.back());  // With a weight of zero.
    const auto pairs = static_cast<std::ptrdiff_t>(made.taps_.size() / 2);
    const auto count = static_cast<std::size_t>(g.input.Blocks() * pairs * 8);
    made.depthwise_ = Buffer<std::int16_t>(count);
    if (made.depthwise_.size() != count)
      return Fail(ErrorCode::kOutOfMemory, "there is no memory for the packed weights");
    std::fill_n(made.depthwise_.data(), count, std::int16_t{0});
    for (std::ptrdiff_t c = 0; c < g.input.channels; ++c) {
      for (std::ptrdiff_t tap = 0; tap < taps; ++tap) {
        made.depthwise_.data()[(c / 4 * pairs + tap / 2) * 8 + c % 4 * 2 + tap % 2] =
            std::int16_t{weights.values[static_cast<std::size_t>(c * taps + tap)]};
      }
    }
    return made;
  }

  const auto order = DenseOrder(g.GroupInputs(), g.Taps());
  made.panel_bytes_ = order.size() / 4 * static_cast<std::size_t>(kPairBytes);
  for (std::ptrdiff_t group = 0; group < g.groups; ++group) {
    auto packed = Pack(weights, static_cast<std::size_t>(group * g.GroupOutputs()),
                       static_cast<std::size_t>(g.GroupOutputs()), order, {});
    if (!packed) return Forward(packed);
    made.groups_.push_back(std::move(*packed));
  }
  return made;
}

std::size_t Convolution::WeightBytes() const {
  std::size_t bytes = values_.size() + depthwise_.size() * sizeof(std::int16_t);
  for (const PackedWeights& group : groups_) bytes += group.data.size();
  return bytes;
}

Convolution::Source Convolution::PadInto(const std::uint8_t* input, std::int32_t zero_point, std::byte* scratch) const {
  const ConvGeometry& g = geometry_;
  if (!copies_) return {input, g.input.BlockStride()};
  const std::ptrdiff_t stride = 4 * source_width_ * source_height_;
  auto* const padded = reinterpret_cast<std::uint8_t*>(scratch);
  std::memset(padded, zero_point, padded_bytes_);
  const std::ptrdiff_t left = std::max<std::ptrdiff_t>(0, g.pads[1]);
  const std::ptrdiff_t skipped = std::max<std::ptrdiff_t>(0, -g.pads[1]);
  const std::ptrdiff_t copied = std::min(g.input.width - skipped, source_width_ - left);
  for (std::ptrdiff_t block = 0; block < g.input.Blocks() && copied > 0; ++block) {
    for (std::ptrdiff_t y = 0; y < source_height_; ++y) {
      const std::ptrdiff_t from = y - g.pads[0];
      if (from < 0 || from >= g.input.height) continue;
      std::memcpy(padded + block * stride + 4 * (y * source_width_ + left),
                  input + block * g.input.BlockStride() + 4 * (from * g.input.width + skipped),
                  static_cast<std::size_t>(4 * copied));
    }
  }
  return {padded, stride};
}

template <typename Output>
void Convolution::RunPlain(const std::uint8_t* input, std::int32_t zero_point, const Output& output) const {
  const ConvGeometry& g = geometry_;
  for (std::ptrdiff_t channel = 0; channel < g.output.channels; ++channel) {
    const std::ptrdiff_t first = channel / g.GroupOutputs() * g.GroupInputs();
    for (std::ptrdiff_t pixel = 0; pixel < g.output.Pixels(); ++pixel) {
      std::int32_t sum = output.rows.start[channel];
      const std::int8_t* weight = values_.data() + channel * g.GroupInputs() * g.Taps();
      for (std::ptrdiff_t c = 0; c < g.GroupInputs(); ++c) {
        for (std::ptrdiff_t ky = 0; ky < g.kernel[0]; ++ky) {
          for (std::ptrdiff_t kx = 0; kx < g.kernel[1]; ++kx) {
            const std::ptrdiff_t y = pixel / g.output.width * g.strides[0] + ky * g.dilations[0] - g.pads[0];
            const std::ptrdiff_t x = pixel % g.output.width * g.strides[1] + kx * g.dilations[1] - g.pads[1];
            const bool inside = y >= 0 && y < g.input.height && x >= 0 && x < g.input.width;
            sum += *weight++ * (inside ? input[g.input.Index(first + c, y * g.input.width + x)] : zero_point);
          }
        }
      }
      Put(output, g.output.Index(channel, pixel), Finish(output, channel, sum));
    }
  }
}

template <typename Output>
void Convolution::RunDense(const Source& source, const Output& output, std::byte* scratch) const {
  const ConvGeometry& g = geometry_;
  auto* const pairs = reinterpret_cast<std::int16_t*>(scratch + padded_bytes_);
  const VectorBounds bounds = BoundsOfOutput(output);
  const std::ptrdiff_t blocks = (g.GroupInputs() + 3) / 4;
  for (std::ptrdiff_t group = 0; group < g.groups; ++group) {
    const PackedWeights& weights = groups_[static_cast<std::size_t>(group)];
    const std::uint8_t* const first = source.pixels + group * g.GroupInputs() / 4 * source.block_stride;
    for (std::size_t panel = 0; panel < weights.Panels(); ++panel) {
      DecodePanel(weights, panel, pairs);
      const auto in_group = static_cast<std::ptrdiff_t>(panel * kPanelRows);
      const std::ptrdiff_t channel = group * g.GroupOutputs() + in_group;
      const bool both = in_group + 4 < g.GroupOutputs();
      const auto run = [&]<int P>(std::ptrdiff_t pixel) {
        Tile<P> tile(output.rows.start + channel);
        const std::int16_t* step = pairs;
        for (const std::int32_t tap : taps_) {
          const std::uint8_t* pixels[P];
          for (int p = 0; p < P; ++p) pixels[p] = first + origins_[static_cast<std::size_t>(pixel + p)] + tap;
          std::ptrdiff_t offset = 0;
          KDEQUANT_NO_UNROLL
          for (std::ptrdiff_t block = 0; block < blocks;
               ++block, offset += source.block_stride, step += kPairBytes / 2) {
            tile.Step(pixels, offset, step);
          }
        }
        Store<P>(output, bounds, channel, g.output.Index(channel, pixel), tile.low);
        if (both) Store<P>(output, bounds, channel + 4, g.output.Index(channel + 4, pixel), tile.high);
      };
      if (g.output.Pixels() == 1) {
        run.template operator()<1>(0);
      } else {
        for (std::ptrdiff_t pixel = 0; pixel < g.output.Pixels(); pixel += 4) run.template operator()<4>(pixel);
      }
    }
  }
}

template <typename Output>
void Convolution::RunDepthwise(const Source& source, const Output& output) const {
  const ConvGeometry& g = geometry_;
  const VectorBounds bounds = BoundsOfOutput(output);
  const std::size_t pairs = taps_.size() / 2;
  for (std::ptrdiff_t block = 0; block < g.input.Blocks(); ++block) {
    const std::uint8_t* const pixels = source.pixels + block * source.block_stride;
    const v128_t start = wasm_v128_load(output.rows.start + 4 * block);
    for (std::ptrdiff_t pixel = 0; pixel < g.output.Pixels(); pixel += 4) {
      const std::int32_t* const origins = origins_.data() + pixel;
      const auto load = [&](std::int32_t tap) {
        v128_t bytes = wasm_v128_load32_zero(pixels + origins[0] + tap);
        bytes = wasm_v128_load32_lane(pixels + origins[1] + tap, bytes, 1);
        bytes = wasm_v128_load32_lane(pixels + origins[2] + tap, bytes, 2);
        return wasm_v128_load32_lane(pixels + origins[3] + tap, bytes, 3);
      };
      const bool adjacent = origins[3] - origins[0] == 12 && origins[1] - origins[0] == 4;
      v128_t sums[4] = {start, start, start, start};
      const std::int16_t* weight = depthwise_.data() + static_cast<std::size_t>(block) * pairs * 8;
      KDEQUANT_NO_UNROLL
      for (std::size_t pair = 0; pair < pairs; ++pair, weight += 8) {
        const std::int32_t a_tap = taps_[2 * pair];
        const std::int32_t b_tap = taps_[2 * pair + 1];
        const v128_t a = adjacent ? wasm_v128_load(pixels + origins[0] + a_tap) : load(a_tap);
        const v128_t b = adjacent ? wasm_v128_load(pixels + origins[0] + b_tap) : load(b_tap);
        const v128_t w = wasm_v128_load(weight);
        const v128_t front = wasm_i8x16_shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        const v128_t back = wasm_i8x16_shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        sums[0] = wasm_i32x4_add(sums[0], wasm_i32x4_dot_i16x8(wasm_u16x8_extend_low_u8x16(front), w));
        sums[1] = wasm_i32x4_add(sums[1], wasm_i32x4_dot_i16x8(wasm_u16x8_extend_high_u8x16(front), w));
        sums[2] = wasm_i32x4_add(sums[2], wasm_i32x4_dot_i16x8(wasm_u16x8_extend_low_u8x16(back), w));
        sums[3] = wasm_i32x4_add(sums[3], wasm_i32x4_dot_i16x8(wasm_u16x8_extend_high_u8x16(back), w));
      }
      const std::ptrdiff_t index = g.output.Index(4 * block, pixel);
      if (g.output.Pixels() == 1) {
        Store<1>(output, bounds, 4 * block, index, sums);
      } else {
        Store<4>(output, bounds, 4 * block, index, sums);
      }
    }
  }
}

template <typename Output>
void Convolution::RunAny(const std::uint8_t* input, std::int32_t zero_point, const Output& output,
                         std::byte* scratch) const {
  if (!vectors_) return RunPlain(input, zero_point, output);
  const Source source = PadInto(input, zero_point, scratch);
  if (geometry_.IsDepthwise()) return RunDepthwise(source, output);
  RunDense(source, output, scratch);
}

void Convolution::Run(const std::uint8_t* input, std::int32_t zero_point, const ByteOutput& output,
                      std::byte* scratch) const {
  RunAny(input, zero_point, output, scratch);
}
void Convolution::Run(const std::uint8_t* input, std::int32_t zero_point, const FloatOutput& output,
                      std::byte* scratch) const {
  RunAny(input, zero_point, output, scratch);
}

}  // namespace kdequant::w4a8
