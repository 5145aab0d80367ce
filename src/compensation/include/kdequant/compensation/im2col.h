// kdequant/compensation/im2col.h
// Which inputs of a layer to look at, and those inputs as rows of a matrix.
#ifndef KDEQUANT_COMPENSATION_IM2COL_H_
#define KDEQUANT_COMPENSATION_IM2COL_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kdequant/model/operators.h"

namespace kdequant {

/// How many positions a layer of `columns` input columns should be seen at, over all pictures: 16,384, but 8,192 where
/// there are more than 2,048 columns and each position is dear. Narrow layers need as many as others: with two
/// positions a column the first layers of EfficientNet-Lite0, of 16 and 24 columns, were moved by chance, and the
/// network kept 70 % agreement instead of 92. Our choice, measured; see docs/method.md.
std::size_t PositionsWanted(std::size_t columns);

/// Draws `wanted` positions over all pictures, spread evenly over them: for each picture, ascending positions in
/// [0, positions_per_picture), without repetition. A picture with fewer positions than its share gives all it has. The
/// same positions for the same seed on every build. Position p of a layer is (row p / width, column p % width) of its
/// output.
std::vector<std::vector<std::uint32_t>> SamplePositions(std::size_t positions_per_picture, std::size_t pictures,
                                                        std::size_t wanted, std::uint64_t seed);

/// A run of neighbouring columns of a layer's weight matrix.
struct ColumnRange {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t size() const { return end - begin; }
  friend bool operator==(const ColumnRange&, const ColumnRange&) = default;
};

/// Cuts the columns of a very wide layer (VGG's first fully connected one has 25,088) into nearly equal runs of at most
/// `widest` columns, each a multiple of `multiple` but for the last, so that the taps of one input channel stay
/// together. One run if `columns` is at most `uncut`: the cost grows with the cube of the columns, and so does memory
/// with the square. Compensating each run by itself ignores the correlation between runs.
std::vector<ColumnRange> SplitColumns(std::size_t columns, std::size_t multiple = 1, std::size_t uncut = 4608,
                                      std::size_t widest = 2304);

/// What a convolution sees at a position, laid out as a row of its weight matrix.
struct Im2ColGeometry {
  Window window;                       ///< pads explicit
  std::int64_t channels = 0;           ///< of one picture of the input, over all groups
  std::int64_t height = 0, width = 0;  ///< of the input
  std::int64_t output_width = 0;       ///< to take positions apart
  std::int64_t groups = 1;

  /// The columns of one group: channels / groups * kernel height * kernel width.
  std::size_t Columns() const;
};

/// Gathers, for each position, columns `range` of what `group` of the convolution multiplies with there: in the order
/// of a row of the weights, (channel of the group, kernel row, kernel column), 0 where the window lies over the
/// padding.
///
/// `input` is one picture [channels, height, width]; `rows` is [positions, range]. A fully connected layer needs no
/// gathering: its input is the row.
void Im2ColRows(std::span<const float> input, const Im2ColGeometry& geometry, std::int64_t group, ColumnRange range,
                std::span<const std::uint32_t> positions, std::span<float> rows);

}  // namespace kdequant

#endif  // KDEQUANT_COMPENSATION_IM2COL_H_
