// kdequant/density/moments.h
// Mass, mean and scatter of any interval of a distribution, at once.
#ifndef KDEQUANT_DENSITY_MOMENTS_H_
#define KDEQUANT_DENSITY_MOMENTS_H_

#include <cstddef>
#include <span>
#include <vector>

#include "kdequant/density/density.h"
#include "kdequant/density/histogram.h"
#include "kdequant/density/sample.h"
#include "kdequant/density/scaled_weights.h"

namespace kdequant {

/// What lies in an interval. The squared error of a level for it is scatter + mass (mean - level)^2.
struct CellMoments {
  double mass = 0;     ///< probability, importance or number of weights
  double mean = 0;     ///< 0 where mass is 0
  double scatter = 0;  ///< sum of squared differences from the mean, at least 0

  double SquaredError(double level) const { return scatter + mass * (mean - level) * (mean - level); }
};

/// Cumulative moments of a distribution: what every designer of levels works on, whether the distribution is an
/// estimated density, a histogram, a sample or all weights.
///
/// A distribution is made of *pieces*: the cells of a density or histogram, or the different values of a list. An
/// interval may cut through a cell, whose density counts as level then; it cannot cut a value. Looking up an interval
/// costs a division for cells (about 5 ns) and a binary search for values, instead of a sum over the weights: Lloyd-Max
/// takes microseconds instead of seconds.
class CumulativeMoments {
 public:
  explicit CumulativeMoments(const Density& density);
  explicit CumulativeMoments(const MomentHistogram& histogram);
  explicit CumulativeMoments(const Sample& sample);
  /// Sorts a copy: O(n log n) time and 32 bytes for each different weight. The weights must be finite, at least one.
  explicit CumulativeMoments(const ScaledWeights& weights);

  /// Moments of (low, high].
  CellMoments Between(double low, double high) const { return Difference(Below(low), Below(high)); }

  /// Moments of everything up to and including x, as sums. Subtract two to get an interval.
  struct Sums {
    double mass = 0, first = 0, second = 0;
  };
  Sums Below(double x) const;
  CellMoments Difference(const Sums& low, const Sums& high) const;
  const Sums& Total() const { return sums_.back(); }

  /// Mass for each unit of length at x: that of x's cell. 0 for values, which have mass but no density, and beyond the
  /// ends.
  double DensityAt(double x) const;

  /// Pieces are numbered in ascending order; [begin, end) are taken together.
  std::size_t pieces() const { return sums_.size() - 1; }
  CellMoments Pieces(std::size_t begin, std::size_t end) const { return Difference(sums_[begin], sums_[end]); }

  /// The sums before each piece, and the total at the end.
  std::span<const Sums> edges() const { return sums_; }

  double min() const { return min_; }
  double max() const { return max_; }

 private:
  void Append(double mass, double first, double second);

  double min_ = 0, max_ = 0;
  // Sums are of (x - origin_), which keeps the digits of weights that lie far from zero and close together.
  double origin_ = 0;
  Grid grid_;                   // of cells; size 0 for values
  std::vector<double> values_;  // ascending; empty for cells
  std::vector<Sums> sums_;      // of the pieces before each, and at the end of all
};

}  // namespace kdequant

#endif  // KDEQUANT_DENSITY_MOMENTS_H_
