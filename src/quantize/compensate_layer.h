// One layer's indices chosen by what its output becomes, not by each weight's own error.
#ifndef KDEQUANT_QUANTIZE_COMPENSATE_LAYER_H_
#define KDEQUANT_QUANTIZE_COMPENSATE_LAYER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "kdequant/base/job.h"
#include "kdequant/base/result.h"
#include "kdequant/model/graph.h"

namespace kdequant {

/// The layer's input for each calibration picture, row-major.
struct CalibrationInputs {
  std::size_t pictures = 0;
  std::function<std::span<const float>(std::size_t picture)> in_float;      ///< in the float network
  std::function<std::span<const float>(std::size_t picture)> in_quantized;  ///< in the network quantized so far
};

/// What may be done beyond one pass of compensation.
struct CompensationEffort {
  int fits = 0;  ///< Rounds of fitting scales and levels to the corrected weights (CodebookFit), and compensating anew.
  int sweeps = 0;        ///< Of RefineJob.
  bool answers = false;  ///< Whether its outputs are the network's answers (AnswerRows).
};

/// Gathers the layer's input rows at sampled positions, moves the weights by what quantizing the layers before has done
/// to those (MoveJob; where there are clearly more positions than columns), and chooses the indices by CompensationJob.
/// Levels and scales stay as they are meanwhile unless `effort` asks for more; at the end scales, or the steps of
/// levels where there are none, are multiplied by the channels' gains (Response). Very wide layers go in independent
/// runs of columns (SplitColumns), grouped convolutions group by group. Pieces below 10 milliseconds, but for gathering
/// one picture's rows.
class CompensateLayerJob : public Job {
 public:
  /// `graph`, whose node `node` is the layer with its float weights, must outlive the job, as must what `inputs` gives.
  /// `tensor` is the layer quantized to the nearest levels. Errors: kOutOfMemory, kNotFinite.
  static Result<std::unique_ptr<CompensateLayerJob>> Create(const Graph& graph, const Node& node, CodebookTensor tensor,
                                                            CalibrationInputs inputs, CompensationEffort effort,
                                                            std::uint64_t seed);

  /// "full", or "blocks" where the columns were cut into independent runs.
  virtual std::string_view kind() const = 0;

  /// Valid once Step has returned true; call once.
  virtual CodebookTensor TakeTensor() = 0;
};

/// Expected cost of compensating a layer, in multiply-adds of the Gram matrix's kernel, for a progress bar.
double CompensationCost(const Graph& graph, const Node& node);

}  // namespace kdequant

#endif  // KDEQUANT_QUANTIZE_COMPENSATE_LAYER_H_
