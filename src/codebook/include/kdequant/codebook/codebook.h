// kdequant/codebook/codebook.h
// The few values that a layer's weights are rounded to.
#ifndef KDEQUANT_CODEBOOK_CODEBOOK_H_
#define KDEQUANT_CODEBOOK_CODEBOOK_H_

#include <cstddef>
#include <vector>

namespace kdequant {

inline constexpr int kMinLevels = 2;
inline constexpr int kMaxLevels = 256;

/// Levels of a scalar quantizer, ascending, from 2 to 256 of them, in the units of the weights. Where there are fewer
/// different weights than levels, the last is repeated.
struct Codebook {
  std::vector<double> levels = {};

  /// The midpoints between neighbours, levels.size() - 1 of them.
  std::vector<double> Thresholds() const;

  /// Index of the level nearest to x; halfway, the lower. Binary search: for one value. MeasureDistortion does many.
  std::size_t NearestLevel(double x) const;

  double Quantize(double x) const { return levels[NearestLevel(x)]; }
};

}  // namespace kdequant

#endif  // KDEQUANT_CODEBOOK_CODEBOOK_H_
