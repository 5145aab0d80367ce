// kdequant/compensation/asymmetric.h
// Weights that make up for what quantizing the layers before them has done to their input.
#ifndef KDEQUANT_COMPENSATION_ASYMMETRIC_H_
#define KDEQUANT_COMPENSATION_ASYMMETRIC_H_

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "kdequant/base/buffer.h"
#include "kdequant/base/job.h"
#include "kdequant/base/result.h"
#include "kdequant/compensation/factor.h"
#include "kdequant/compensation/im2col.h"

namespace kdequant {

/// V = sum over positions of (W (x - xq)) xq^T, [channels, columns]: how the error of a layer's output goes together
/// with the inputs that could repair it.
///
/// GPTAQ asks for W C with C = sum (x - xq) xq^T. Multiplying by W first gives the same matrix without C, which is as
/// large as the Gram matrix, and takes 4 channels / (2 columns) of the operations: a third for a 3 x 3 convolution with
/// as many channels out as in. float32, in a fixed order.
struct OutputError {
  std::size_t channels = 0;
  std::size_t columns = 0;
  Buffer<float> values;                  ///< [strips of 32 channels][columns padded to 64][32]
  std::vector<double> difference_means;  ///< E[x - xq] by column, for the bias: W E[x] - Q E[xq]
};

/// Adds up an OutputError. Use as GramAccumulator: Add up to Room() rows, Fold until true when it is full, and at the
/// end.
class OutputErrorAccumulator {
 public:
  /// Rows a block holds.
  static constexpr std::size_t kBlock = 64;

  OutputErrorAccumulator() = default;

  /// `weights` is [channels, row_columns], of which the columns `range` are meant. Errors: kOutOfMemory.
  static Result<OutputErrorAccumulator> Create(std::span<const float> weights, std::size_t channels,
                                               std::size_t row_columns, ColumnRange range);

  std::size_t Room() const { return folding_ ? 0 : kBlock - filled_; }

  /// Rows of the layer's input in the float network and in the network quantized so far, at the same positions: [n,
  /// columns].
  void Add(std::span<const float> rows, std::span<const float> quantized_rows);

  /// Adds the collected rows to the sums, for about `budget_ms` milliseconds (at least a piece, below 5 ms). True when
  /// none is left.
  bool Fold(double budget_ms);

  /// Call once, with everything folded.
  OutputError Take();

 private:
  std::size_t columns_ = 0, channels_ = 0, padded_ = 0, strips_ = 0;
  std::size_t positions_ = 0, filled_ = 0, strip_ = 0;
  bool folding_ = false;
  Buffer<float> weights_;                  // [strips][padded][kStrip]: transposed
  Buffer<float> differences_, quantized_;  // [kBlock][padded]
  OutputError error_;
};

/// Moves the weights: W + V (H + d I)^-1, H the Gram matrix of the quantized rows over the same positions as V. The
/// result is what to compensate instead of W (whose factor has its own, smaller damping). Source: Li et al. (2025),
/// "GPTAQ: Efficient finetuning-free quantization for asymmetric calibration"; doing it as a move of its own before
/// compensating, with kMoveDamping, is our choice.
class MoveJob : public Job {
 public:
  /// What FactorOptions::damping should be for the factor given here.
  static constexpr double kMoveDamping = 0.1;

  /// `weights` is [channels, row_columns]; `factor` and `error` are of the columns `range`. All must outlive the job's
  /// last step. Errors: kInternal (sizes that contradict each other), kOutOfMemory.
  static Result<std::unique_ptr<MoveJob>> Create(const Factor& factor, const OutputError& error,
                                                 std::span<const float> weights, std::size_t row_columns,
                                                 ColumnRange range);

  /// [channels, columns of the range]. Valid once Step has returned true; call once.
  virtual std::vector<float> TakeWeights() = 0;
};

}  // namespace kdequant

#endif  // KDEQUANT_COMPENSATION_ASYMMETRIC_H_
