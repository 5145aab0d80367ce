// kdequant/calibration/statistics.h
// What a network's activations look like over a few pictures.
#ifndef KDEQUANT_CALIBRATION_STATISTICS_H_
#define KDEQUANT_CALIBRATION_STATISTICS_H_

#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kdequant/base/job.h"
#include "kdequant/base/result.h"
#include "kdequant/model/graph.h"
#include "kdequant/vision/image.h"
#include "kdequant/vision/preprocess.h"

namespace kdequant {

/// Smallest and largest element of one value over all pictures, and the largest magnitude in each of them.
struct ValueExtent {
  float low = 0;
  float high = 0;
  std::vector<float> peaks;
};

/// The median of the pictures' peaks (of an even number, the upper of the two in the middle).
float MedianPeak(const ValueExtent& extent);

/// By value id: every float value that a node computes, and the graph's input.
using ValueExtents = std::map<ValueId, ValueExtent>;

/// Widens the extent of a value by what it is for one more picture (`elements` is not empty).
void AddExtent(ValueId id, std::span<const float> elements, ValueExtents& extents);

struct CalibrationStatistics {
  std::size_t pictures = 0;
  ValueExtents extents;
  /// By node index, for Conv and Gemm with weights: see ColumnMeans.
  std::map<std::size_t, std::vector<double>> column_means;
};

/// Runs the float network over pictures, one picture a piece of work.
class StatisticsJob : public Job {
 public:
  /// `graph` must be prepared and outlive the job. Errors: what Session::Create says; kUsage if there is no picture.
  static Result<std::unique_ptr<StatisticsJob>> Create(const Graph& graph, std::span<const Image> pictures,
                                                       const Preprocess& preprocess);
  virtual const CalibrationStatistics& statistics() const = 0;
};

/// The layout of the graph's image input ([1, 3, H, W] or [1, H, W, 3]).
TensorLayout InputLayout(const Graph& graph);

}  // namespace kdequant

#endif  // KDEQUANT_CALIBRATION_STATISTICS_H_
