// kdequant/compensation/gram.h
// How a layer's inputs go together: the sum of x x^T.
#ifndef KDEQUANT_COMPENSATION_GRAM_H_
#define KDEQUANT_COMPENSATION_GRAM_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kdequant/base/buffer.h"
#include "kdequant/base/job.h"
#include "kdequant/base/result.h"
#include "kdequant/compensation/tiled_triangle.h"

namespace kdequant {

/// Sums over the rows x that a GramAccumulator was given (not divided by their number: nothing that uses them cares).
struct Gram {
  std::size_t columns = 0;
  std::size_t positions = 0;       ///< rows
  TiledTriangle<double> products;  ///< sum x_i x_j, for j <= i
};

/// The mean of the diagonal, zeros left out: what damping is in units of. 1 if nothing is left; not a number if one of
/// them is not.
double MeanEnergy(const Gram& gram);

/// Adds up the Gram matrix of a layer's input rows.
///
/// The sums are exact integers, so they are the same on every build in whatever order: rows are collected in blocks of
/// 512, each column of a block is rounded to 12 bits (-2047..2047 times a power of two, from the column's own largest
/// value in that block), and the products are added in 32 bits with the i16 dot product, eight of them an instruction.
/// That is four times as fast as float64, whose sums would have to be kept in order too. Rounding is noise of about a
/// millionth of a column's energy, where the damping that follows is a hundredth.
///
/// Use: while there are rows, Add up to Room() of them; when Room() is 0, and at the end, Fold until it returns true.
/// Fold only full blocks before the end, so that the blocks do not depend on timing.
class GramAccumulator {
 public:
  /// Rows a block holds.
  static constexpr std::size_t kBlock = 512;

  GramAccumulator() = default;

  /// Errors: kOutOfMemory. Memory: 4 columns^2 bytes for the sums, 3 KB a column for the block.
  static Result<GramAccumulator> Create(std::size_t columns);

  /// How many rows Add takes before the block must be folded.
  std::size_t Room() const { return folding_ ? 0 : kBlock - filled_; }

  /// `rows` is [n, columns], n at most Room(), all finite.
  void Add(std::span<const float> rows);

  /// Adds the collected rows to the sums, for about `budget_ms` milliseconds (at least a piece, below 10 ms). True when
  /// none is left.
  bool Fold(double budget_ms);

  /// The share of the current block that Fold has done, 0 to 1.
  double FoldProgress() const;

  /// The sums; call once, with everything folded.
  Gram Take() { return std::move(gram_); }

 private:
  void PackBlock();
  void AddTile(std::size_t i, std::size_t j);

  Gram gram_;
  Buffer<float> rows_;           // [kBlock, columns]
  Buffer<std::int16_t> packed_;  // panels, see integer_panels.h
  std::vector<double> steps_;    // what one unit of a packed column stands for
  std::size_t filled_ = 0;
  bool folding_ = false;
  std::size_t tile_i_ = 0, tile_j_ = 0;
};

}  // namespace kdequant

#endif  // KDEQUANT_COMPENSATION_GRAM_H_
