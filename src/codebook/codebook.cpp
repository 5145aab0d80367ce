#include "kdequant/codebook/codebook.h"

#include <algorithm>

namespace kdequant {

std::vector<double> Codebook::Thresholds() const {
  std::vector<double> thresholds;
  thresholds.reserve(levels.size());
  for (std::size_t i = 0; i + 1 < levels.size(); ++i) thresholds.push_back((levels[i] + levels[i + 1]) / 2);
  return thresholds;
}

std::size_t Codebook::NearestLevel(double x) const {
  std::size_t low = 0;
  std::size_t high = levels.size() - 1;
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (x > (levels[middle] + levels[middle + 1]) / 2) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

}  // namespace kdequant
