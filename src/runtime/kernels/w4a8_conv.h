// kernels/w4a8_conv.h
// Convolutions and products of quantized weights with byte images, exact in 32-bit integers.
//
// Integer sums do not depend on their order, and what follows a sum is a few single IEEE operations (w4a8_grid.h): the
// plain loops and the vector kernels give the same bytes and the same floats.
#ifndef KDEQUANT_RUNTIME_KERNELS_W4A8_CONV_H_
#define KDEQUANT_RUNTIME_KERNELS_W4A8_CONV_H_

#include <cstdint>
#include <variant>
#include <vector>

#include "kernels/conv_f32.h"
#include "kernels/w4a8_dense.h"
#include "kernels/w4a8_depthwise.h"

namespace kdequant::w4a8 {

/// One convolution. A product of a matrix with a vector is a convolution of an image of one pixel.
class Convolution {
 public:
  /// `weights`: [OC, C / groups, kh, kw], depth at most kLargestDepth. `seven_bits`: input bytes are in 0..127.
  /// `threads`: how many Run may use. Errors: kOutOfMemory.
  static Result<Convolution> Create(const ConvGeometry& geometry, IntegerWeights weights, bool seven_bits,
                                    Arithmetic arithmetic, int threads);

  std::size_t WeightBytes() const;
  std::size_t ScratchBytes() const { return padded_bytes_ + kernel_bytes_; }

  /// `input` is a C4 image on a grid with this zero point, which padding has too. `scratch` is aligned to 16 bytes.
  void Run(const std::int8_t* input, std::int32_t zero_point, const ByteOutput& output, std::byte* scratch,
           const Threads& threads) const;
  void Run(const std::int8_t* input, std::int32_t zero_point, const FloatOutput& output, std::byte* scratch,
           const Threads& threads) const;

 private:
  struct Plain {  // The reference: the weights as they are.
    std::vector<std::int8_t> values;
  };
  using Groups = std::vector<Dense>;

  Result<void> Pack(IntegerWeights weights, bool seven_bits, Arithmetic arithmetic, int threads);
  void LayOutWindows();
  std::ptrdiff_t SourceStride() const;
  template <typename Output>
  void RunAny(const std::int8_t* input, std::int32_t zero_point, const Output& output, std::byte* scratch,
              const Threads& threads) const;
  template <typename Output>
  void RunPlain(const Plain& plain, const std::int8_t* input, std::int32_t zero_point, const Output& output) const;
  Source PadInto(const std::int8_t* input, std::int32_t zero_point, std::byte* scratch, const Threads& threads) const;
  void PadBlock(const std::int8_t* input, std::int32_t zero_point, std::int8_t* padded) const;

  ConvGeometry geometry_;
  std::variant<Plain, Groups, DepthwisePairs, DepthwiseRows> kernel_;

  // Of the kernels that read windows:
  bool copies_ = false;  // Whether the input is copied with its padding.
  std::ptrdiff_t source_width_ = 0;
  std::ptrdiff_t source_height_ = 0;
  std::size_t padded_bytes_ = 0;
  std::size_t kernel_bytes_ = 0;
  Windows windows_;
};

}  // namespace kdequant::w4a8

#endif  // KDEQUANT_RUNTIME_KERNELS_W4A8_CONV_H_
