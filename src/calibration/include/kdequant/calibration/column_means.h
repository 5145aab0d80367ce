// kdequant/calibration/column_means.h
// The mean input of every weight of a layer.
#ifndef KDEQUANT_CALIBRATION_COLUMN_MEANS_H_
#define KDEQUANT_CALIBRATION_COLUMN_MEANS_H_

#include <cstddef>
#include <span>
#include <vector>

#include "kdequant/model/graph.h"

namespace kdequant {

/// E[x] of every input column of a Conv or Gemm with weights, over all output positions of all pictures (padding counts
/// as zero). Columns are in the order of a row of the weight matrix: (C / groups) kh kw for each group after the other.
class ColumnMeans {
 public:
  /// `graph` must be prepared and outlive the object.
  ColumnMeans(const Graph& graph, const Node& node);

  /// The layer's input of one picture, row-major.
  void Add(std::span<const float> input);

  /// groups * K means; zeros if nothing was added.
  std::vector<double> Means() const;

 private:
  const Graph* graph_;
  const Node* node_;
  std::size_t positions_ = 0;
  std::vector<double> sums_;
};

/// Adds to `sums` (groups * K values) every element of `input` [C, H, W] that each column of the convolution's im2col
/// matrix holds, over all output positions; padding counts as zero.
void AddColumnSums(std::span<const float> input, const Shape& input_shape, const Conv& conv, const Shape& weight_shape,
                   const Shape& output_shape, std::span<double> sums);

}  // namespace kdequant

#endif  // KDEQUANT_CALIBRATION_COLUMN_MEANS_H_
