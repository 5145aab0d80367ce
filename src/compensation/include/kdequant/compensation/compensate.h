// kdequant/compensation/compensate.h
// Which level each weight becomes when later weights make up for the errors of earlier ones.
#ifndef KDEQUANT_COMPENSATION_COMPENSATE_H_
#define KDEQUANT_COMPENSATION_COMPENSATE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kdequant/base/job.h"
#include "kdequant/base/result.h"
#include "kdequant/compensation/factor.h"
#include "kdequant/compensation/im2col.h"

namespace kdequant {

/// The weights of a layer (or of one group of it) and the levels they may take.
struct CompensationInput {
  /// [channels, row_columns], row-major; `range` says which columns the factor is of (all, but for very wide layers).
  std::span<const float> weights;
  std::size_t channels = 0;
  std::size_t row_columns = 0;
  ColumnRange range;
  /// [channels], or empty where every scale is 1.
  std::span<const float> scales;
  /// [tables][levels_per_table], ascending within a table, in units of the scale.
  std::span<const float> levels;
  std::size_t levels_per_table = 16;  ///< 2 to 256
  /// [channels]: the table of each. Empty: there is one table, or one per channel.
  std::span<const std::uint8_t> table_of = {};
  /// Whether to find out which scales and levels would suit the corrected weights better.
  bool fit = false;

  /// Where a channel's table begins in `levels`.
  std::size_t LevelsOf(std::size_t channel) const {
    if (!table_of.empty()) return table_of[channel] * levels_per_table;
    return levels.size() == levels_per_table ? 0 : channel * levels_per_table;
  }
  std::span<const float> TableOf(std::size_t channel) const {
    return levels.subspan(LevelsOf(channel), levels_per_table);
  }
};

/// What would make sum over k of D_k (target_k - q_k)^2, which `loss` is, smaller if every corrected weight target_k
/// kept its level: one step of Lloyd and Max, weighted by the pivots D_k, first of the scales, then of the levels. The
/// targets will move with the levels, so this is a step towards better ones, not a promise.
struct CodebookFit {
  std::vector<float> scale_factors;  ///< [channels], to multiply the scales with; 1 where there are no scales
  std::vector<double> level_shifts;  ///< [tables][levels_per_table], to add to the levels
};

struct CompensationResult {
  /// [channels, columns of the range]: weight (o, k) becomes scales[o] * levels[o][index].
  std::vector<std::uint8_t> indices;
  /// sum over channels of (w - q) (H + d I) (w - q)^T, H the Gram sums and d the factor's damping.
  double loss = 0;
  /// Channels for which rounding each weight to its nearest level was better, and was taken. Possible: a correction can
  /// push weights beyond the outermost level.
  std::size_t nearest_channels = 0;
  CodebookFit fit;  ///< Empty unless CompensationInput::fit.
};

/// Chooses the indices column after column in the factor's order: each weight is first corrected by the errors of the
/// columns before it, target_k = w_k + sum over i < k of (w_i - q_i) M_ik, then goes to the nearest level (on a
/// midpoint to the lower one, as plain rounding does). Sources: see Factor.
///
/// Never worse than nearest rounding, channel by channel, in the metric of `loss`.
/// Cost: channels * columns^2 multiplications and additions, and up to as much again to prove the promise; it stops as
/// soon as the loss of nearest rounding, which is added up column by column, exceeds the other. Pieces below 5
/// milliseconds.
class CompensationJob : public Job {
 public:
  /// `factor` and the spans must outlive the job's last step. Errors: kInternal (sizes that contradict each other).
  static Result<std::unique_ptr<CompensationJob>> Create(const Factor& factor, const CompensationInput& input);

  /// Valid once Step has returned true; call once.
  virtual CompensationResult TakeResult() = 0;
};

}  // namespace kdequant

#endif  // KDEQUANT_COMPENSATION_COMPENSATE_H_
