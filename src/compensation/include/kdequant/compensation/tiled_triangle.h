// kdequant/compensation/tiled_triangle.h
// The lower half of a square matrix, in tiles.
#ifndef KDEQUANT_COMPENSATION_TILED_TRIANGLE_H_
#define KDEQUANT_COMPENSATION_TILED_TRIANGLE_H_

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include "kdequant/base/buffer.h"
#include "kdequant/base/result.h"

namespace kdequant {

/// The lower triangle of an order x order matrix, cut into 64 x 64 tiles that each lie together in memory (row-major;
/// the tiles on the diagonal have both halves). Rows and columns beyond `order` pad the last tiles.
///
/// Why tiles: a layer of 4,608 columns has a Gram matrix of 170 MB, of which half is the mirror of the other; a tile is
/// 16 KB in float32, so that an update of one by two others stays in the first-level cache, and it is a natural step of
/// a job that must not work longer than a few milliseconds at a time.
template <typename T>
class TiledTriangle {
 public:
  static constexpr std::size_t kTile = 64;
  static constexpr std::size_t kTileSize = kTile * kTile;

  TiledTriangle() = default;

  /// All zeros. Errors: kOutOfMemory.
  static Result<TiledTriangle> Create(std::size_t order) {
    TiledTriangle triangle;
    triangle.order_ = order;
    triangle.tile_rows_ = (order + kTile - 1) / kTile;
    const std::size_t size = triangle.tile_rows_ * (triangle.tile_rows_ + 1) / 2 * kTileSize;
    triangle.values_ = Buffer<T>(size);
    if (triangle.values_.size() != size) {
      return Fail(ErrorCode::kOutOfMemory, "no memory for a matrix of " + std::to_string(order) +
                                               " columns; switch compensation off for this layer or exclude it");
    }
    std::ranges::fill(triangle.values_.span(), T{0});
    return triangle;
  }

  std::size_t order() const { return order_; }
  std::size_t tile_rows() const { return tile_rows_; }

  /// Tile in tile row i, tile column j <= i: kTile rows of kTile values.
  T* tile(std::size_t i, std::size_t j) { return values_.data() + (i * (i + 1) / 2 + j) * kTileSize; }
  const T* tile(std::size_t i, std::size_t j) const { return values_.data() + (i * (i + 1) / 2 + j) * kTileSize; }

  /// Element (i, j) of the triangle, j <= i.
  T& At(std::size_t i, std::size_t j) { return tile(i / kTile, j / kTile)[i % kTile * kTile + j % kTile]; }
  T At(std::size_t i, std::size_t j) const { return tile(i / kTile, j / kTile)[i % kTile * kTile + j % kTile]; }

  /// Element (i, j) of the symmetric matrix that the triangle stands for.
  T Symmetric(std::size_t i, std::size_t j) const { return At(std::max(i, j), std::min(i, j)); }

 private:
  std::size_t order_ = 0;
  std::size_t tile_rows_ = 0;
  Buffer<T> values_;
};

}  // namespace kdequant

#endif  // KDEQUANT_COMPENSATION_TILED_TRIANGLE_H_
