// kdequant/density/density.h
// How a layer's weights are distributed, estimated from a sample of them.
#ifndef KDEQUANT_DENSITY_DENSITY_H_
#define KDEQUANT_DENSITY_DENSITY_H_

#include <cstddef>
#include <vector>

#include "kdequant/base/result.h"
#include "kdequant/density/bandwidth.h"
#include "kdequant/density/grid.h"
#include "kdequant/density/sample.h"

namespace kdequant {

struct DensityOptions {
  BandwidthRule rule = BandwidthRule::kSilverman;
  /// Multiplies the rule's bandwidth. Half of Silverman's, because the rule is made for looking at densities and
  /// smooths the peak of a layer's weights too much for designing levels.
  double factor = 0.5;
  /// The bandwidth of BandwidthRule::kExplicit, in the units of the weights; `factor` is ignored then.
  double bandwidth = 0;
  /// A power of two from 64 to 65,536.
  std::size_t grid_points = 2048;
};

/// A probability density on the cells of a grid over [min, max] of the sample.
struct Density {
  Grid grid = {};
  std::vector<double> values = {};  ///< Probability per unit of weight at the centre of each cell; integrates to 1.
  double bandwidth = 0;             ///< The kernel's standard deviation, in the units of the weights.
};

/// Gaussian kernel density estimate: sum_j a_j phi((x - w_j) / h) / (h sum_j a_j), reflected at both ends of the range.
///
/// With m of n weights sampled the rule's bandwidth is further multiplied by max(0.2, sqrt(1 - m / n)), the correction
/// for a finite population: smoothing stands in for the weights that were not sampled. Without it layers of less than a
/// few thousand weights lose 0.1 dB of SQNR on average.
///
/// A value that makes up a twentieth of the weights or more (the zeros of a pruned layer) is not smoothed but added as
/// it is, and left out of the bandwidth: smeared over its neighbourhood it would draw levels that no weight needs,
/// which costs 1 to 3 dB at 80 to 95 % zeros.
///
/// Reflected, because weights end where they end: a kernel that leaks past the largest weight would put a level there.
/// Computed by linear binning and a cosine transform (whose basis functions are the reflected waves), so the cost does
/// not depend on the bandwidth: 0.1 ms for 1,024 samples on 2,048 points. The transform is this project's own, since a
/// library's would take its cosines from the C library, which differ between builds.
///
/// Errors: kEmptySample, kConstantSample (every weight equal), kUsage (options out of their range).
/// Source: Silverman (1982), Algorithm AS 176; Jones and Lotwick (1984) for the linear binning.
Result<Density> EstimateDensity(const Sample& sample, const DensityOptions& options = {});

}  // namespace kdequant

#endif  // KDEQUANT_DENSITY_DENSITY_H_
