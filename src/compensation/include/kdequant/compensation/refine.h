// kdequant/compensation/refine.h
// Indices made better one weight at a time, where compensation in one pass has left something to gain.
#ifndef KDEQUANT_COMPENSATION_REFINE_H_
#define KDEQUANT_COMPENSATION_REFINE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kdequant/base/job.h"
#include "kdequant/base/result.h"
#include "kdequant/compensation/compensate.h"
#include "kdequant/compensation/gram.h"

namespace kdequant {

struct RefineOptions {
  double damping = 0.01;  ///< As FactorOptions::damping.
  int sweeps = 2;         ///< Over all columns, at most; a sweep that changes nothing is the last.
};

struct RefineResult {
  std::vector<std::uint8_t> indices;  ///< As CompensationResult::indices.
  std::size_t changed = 0;            ///< Moves of a weight to another level.
};

/// Coordinate descent on sum over channels of (w - q) (H + d I) (w - q)^T: every weight in turn goes to the level that
/// is best while all others stay where they are, the one nearest to q_k + ((w - q)(H + d I))_k / (H + d I)_kk.
///
/// No move makes the sum larger, so the result is at least as good as what it starts from. Compensation decides for
/// each column before it knows what the later ones become; this pass does know. A sweep costs channels * columns^2
/// multiplications and additions. Pieces below 5 milliseconds. Source: Nair and Suggala (2024), "CDQuant".
class RefineJob : public Job {
 public:
  /// `input` is what was compensated and `indices` the result; `gram` and the spans must outlive the job's last step.
  /// Errors: kInternal (sizes that contradict each other), kOutOfMemory.
  static Result<std::unique_ptr<RefineJob>> Create(const Gram& gram, const CompensationInput& input,
                                                   std::vector<std::uint8_t> indices, RefineOptions options);

  /// Valid once Step has returned true; call once.
  virtual RefineResult TakeResult() = 0;
};

}  // namespace kdequant

#endif  // KDEQUANT_COMPENSATION_REFINE_H_
