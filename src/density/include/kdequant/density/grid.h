// kdequant/density/grid.h
// Cells of equal width.
#ifndef KDEQUANT_DENSITY_GRID_H_
#define KDEQUANT_DENSITY_GRID_H_

#include <cstddef>

namespace kdequant {

/// `size` cells of width `step`, the first beginning at `low`.
struct Grid {
  double low = 0;
  double step = 0;
  std::size_t size = 0;

  double Centre(std::size_t i) const { return low + (static_cast<double>(i) + 0.5) * step; }
  double Edge(std::size_t i) const { return low + static_cast<double>(i) * step; }
  double High() const { return Edge(size); }
};

}  // namespace kdequant

#endif  // KDEQUANT_DENSITY_GRID_H_
