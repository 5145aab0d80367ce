// kernels/w4a8_dense.h
// Sums of products of quantized weights with windows of a byte image: the kernel behind dense and grouped convolutions
// and fully connected layers.
//
// A tile is 4 output pixels x 8 output channels: eight accumulators of four channels each, which is what leaves
// browsers enough of their 15 vector registers. Weights stay packed; a panel of 8 channels is decoded into scratch and
// passes over many pixels.
//
// Three instructions can multiply, and all give the same sums:
// - pairs of 16-bit integers, everywhere, of an image that was widened once for all channels. 3x3 windows side by side
//   take fewer products yet (kernels/w4a8_winograd.h);
// - the relaxed dot product (kernels/relaxed.h) added to 32 bits in one instruction: twice as fast where the processor
//   has that instruction too (AVX-VNNI, ARM's dot product). Its second factor is in 0..127, and activations use all 8
//   bits, so it is the weights, whose codes lie within +-63: with code + 64 for a weight, sum(x code) =
//   sum(x (code + 64)) - 64 sum(x), and the last sum is one for all channels of a pixel;
// - the relaxed dot product to 16 bits, and one multiplication with ones. Processors that want this (x86 without VNNI)
//   read the second factor as 0..255, so it is the activations, plus 128: sum((x + 128) code) = sum(x code) +
//   128 sum(code), and the last sum is a constant of the channel. Two steps share the multiplication with ones wherever
//   their sum in 16 bits cannot overflow, which is almost everywhere.
#ifndef KDEQUANT_RUNTIME_KERNELS_W4A8_DENSE_H_
#define KDEQUANT_RUNTIME_KERNELS_W4A8_DENSE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kdequant/base/parallel.h"
#include "kernels/w4a8_output.h"
#include "kernels/w4a8_pack.h"

namespace kdequant::w4a8 {

enum class Arithmetic {
  kPlain,         ///< Loops, the reference.
  kPairs,         ///< 16-bit pairs.
  kRelaxedAdd,    ///< Relaxed dot product with addition.
  kRelaxedPairs,  ///< Relaxed dot product in 16 bits, of unsigned activations.
};

/// Which arithmetic is the fastest here, told by what the relaxed instructions answer to known products; kPairs where
/// that is something unknown, or the build has none.
Arithmetic FastestArithmetic();

/// Where the windows of one group's output pixels lie, in bytes.
struct Windows {
  std::ptrdiff_t blocks = 0;          ///< Of four channels, in a window.
  std::ptrdiff_t pixels = 0;          ///< Of the output.
  std::ptrdiff_t width = 0;           ///< Of the output.
  bool is_plain_3x3 = false;          ///< 3 x 3 taps, no stride, no dilation.
  std::vector<std::int32_t> origins;  ///< Of each output pixel's window in a block; rounded up to a multiple of 4.
  std::vector<std::int32_t> taps;     ///< From an origin to each tap.
};

/// Whether the windows of four pixels lie side by side, without a stride.
inline bool AreSideBySide(const std::int32_t* origins) {
  return origins[1] - origins[0] == 4 && origins[2] - origins[1] == 4 && origins[3] - origins[2] == 4;
}

/// A group's first block and the bytes from one block to the next.
struct Source {
  const std::int8_t* pixels = nullptr;
  std::ptrdiff_t block_stride = 0;
};

/// One group's weights.
class Dense {
 public:
  /// Packs rows [first, first + count) of `weights`, whose depth is channel-major: [channels][taps]. Errors:
  /// kOutOfMemory.
  static Result<Dense> Create(const IntegerWeights& weights, std::size_t first, std::size_t count,
                              std::ptrdiff_t channels, std::ptrdiff_t taps, Arithmetic arithmetic);

  std::size_t WeightBytes() const { return weights_.data.size(); }
  /// `source_stride`: the source's block stride.
  std::size_t ScratchBytes(const Windows& windows, std::ptrdiff_t source_stride, int threads) const;

  /// Writes channels [channel, channel + rows) of the output; `block_stride` is the output's. `channel` is a multiple
  /// of four. `scratch` is aligned to 16 bytes and has room for `threads`.
  void Run(const Source& source, const Windows& windows, std::ptrdiff_t channel, std::ptrdiff_t block_stride,
           const ByteOutput& output, std::byte* scratch, const Threads& threads) const;
  void Run(const Source& source, const Windows& windows, std::ptrdiff_t channel, std::ptrdiff_t block_stride,
           const FloatOutput& output, std::byte* scratch, const Threads& threads) const;

 private:
  template <typename Output>
  void RunAny(const Source& source, const Windows& windows, std::ptrdiff_t channel, std::ptrdiff_t block_stride,
              const Output& output, std::byte* scratch, const Threads& threads) const;
  std::size_t PanelsAtOnce(const Windows& windows) const;
  bool UsesWinograd(const Windows& windows) const;
  std::size_t RearrangedBytes(const Windows& windows, std::ptrdiff_t source_stride) const;
  void FindTwins();

  PackedWeights weights_;
  Arithmetic arithmetic_ = Arithmetic::kPairs;
  // Of kRelaxedPairs:
  std::vector<bool> twins_;           // [panel][step / 2]: whether that step and the next may be summed in 16 bits.
  std::vector<std::int32_t> raises_;  // [panels * 8]: what 128 more in every byte of the image add to a row's sums.
};

}  // namespace kdequant::w4a8

#endif  // KDEQUANT_RUNTIME_KERNELS_W4A8_DENSE_H_
