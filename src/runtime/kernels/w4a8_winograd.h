// kernels/w4a8_winograd.h
// 3x3 convolutions with stride 1 by Winograd's minimal filtering F(2x2, 3x3) (Lavin and Gray, "Fast Algorithms for
// Convolutional Neural Networks", 2016), in integers and without rounding.
//
// A tile of 2 x 2 output pixels reads 4 x 4 of the input: 16 products a pair of channels instead of 36. With
//
//         | 1  0 -1  0 |          | 2  0  0 |
//   B^T = | 0  1  1  0 |   2 G =  | 1  1  1 |   A^T = | 1  1  1  0 |
//         | 0 -1  1  0 |          | 1 -1  1 |         | 0  1 -1 -1 |
//         | 0  1  0 -1 |          | 0  0  2 |
//
// the sums of tile d and filter g are A^T [(2G g 2G^T) * (B^T d B)] A, which is four times the convolution: exactly, as
// everything is a whole number. Transformed bytes lie within +-512 and transformed codes within +-1143: factors of the
// product of 16-bit pairs. What overflows on the way overflows modulo 2^32, and four times the sum does not.
//
// Weights stay packed in 4 bits; a panel's (8 output channels) is decoded and transformed when it is needed.
#ifndef KDEQUANT_RUNTIME_KERNELS_W4A8_WINOGRAD_H_
#define KDEQUANT_RUNTIME_KERNELS_W4A8_WINOGRAD_H_

#include <cstddef>

#include "kernels/w4a8_dense.h"

namespace kdequant::w4a8 {

/// Whether the filter is 3 x 3 with stride 1, and so many products are saved that the transforms pay. Not where four
/// products of bytes are one instruction (Arithmetic::kRelaxedAdd).
bool WinogradPays(const Windows& windows, std::size_t rows);

/// How the loops are cut, and what they need.
struct WinogradPlan {
  /// `rows`: output channels.
  WinogradPlan(const Windows& windows, std::size_t rows);

  std::ptrdiff_t tiles_wide;
  std::ptrdiff_t tiles_high;
  std::ptrdiff_t pairs;       ///< Of input channels.
  std::ptrdiff_t panels;      ///< Of 8 output channels.
  bool keeps_filters;         ///< All transformed filters are in scratch at once; else one panel's at a time.
  std::ptrdiff_t band_rows;   ///< Rows of tiles that are transformed at once.
  std::ptrdiff_t band_quads;  ///< Groups of four tiles in them.

  std::size_t PanelBytes() const;   ///< Of transformed filters.
  std::size_t TileBytes() const;    ///< Of a band's transformed tiles.
  std::size_t ThreadBytes() const;  ///< Of one thread's sums.
  std::size_t ScratchBytes(int threads) const;
};

/// As Dense::Run. The source must be readable for one row and 16 bytes beyond its end.
void RunWinograd(const Source& source, const Windows& windows, const PackedWeights& weights, std::ptrdiff_t channel,
                 std::ptrdiff_t block_stride, const ByteOutput& output, std::byte* scratch, const Threads& threads);
void RunWinograd(const Source& source, const Windows& windows, const PackedWeights& weights, std::ptrdiff_t channel,
                 std::ptrdiff_t block_stride, const FloatOutput& output, std::byte* scratch, const Threads& threads);

}  // namespace kdequant::w4a8

#endif  // KDEQUANT_RUNTIME_KERNELS_W4A8_WINOGRAD_H_
