// A sample laid onto a grid.
#ifndef KDEQUANT_DENSITY_BINNING_H_
#define KDEQUANT_DENSITY_BINNING_H_

#include <vector>

#include "kdequant/density/grid.h"
#include "kdequant/density/sample.h"

namespace kdequant {

/// The sample's importance in each cell. Linear binning: a value between two centres
/// gives to each in proportion to its nearness, which keeps the mean and leaves an error of the second order in the
/// step. Beyond the first and last centre the other half is reflected.
std::vector<double> BinLinearly(const Sample& sample, const Grid& grid);

}  // namespace kdequant

#endif  // KDEQUANT_DENSITY_BINNING_H_
