// kdequant/codebook/lloyd_max.h
// The iteration that most designers are made of, one step at a time.
#ifndef KDEQUANT_CODEBOOK_LLOYD_MAX_H_
#define KDEQUANT_CODEBOOK_LLOYD_MAX_H_

#include <cstdint>
#include <vector>

#include "kdequant/codebook/codebook.h"
#include "kdequant/density/moments.h"

namespace kdequant {

/// Lloyd's iteration: thresholds halfway between the levels, then levels at the means of their cells. In one dimension
/// this is k-means too; what the methods differ in is the distribution and the start.
///
///     LloydMax film(moments, CompandingStart(moments, 16));
///     do Draw(film.levels(), film.Thresholds(), film.mse()); while (film.Step());
///
/// The error never rises. A level whose cell is empty moves into the cell with the largest error. A step costs two
/// look-ups a level, about 0.3 us at 16 levels on a density; alone, hundreds of steps would be needed to converge, and
/// thousands at 64 levels. Run() takes a step of Newton's method for the same conditions between any two: over the
/// layers of EfficientNet-Lite0 4 steps on average at 16 levels instead of 270, and 55 at 64 instead of 2,500.
/// Sources: Lloyd (1982), "Least squares quantization in PCM" (written 1957); Max (1960); for Newton's method Pages and
/// Printems (2003), "Optimal quadratic quantization for numerics: the Gaussian case".
class LloydMax {
 public:
  /// `start`: 2 to 256 levels, in any order. `moments` must outlive this object.
  LloydMax(const CumulativeMoments& moments, std::vector<double> start);

  /// Moves the levels once. False when the error fell by less than a billionth of itself: it has converged.
  bool Step();

  /// Steps until converged, at most `max_steps` times, with leaps between.
  void Run(int max_steps = 4000);

  const std::vector<double>& levels() const { return codebook_.levels; }
  std::vector<double> Thresholds() const { return codebook_.Thresholds(); }
  const Codebook& codebook() const { return codebook_; }
  double mse() const { return mse_; }  ///< of levels() on the distribution
  int steps() const { return steps_; }

 private:
  void Assign();
  // A step of Newton's method. Keeps the levels and says false where there is none, or it leads to a larger error: far
  // from an optimum, and where weights are values without a density and means jump.
  bool Leap();
  // How far each level would move, so that all become the means of their cells. A mean depends on its own level and the
  // two beside it, by the density at the thresholds between them: a system of three diagonals. Empty where the error is
  // not convex.
  std::vector<double> NewtonMoves() const;
  void RefillEmptyCells();

  const CumulativeMoments* moments_;
  Codebook codebook_;
  std::vector<CellMoments> cells_;
  double mse_ = 0;
  int steps_ = 0;
};

/// Levels at the quantiles (i + 1/2) / levels of the distribution with density p^(1/3), which is best for many levels.
/// Source: Panter and Dite (1951).
std::vector<double> CompandingStart(const CumulativeMoments& moments, int levels);

/// The best levels with thresholds among 256 points, or anywhere where there are no more pieces than that, by dynamic
/// programming: 0.2 ms at 16 levels. The points are quantiles of p^(1/3) plus half its mean, so that some lie in the
/// gaps between outliers. With more than 64 levels: the companding start.
///
/// Lloyd's iteration never carries a level past another, so it ends in the local optimum nearest to its start. From the
/// companding start it ends 0.3 dB below the best SQNR on average over real layers, and up to 7 dB; from this one
/// within 0.005 dB.
std::vector<double> CoarseOptimalStart(const CumulativeMoments& moments, int levels);

/// k-means++: each next level at a piece drawn with probability proportional to its squared error so far.
/// Source: Arthur and Vassilvitskii (2007).
std::vector<double> PlusPlusStart(const CumulativeMoments& moments, int levels, std::uint64_t seed);

}  // namespace kdequant

#endif  // KDEQUANT_CODEBOOK_LLOYD_MAX_H_
