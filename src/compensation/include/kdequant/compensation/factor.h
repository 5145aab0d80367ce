// kdequant/compensation/factor.h
// What compensation needs to know of a Gram matrix: in which order to quantize the columns, and how much of one
// column's error each later column can take back.
#ifndef KDEQUANT_COMPENSATION_FACTOR_H_
#define KDEQUANT_COMPENSATION_FACTOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "kdequant/base/job.h"
#include "kdequant/base/result.h"
#include "kdequant/compensation/gram.h"
#include "kdequant/compensation/tiled_triangle.h"

namespace kdequant {

/// The factorization P (H + d I) P^T = scale * M D M^T of a damped Gram matrix: P orders the columns, M is unit upper
/// triangular, D diagonal, d = damping * scale.
///
/// Why this and not the Cholesky factor of the inverse, which GPTQ is written with: with U = chol((H + d I)^-1)^T, the
/// upper factor, U = D^-1/2 M^-1, and spreading each column's rounding error by the rows of U / U_jj ends at the same
/// weights as correcting each column by the true errors of the columns before it, weighted by M (LDLQ). So neither an
/// inverse nor a triangular one is needed, and the work is columns^3 / 3 operations instead of twice that or more;
/// besides, the loss comes out as a sum over columns, sum_k D_k r_k^2, where r_k is what rounding column k added to its
/// corrected target.
///
/// Sources: Hassibi and Stork (1993), "Second order derivatives for network pruning: optimal brain surgeon"; Frantar,
/// Ashkboos, Hoefler and Alistarh (2022), "GPTQ"; Chee, Cai, Kuleshov and De Sa (2023), "QuIP", theorem 6 for the
/// equality.
struct Factor {
  std::size_t columns = 0;
  std::vector<std::uint32_t> order;  ///< order[k]: the column that is quantized k-th
  TiledTriangle<float> unit;         ///< M transposed: At(k, i) = M_ik for i <= k, 1 on the diagonal
  std::vector<float> pivots;         ///< D, padded with ones to a multiple of the tile
  double scale = 1;                  ///< the mean diagonal element of the Gram matrix, columns of zeros left out
  double damping = 0;                ///< as used; larger than asked for where the matrix was not positive definite
};

struct FactorOptions {
  /// What is added to the diagonal, as a share of its mean: enough to bear float32's rounding and to keep the
  /// correction from following chance correlations of few positions.
  double damping = 0.01;
  /// Columns by falling diagonal (ties by index), so that the errors of the columns that matter most have the most
  /// columns left to take them back. False: as they come.
  bool order_by_energy = true;
};

/// Factors a Gram matrix in steps below 10 milliseconds.
///
/// Columns that were always zero get the mean diagonal and no correlation: whatever their weights become, nothing
/// changes. Where float32 meets a pivot that is not clearly positive the damping grows tenfold and the work starts
/// again, at most four times. Memory: 2 columns^2 bytes beside the Gram matrix. float32 is enough: its rounding is like
/// a change of the diagonal by 1e-4 of the mean at 4,608 columns, a hundredth of the damping.
class FactorJob : public Job {
 public:
  /// `gram` must outlive the job's last step. Errors: kEmptySample (no positions), kNotFinite, kOutOfMemory.
  static Result<std::unique_ptr<FactorJob>> Create(const Gram& gram, FactorOptions options = {});

  /// Valid once Step has returned true; call once.
  virtual Factor TakeFactor() = 0;
};

}  // namespace kdequant

#endif  // KDEQUANT_COMPENSATION_FACTOR_H_
