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
// tiles is transformed; then every panel is multiplied with it, position by position, and transformed back. Threads
// share out the bands where all transformed filters are kept, and else the panels of each band.
#ifndef KDEQUANT_RUNTIME_KERNELS_WINOGRAD_PLAN_H_
#define KDEQUANT_RUNTIME_KERNELS_WINOGRAD_PLAN_H_

#include <cstddef>

#include "kdequant/base/parallel.h"

namespace kdequant::runtime {

inline constexpr std::ptrdiff_t kWinogradPositions = 16;             ///< Of a transformed tile.
inline constexpr std::ptrdiff_t kQuadSums = kWinogradPositions * 8;  ///< Vectors: four tiles x 8 channels.

struct WinogradPlan {
  /// Of the output in pixels, the input in blocks of four channels, the output in channels; depths of a block: 4 of
  /// floats, 2 pairs of 16-bit integers; the most threads that compute it.
  WinogradPlan(std::ptrdiff_t width, std::ptrdiff_t height, std::ptrdiff_t blocks, std::ptrdiff_t rows,
               std::ptrdiff_t block_depths, int threads);

  /// Whether so many products are saved that the transforms pay.
  static bool Pays(std::ptrdiff_t width, std::ptrdiff_t height, std::ptrdiff_t blocks, std::ptrdiff_t rows);

  std::ptrdiff_t tiles_wide;
  std::ptrdiff_t tiles_high;
  std::ptrdiff_t panels;
  std::ptrdiff_t depths;    ///< Of a position: 32-bit lanes.
  std::size_t panel_bytes;  ///< Of a panel's transformed filters.
  bool keeps_filters;       ///< All transformed filters are in scratch at once; else one panel's a thread.
  std::ptrdiff_t bands;
  std::ptrdiff_t band_quads;  ///< Quads in the largest band.
  std::size_t tile_bytes;     ///< Of a band's transformed tiles.
  std::size_t sum_bytes;      ///< Of a band's sums: the positions' (kQuadSums a quad), then four channels of pixels.

  /// Rows of tiles.
  Stretch RowsOfBand(std::ptrdiff_t band) const { return {tiles_high * band / bands, tiles_high * (band + 1) / bands}; }

  /// Filters, then the tiles of one band or of a band a thread, then each thread's sums.
  std::size_t ScratchBytes() const;
  std::ptrdiff_t FiltersAt(std::ptrdiff_t panel, int thread) const;
  std::ptrdiff_t TilesAt(int thread) const;
  std::ptrdiff_t SumsAt(int thread) const;

  static std::ptrdiff_t Quads(std::ptrdiff_t tiles) { return (tiles + 3) / 4; }

 private:
  std::size_t FilterBytes() const;
  std::size_t AllTileBytes() const;

  int threads_;
};

}  // namespace kdequant::runtime

#endif  // KDEQUANT_RUNTIME_KERNELS_WINOGRAD_PLAN_H_
