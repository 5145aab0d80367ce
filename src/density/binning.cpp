#include "binning.h"

#include <algorithm>
#include <cmath>

namespace kdequant {

std::vector<double> BinLinearly(const Sample& sample, const Grid& grid) {
  std::vector<double> shares(grid.size);
  const auto last = static_cast<double>(grid.size - 1);
  for (std::size_t j = 0; j < sample.values.size(); ++j) {
    const double position = (sample.values[j] - grid.low) / grid.step - 0.5;
    const double left = std::floor(position);
    const double right_share = position - left;
    const double weight = sample.weights[j];
    shares[static_cast<std::size_t>(std::clamp(left, 0.0, last))] += weight * (1 - right_share);
    shares[static_cast<std::size_t>(std::clamp(left + 1, 0.0, last))] += weight * right_share;
  }
  return shares;
}

}  // namespace kdequant
