// kernels/w4a8_conv.h
// Convolutions and products of quantized weights with byte images, exact in 32-bit integers.
//
// Integer sums do not depend on their order, and what follows a sum is a few single IEEE operations (w4a8_grid.h): the
// plain loops and the vector kernels give the same bytes and the same floats.
#ifndef KDEQUANT_RUNTIME_KERNELS_W4A8_CONV_H_
#define KDEQUANT_RUNTIME_KERNELS_W4A8_CONV_H_

#include <cstdint>
#include <vector>

#include "kernels/activation_f32.h"
#include "kernels/conv_f32.h"
#include "kernels/w4a8_grid.h"
#include "kernels/w4a8_pack.h"

namespace kdequant::w4a8 {

using runtime::ConvGeometry;
using runtime::Epilogue;

/// Where sums start and how they become outputs; arrays have one entry an output channel, padded to a multiple of 8.
struct RowStart {
  const std::int32_t* start = nullptr;
  const float* multipliers = nullptr;
};
struct ByteOutput {
  RowStart rows;
  Bounds bounds;
  std::int32_t zero_point = 0;
  std::uint8_t* bytes = nullptr;
};
/// float(sum) * multiplier + bias, then the interval.
struct FloatOutput {
  RowStart rows;
  const float* bias = nullptr;
  float low = 0;
  float high = 0;
  float* floats = nullptr;
};

/// One convolution. A product of a matrix with a vector is a convolution of an image of one pixel.
class Convolution {
 public:
  /// `weights`: [OC, C / groups, kh, kw], depth at most kLargestDepth. Errors: kOutOfMemory.
  static Result<Convolution> Create(const ConvGeometry& geometry, IntegerWeights weights, bool vectors);

  std::size_t WeightBytes() const;
  std::size_t ScratchBytes() const { return padded_bytes_ + panel_bytes_; }

  /// `input` is a C4 image on a grid with this zero point, which padding has too. `scratch` is aligned to 16 bytes.
  void Run(const std::uint8_t* input, std::int32_t zero_point, const ByteOutput& output, std::byte* scratch) const;
  void Run(const std::uint8_t* input, std::int32_t zero_point, const FloatOutput& output, std::byte* scratch) const;

 private:
  struct Source {
    const std::uint8_t* pixels;
    std::ptrdiff_t block_stride;
  };
  template <typename Output>
  void RunAny(const std::uint8_t* input, std::int32_t zero_point, const Output& output, std::byte* scratch) const;
  template <typename Output>
  void RunPlain(const std::uint8_t* input, std::int32_t zero_point, const Output& output) const;
  template <typename Output>
  void RunDense(const Source& source, const Output& output, std::byte* scratch) const;
  template <typename Output>
  void RunDepthwise(const Source& source, const Output& output) const;
  Source PadInto(const std::uint8_t* input, std::int32_t zero_point, std::byte* scratch) const;

  ConvGeometry geometry_;
  bool vectors_ = false;
  std::vector<std::int8_t> values_;  // Plain loops only: the weights as they are.

  bool copies_ = false;  // Whether the input is copied with its padding.
  std::ptrdiff_t source_width_ = 0;
  std::ptrdiff_t source_height_ = 0;
  std::size_t padded_bytes_ = 0;
  std::size_t panel_bytes_ = 0;
  std::vector<std::int32_t>
      origins_;  // Bytes from a block's start to each output pixel's window; a multiple of 4 of them.
  std::vector<std::int32_t> taps_;     // Bytes from a window's origin to each tap.
  std::vector<PackedWeights> groups_;  // Dense: one a group.
  Buffer<std::int16_t> depthwise_;     // [C / 4][pairs of taps][4 channels][2 taps]
};

}  // namespace kdequant::w4a8

#endif  // KDEQUANT_RUNTIME_KERNELS_W4A8_CONV_H_
