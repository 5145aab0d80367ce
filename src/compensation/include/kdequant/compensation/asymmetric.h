// kdequant/compensation/asymmetric.h
// Weights that make up for what quantizing the layers before them has done to their input.
#ifndef KDEQUANT_COMPENSATION_ASYMMETRIC_H_
#define KDEQUANT_COMPENSATION_ASYMMETRIC_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "kdequant/base/buffer.h"
#include "kdequant/base/job.h"
#include "kdequant/base/result.h"
#include "kdequant/compensation/factor.h"
#include "kdequant/compensation/im2col.h"

namespace kdequant {

/// V = sum over positions of (W (x - xq)) xq^T, [channels, columns]: how the error of a layer's output goes together
/// with the inputs that could repair it.
struct OutputError {
  std::size_t channels = 0;
  std::size_t columns = 0;
  Buffer<float> values;  ///< [strips of 32 channels][columns padded to 64][32]
};

/// Adds up an OutputError. Use as GramAccumulator: Add up to Room() rows, Fold until true when it is full, and at the
/// end; then Finish until true.
///
/// GPTAQ asks for W C with C = sum (x - xq) xq^T, which takes columns^2 operations a position. Multiplying by W first
/// gives the same with 2 channels columns: a quarter for a 3 x 3 convolution with as many channels out as in. So the
/// one or the other, by which is less. Rows are rounded to 12 bits and multiplied as GramAccumulator does, blocks are
/// added in float32 and in their order: the same on every build.
class OutputErrorAccumulator {
 public:
  /// Rows a block holds.
  static constexpr std::size_t kBlock = 512;

  OutputErrorAccumulator() = default;

  /// `weights` is [channels, row_columns], of which the columns `range` are meant. Errors: kOutOfMemory.
  static Result<OutputErrorAccumulator> Create(std::span<const float> weights, std::size_t channels,
                                               std::size_t row_columns, ColumnRange range);

  std::size_t Room() const { return folding_ ? 0 : kBlock - filled_; }

  /// Rows of the layer's input in the float network and in the network quantized so far, at the same positions: [n,
  /// columns].
  void Add(std::span<const float> rows, std::span<const float> quantized_rows);

  /// Adds the collected rows to the sums, for about `budget_ms` milliseconds (at least a piece, below 10 ms). True when
  /// none is left.
  bool Fold(double budget_ms);

  /// Makes the error of the sums, with everything folded and for about `budget_ms` milliseconds. True when it is done.
  bool Finish(double budget_ms);

  /// Call once, when finished.
  OutputError Take() { return std::move(error_); }

 private:
  std::size_t StripSize() const { return padded_ * 32; }
  std::size_t Chunks() const { return (columns_ + kBlock - 1) / kBlock; }
  std::size_t ChunkDepth(std::size_t chunk) const { return std::min(kBlock, columns_ - chunk * kBlock); }
  void PackBlock();
  void AddInputPanel(std::size_t panel);
  void AddStrip(std::size_t strip);

  std::size_t columns_ = 0, padded_ = 0, strips_ = 0;
  bool through_inputs_ = false;  // C first, then W C; else W (x - xq) first
  std::size_t filled_ = 0;
  bool folding_ = false;
  std::size_t piece_ = 0;                  // a panel of columns or a strip of channels; then a tile
  Buffer<float> differences_, quantized_;  // [kBlock][columns]
  // Of the block: panels (integer_panels.h). Differences as the quantized inputs, or cut into chunks of columns whose
  // lines are positions.
  Buffer<std::int16_t> packed_quantized_, packed_differences_;
  std::vector<float> quantized_units_, difference_units_;
  // Through the inputs: the weights [strips][padded][32], and C^T [padded][padded].
  Buffer<float> weights_, products_;
  // Through the outputs: the weights in chunks of columns, and the outputs of one strip, [kBlock][32].
  Buffer<std::int16_t> packed_weights_, packed_outputs_;
  std::vector<float> weight_units_;
  Buffer<float> outputs_;
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
