// kdequant/density/histogram.h
// All weights of a layer in a few thousand numbers.
#ifndef KDEQUANT_DENSITY_HISTOGRAM_H_
#define KDEQUANT_DENSITY_HISTOGRAM_H_

#include <cstddef>
#include <vector>

#include "kdequant/base/result.h"
#include "kdequant/density/grid.h"
#include "kdequant/density/scaled_weights.h"

namespace kdequant {

/// What a quantizer needs to know of the weights in a bin: with it the squared error of any level for the whole bin is
/// exact, sum_squares - 2 level sum + level^2 count.
struct MomentBin {
  double count = 0;
  double sum = 0;
  double sum_squares = 0;
};

/// Bins of equal width over the range of the weights.
struct MomentHistogram {
  Grid grid = {};
  std::vector<MomentBin> bins = {};
  double min = 0, max = 0;
  std::size_t population = 0;
};

/// One pass for the range and one for the bins, about 3 ns a weight while the bins fit the cache (24 bytes each).
/// `bins` must be at least 1; equal weights make one bin of width 0.
///
/// Errors: kEmptySample, kNotFinite (the index is named).
Result<MomentHistogram> BuildMomentHistogram(const ScaledWeights& weights, std::size_t bins);

}  // namespace kdequant

#endif  // KDEQUANT_DENSITY_HISTOGRAM_H_
