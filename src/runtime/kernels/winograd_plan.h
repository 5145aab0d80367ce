// kernels/winograd_plan.h
// How 3x3 convolutions with stride 1 are computed by Winograd's minimal filtering F(2x2, 3x3) (Lavin and Gray, "Fast
// Algorithms for Convolutional Neural Networks", 2016), and how their loops are cut.
//
// A tile of 2 x 2 output pixels reads 4 x 4 of the input: 16 products a pair of channels instead of 36. With
//
//         | 1  0 -1  0 |          | 2  0  0 |
//   B^T = | 0  1  1  0 |   2 G =  | 1  1  1 |   A^T = | 1  1  1  0 |
//         | 0 -1  1  0 |          | 1 -1  1 |         | 0  1 -1 -1 |
//         | 0  1  0 -1 |          | 0  0  2 |
//
// the sums of tile d and filter g are A^T [(2G g 2G^T) * (B^T d B)] A / 4.
//
// Tiles are counted row by row and go together by four (a quad), output channels by eight (a panel). A band of rows of
// tiles is transformed; then every panel is multiplied with it, position by position, and transformed back.
#ifndef KDEQUANT_RUNTIME_KERNELS_WINOGRAD_PLAN_H_
#define KDEQUANT_RUNTIME_KERNELS_WINOGRAD_PLAN_H_

#include <cstddef>

namespace kdequant::runtime {

inline constexpr std::ptrdiff_t kWinogradPositions = 16;             ///< Of a transformed tile.
inline constexpr std::ptrdiff_t kQuadSums = kWinogradPositions * 8;  ///< Vectors: four tiles x 8 channels.

struct WinogradPlan {
  /// Of the output in pixels, the input in blocks of four channels, the output in channels; depths of a block: 4 of
  /// floats, 2 pairs of 16-bit integers.
  WinogradPlan(std::ptrdiff_t width, std::ptrdiff_t height, std::ptrdiff_t blocks, std::ptrdiff_t rows,
               std::ptrdiff_t block_depths);

  /// Whether so many products are saved that the transforms pay.
  static bool Pays(std::ptrdiff_t width, std::ptrdiff_t height, std::ptrdiff_t blocks, std::ptrdiff_t rows);

  std::ptrdiff_t tiles_wide;
  std::ptrdiff_t tiles_high;
  std::ptrdiff_t panels;
  std::ptrdiff_t depths;      ///< Of a position: 32-bit lanes.
  std::size_t panel_bytes;    ///< Of a panel's transformed filters.
  bool keeps_filters;         ///< All transformed filters are in scratch at once; else one panel's a thread.
  std::ptrdiff_t band_rows;   ///< Rows of tiles in a band.
  std::ptrdiff_t band_quads;  ///< Quads in a band.
  std::size_t tile_bytes;     ///< Of a band's transformed tiles.
  std::size_t thread_bytes;  ///< Of one thread's sums: the positions' (kQuadSums a quad), then four channels of pixels.

  /// Filters, then tiles, then each thread's sums.
  std::size_t FilterBytes(int threads) const;
  std::size_t ScratchBytes(int threads) const;

  static std::ptrdiff_t Quads(std::ptrdiff_t tiles) { return (tiles + 3) / 4; }
};

}  // namespace kdequant::runtime

#endif  // KDEQUANT_RUNTIME_KERNELS_WINOGRAD_PLAN_H_
