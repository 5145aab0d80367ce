#include "kernels/movement_f32.h"

#include <algorithm>
#include <cstring>

namespace kdequant::runtime {
namespace {

// The index into an axis of `length` that index `i`, counted from its start, stands for; -1 beyond for kConstant.
std::ptrdiff_t SourceIndex(Pad::Mode mode, std::ptrdiff_t i, std::ptrdiff_t length) {
  if (i >= 0 && i < length) return i;
  if (mode == Pad::Mode::kConstant) return -1;
  if (mode == Pad::Mode::kEdge || length == 1) return std::clamp<std::ptrdiff_t>(i, 0, length - 1);
  // Back and forth without repeating the ends.
  const std::ptrdiff_t period = 2 * (length - 1);
  const std::ptrdiff_t phase = ((i % period) + period) % period;
  return phase < length ? phase : period - phase;
}

}  // namespace

Padding::Padding(const Pad& pad, const Shape& input, const Shape& output) : value_(pad.value) {
  const auto strides = RowMajorStrides(input);
  const std::size_t rank = input.size();
  for (std::size_t axis = 0; axis < rank; ++axis) {
    std::vector<std::ptrdiff_t> sources;
    for (std::ptrdiff_t i = 0; i < output[axis]; ++i) {
      const std::ptrdiff_t index = SourceIndex(pad.mode, i - static_cast<std::ptrdiff_t>(pad.pads[axis]),
                                               static_cast<std::ptrdiff_t>(input[axis]));
      sources.push_back(index < 0 ? -1 : index * strides[axis]);
    }
    sources_.push_back(std::move(sources));
  }
  if (rank == 0) sources_.push_back({0});
}

void Padding::Run(const float* input, float* output) const {
  const std::size_t inner = sources_.size() - 1;
  std::array<std::size_t, kMostDimensions> index{};
  while (true) {
    std::ptrdiff_t offset = 0;
    bool inside = true;
    for (std::size_t d = 0; d < inner; ++d) {
      const std::ptrdiff_t source = sources_[d][index[d]];
      inside = inside && source >= 0;
      offset += source;
    }
    for (const std::ptrdiff_t source : sources_[inner])
      *output++ = inside && source >= 0 ? input[offset + source] : value_;
    std::size_t d = inner;
    while (d > 0 && ++index[d - 1] == sources_[d - 1].size()) index[--d] = 0;
    if (d == 0) return;
  }
}

void CopyChannels(const Image& from, const float* source, const Image& to, std::ptrdiff_t channel, float* target) {
  if (channel % 4 == 0) {
    for (std::ptrdiff_t block = 0; block < from.Blocks(); ++block) {
      // A last block's padding lands on channels that the next input overwrites, or on padding.
      std::memcpy(target + to.Index(channel + 4 * block, 0), source + block * from.BlockStride(),
                  static_cast<std::size_t>(4 * from.Pixels()) * sizeof(float));
    }
    return;
  }
  for (std::ptrdiff_t c = 0; c < from.channels; ++c) {
    const float* in = source + from.Index(c, 0);
    float* out = target + to.Index(channel + c, 0);
    for (std::ptrdiff_t pixel = 0; pixel < from.Pixels(); ++pixel) out[4 * pixel] = in[4 * pixel];
  }
}

}  // namespace kdequant::runtime
