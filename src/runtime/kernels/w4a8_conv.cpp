#include "kernels/w4a8_conv.h"

#include <algorithm>
#include <cstring>

namespace kdequant::w4a8 {
namespace {

std::ptrdiff_t Rounded(std::ptrdiff_t value, std::ptrdiff_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

}  // namespace

KDEQUANT_SMALL Result<Convolution> Convolution::Create(const ConvGeometry& geometry, IntegerWeights weights,
                                                       bool seven_bits, Arithmetic arithmetic, int threads) {
  Convolution made;
  made.geometry_ = geometry;
  auto packed = made.Pack(std::move(weights), seven_bits, arithmetic, threads);
  if (!packed) return Forward(packed);
  return made;
}

KDEQUANT_SMALL Result<void> Convolution::Pack(IntegerWeights weights, bool seven_bits, Arithmetic arithmetic,
                                              int threads) {
  const ConvGeometry& g = geometry_;
  const bool whole_blocks = g.groups == 1 || (g.GroupInputs() % 4 == 0 && g.GroupOutputs() % 4 == 0);
  if (arithmetic == Arithmetic::kPlain || (!g.IsDepthwise() && !whole_blocks)) {
    kernel_ = Plain{std::move(weights.values)};
    return {};
  }
  if (g.groups > 1 && DepthwiseRows::Supports(g)) {
    auto rows = DepthwiseRows::Create(g, weights, seven_bits, arithmetic);
    if (!rows) return Forward(rows);
    kernel_bytes_ = rows->ScratchBytes(threads);
    kernel_ = std::move(*rows);
    return {};
  }
  LayOutWindows();
  if (g.IsDepthwise() && g.groups > 1) {
    auto pairs = DepthwisePairs::Create(weights, g.input.channels, g.Taps());
    if (!pairs) return Forward(pairs);
    kernel_ = std::move(*pairs);
    return {};
  }
  Groups groups;
  for (std::ptrdiff_t group = 0; group < g.groups; ++group) {
    auto dense = Dense::Create(weights, static_cast<std::size_t>(group * g.GroupOutputs()),
                               static_cast<std::size_t>(g.GroupOutputs()), g.GroupInputs(), g.Taps(), arithmetic);
    if (!dense) return Forward(dense);
    kernel_bytes_ = dense->ScratchBytes(windows_, SourceStride(), threads);
    groups.push_back(std::move(*dense));
  }
  kernel_ = std::move(groups);
  return {};
}

KDEQUANT_SMALL void Convolution::LayOutWindows() {
  const ConvGeometry& g = geometry_;
  windows_.is_plain_3x3 = g.IsPlain3x3() && !g.IsDepthwise();
  // Tiles of 3x3 windows reach one row past the end, vector loads 15 bytes past the last pixel of that.
  copies_ = g.HasPadding() || windows_.is_plain_3x3;
  source_width_ = g.input.width + (copies_ ? g.pads[1] + g.pads[3] : 0);
  source_height_ = g.input.height + (copies_ ? g.pads[0] + g.pads[2] : 0);
  if (copies_) {
    const std::ptrdiff_t rows = g.input.Blocks() * source_height_ + (windows_.is_plain_3x3 ? 1 : 0);
    padded_bytes_ = static_cast<std::size_t>(Rounded(rows * source_width_ * 4 + 16, 16));
  }
  windows_.blocks = (g.GroupInputs() + 3) / 4;
  windows_.pixels = g.output.Pixels();
  windows_.width = g.output.width;
  for (std::ptrdiff_t y = 0; y < g.output.height; ++y) {
    for (std::ptrdiff_t x = 0; x < g.output.width; ++x) {
      windows_.origins.push_back(static_cast<std::int32_t>(4 * (y * g.strides[0] * source_width_ + x * g.strides[1])));
    }
  }
  // The last tile's missing pixels compute, into the image's padding, what the input's padding holds, or what the last
  // pixel does.
  const bool is_flat = g.Taps() == 1 && g.strides[0] == 1 && g.strides[1] == 1 && !copies_ && windows_.pixels > 1;
  while (windows_.origins.size() % 4 != 0) windows_.origins.push_back(windows_.origins.back() + (is_flat ? 4 : 0));
  for (std::ptrdiff_t ky = 0; ky < g.kernel[0]; ++ky) {
    for (std::ptrdiff_t kx = 0; kx < g.kernel[1]; ++kx) {
      windows_.taps.push_back(
          static_cast<std::int32_t>(4 * (ky * g.dilations[0] * source_width_ + kx * g.dilations[1])));
    }
  }
}

std::size_t Convolution::WeightBytes() const {
  if (const auto* plain = std::get_if<Plain>(&kernel_)) return plain->values.size();
  if (const auto* pairs = std::get_if<DepthwisePairs>(&kernel_)) return pairs->WeightBytes();
  if (const auto* rows = std::get_if<DepthwiseRows>(&kernel_)) return rows->WeightBytes();
  std::size_t bytes = 0;
  for (const Dense& group : std::get<Groups>(kernel_)) bytes += group.WeightBytes();
  return bytes;
}

std::ptrdiff_t Convolution::SourceStride() const {
  return copies_ ? 4 * source_width_ * source_height_ : geometry_.input.BlockStride();
}

Source Convolution::PadInto(const std::int8_t* input, std::int32_t zero_point, std::byte* scratch,
                            const Threads& threads) const {
  const ConvGeometry& g = geometry_;
  if (!copies_) return {input, SourceStride()};
  auto* const padded = reinterpret_cast<std::int8_t*>(scratch);
  const std::ptrdiff_t block_bytes = SourceStride();
  threads.Cut(g.input.Blocks(), 1, [&](Stretch blocks, int) {
    for (std::ptrdiff_t block = blocks.begin; block < blocks.end; ++block)
      PadBlock(input + block * g.input.BlockStride(), zero_point, padded + block * block_bytes);
  });
  const std::ptrdiff_t used = g.input.Blocks() * block_bytes;
  std::memset(padded + used, zero_point, padded_bytes_ - static_cast<std::size_t>(used));
  return {padded, block_bytes};
}

void Convolution::PadBlock(const std::int8_t* input, std::int32_t zero_point, std::int8_t* padded) const {
  const ConvGeometry& g = geometry_;
  const std::ptrdiff_t left = std::max<std::ptrdiff_t>(0, g.pads[1]);
  const std::ptrdiff_t skipped = std::max<std::ptrdiff_t>(0, -g.pads[1]);
  const std::ptrdiff_t copied = std::max<std::ptrdiff_t>(0, std::min(g.input.width - skipped, source_width_ - left));
  const auto fill = [&](std::int8_t* pixels, std::ptrdiff_t count) {
    std::memset(pixels, zero_point, static_cast<std::size_t>(4 * count));
  };
  std::int8_t* row = padded;
  for (std::ptrdiff_t y = 0; y < source_height_; ++y, row += 4 * source_width_) {
    const std::ptrdiff_t from = y - g.pads[0];
    if (from < 0 || from >= g.input.height || copied == 0) {
      fill(row, source_width_);
      continue;
    }
    fill(row, left);
    std::memcpy(row + 4 * left, input + 4 * (from * g.input.width + skipped), static_cast<std::size_t>(4 * copied));
    fill(row + 4 * (left + copied), source_width_ - left - copied);
  }
}

template <typename Output>
KDEQUANT_SMALL void Convolution::RunPlain(const Plain& plain, const std::int8_t* input, std::int32_t zero_point,
                                          const Output& output) const {
  const ConvGeometry& g = geometry_;
  for (std::ptrdiff_t channel = 0; channel < g.output.channels; ++channel) {
    const std::ptrdiff_t first = channel / g.GroupOutputs() * g.GroupInputs();
    for (std::ptrdiff_t pixel = 0; pixel < g.output.Pixels(); ++pixel) {
      std::int32_t sum = output.rows.start[channel];
      const std::int8_t* weight = plain.values.data() + channel * g.GroupInputs() * g.Taps();
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
      Put(output, channel, g.output.Index(channel, pixel), sum);
    }
  }
}

template <typename Output>
void Convolution::RunAny(const std::int8_t* input, std::int32_t zero_point, const Output& output, std::byte* scratch,
                         const Threads& threads) const {
  if (const auto* plain = std::get_if<Plain>(&kernel_)) return RunPlain(*plain, input, zero_point, output);
  if (const auto* rows = std::get_if<DepthwiseRows>(&kernel_)) {
    return rows->Run(input, zero_point, output, scratch, threads);
  }

  const ConvGeometry& g = geometry_;
  const Source source = PadInto(input, zero_point, scratch, threads);
  if (const auto* pairs = std::get_if<DepthwisePairs>(&kernel_)) {
    return pairs->Run(source, windows_, g.output, output, threads);
  }
  std::ptrdiff_t group = 0;
  for (const Dense& dense : std::get<Groups>(kernel_)) {
    dense.Run({source.pixels + group * g.GroupInputs() / 4 * source.block_stride, source.block_stride}, windows_,
              group * g.GroupOutputs(), g.output.BlockStride(), output, scratch + padded_bytes_, threads);
    ++group;
  }
}

void Convolution::Run(const std::int8_t* input, std::int32_t zero_point, const ByteOutput& output, std::byte* scratch,
                      const Threads& threads) const {
  RunAny(input, zero_point, output, scratch, threads);
}
void Convolution::Run(const std::int8_t* input, std::int32_t zero_point, const FloatOutput& output, std::byte* scratch,
                      const Threads& threads) const {
  RunAny(input, zero_point, output, scratch, threads);
}

}  // namespace kdequant::w4a8
