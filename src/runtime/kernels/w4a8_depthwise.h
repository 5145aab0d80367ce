// kernels/w4a8_depthwise.h
// Depthwise convolutions of byte images: every channel by itself, four at a time.
#ifndef KDEQUANT_RUNTIME_KERNELS_W4A8_DEPTHWISE_H_
#define KDEQUANT_RUNTIME_KERNELS_W4A8_DEPTHWISE_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/conv_f32.h"
#include "kernels/w4a8_dense.h"

namespace kdequant::w4a8 {

using runtime::ConvGeometry;
using runtime::Image;

/// Any window, with 16-bit pairs of taps: for the geometries that DepthwiseRows does not know.
class DepthwisePairs {
 public:
  /// `weights`: [C, 1, kh, kw]. Errors: kOutOfMemory.
  static Result<DepthwisePairs> Create(const IntegerWeights& weights, std::ptrdiff_t channels, std::ptrdiff_t taps);
  std::size_t WeightBytes() const { return weights_.size() * sizeof(std::int16_t); }

  template <typename Output>
  void Run(const Source& source, const Windows& windows, const Image& image, const Output& output,
           const Threads& threads) const;

 private:
  template <typename Output>
  void RunBlock(const Source& source, const Windows& windows, const Image& image, const Output& output,
                std::ptrdiff_t block) const;

  Buffer<std::int16_t> weights_;  // [C / 4][pairs of taps][4 channels][2 taps]
};

/// Products with a column of the kernel at once.
///
/// Input rows are interleaved to lines, so that a vector holds one column of four channels; a dot product of it with a
/// column of the kernel is that column's part of an output. Lines are of two rows in 16 bits; or, for the relaxed dot
/// product with addition, of four rows in bytes, which must be in 0..127 then. Where neither rows nor columns are
/// skipped, two output rows share what was interleaved, the second with its kernel a row lower.
class DepthwiseRows {
 public:
  /// Whether the geometry is one of those: no dilation, no cropping.
  static bool Supports(const ConvGeometry& geometry);
  /// `seven_bits`: input bytes are in 0..127.
  static Result<DepthwiseRows> Create(const ConvGeometry& geometry, const IntegerWeights& weights, bool seven_bits,
                                      Arithmetic arithmetic);
  std::size_t WeightBytes() const { return weights_.size(); }
  std::size_t ScratchBytes(int threads) const { return static_cast<std::size_t>(threads) * LineBytes(); }

  /// `input` is the image itself; padding is the zero point.
  template <typename Output>
  void Run(const std::int8_t* input, std::int32_t zero_point, const Output& output, std::byte* scratch,
           const Threads& threads) const;

 private:
  struct Lines;
  template <typename A, int Rows, int Stride, typename Output>
  void RunRow(const Lines& lines, const Output& output, std::ptrdiff_t block, std::ptrdiff_t oy) const;
  template <typename A, typename Output>
  void RunWith(const std::int8_t* input, std::int32_t zero_point, const Output& output, std::byte* scratch,
               const Threads& threads) const;
  template <typename A, typename Output>
  void RunBlock(Lines& lines, const std::int8_t* input, const Output& output, std::ptrdiff_t block) const;
  std::size_t LineBytes() const;

  ConvGeometry geometry_;
  bool four_rows_ = false;         // A line holds, in bytes; else two in 16 bits.
  std::ptrdiff_t rows_ = 1;        // Output rows at once.
  std::ptrdiff_t lines_ = 1;       // Of input rows, for them.
  std::ptrdiff_t line_width_ = 0;  // Columns of a line: the padded input's, and what the last tile reads behind it.
  Buffer<std::int8_t> weights_;    // [C / 4][line][column][output row][4 channels][rows of a line], 16 bytes
};

}  // namespace kdequant::w4a8

#endif  // KDEQUANT_RUNTIME_KERNELS_W4A8_DEPTHWISE_H_
