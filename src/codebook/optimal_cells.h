// The best division of a distribution among given edges.
#ifndef KDEQUANT_CODEBOOK_OPTIMAL_CELLS_H_
#define KDEQUANT_CODEBOOK_OPTIMAL_CELLS_H_

#include <span>
#include <vector>

#include "kdequant/density/moments.h"

namespace kdequant {

/// Divides the distribution into `cells` intervals that begin and end at `edges` (cumulative sums, ascending, the first
/// empty and the last the total) with the least scatter together, and returns their means, ascending. An interval
/// without mass repeats its upper neighbour's mean.
///
/// Dynamic programming, O(cells n log n) for n edges: the best last cut does not fall as the end rises, so that divide
/// and conquer needs to look at each cut only log n times.
/// Source: Bruce (1965); Wu (1991), "Optimal quantization by matrix searching", J. Algorithms 12.
std::vector<double> OptimalMeans(const CumulativeMoments& moments, std::span<const CumulativeMoments::Sums> edges,
                                 int cells);

}  // namespace kdequant

#endif  // KDEQUANT_CODEBOOK_OPTIMAL_CELLS_H_
