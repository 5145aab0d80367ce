// kdequant/codebook/integer_levels.h
// Levels on the grid that the engine multiplies with.
#ifndef KDEQUANT_CODEBOOK_INTEGER_LEVELS_H_
#define KDEQUANT_CODEBOOK_INTEGER_LEVELS_H_

#include <cstdint>
#include <vector>

#include "kdequant/codebook/codebook.h"

namespace kdequant {

/// Levels as signed codes times one step: level i is codes[i] * step, exactly, in float.
struct IntegerLevels {
  /// Ascending, one for each level of the codebook: -63 to 63 for up to 16 levels, -127 to 127 for more.
  std::vector<std::int8_t> codes = {};
  float step = 1;  ///< At most 17 significant bits, so that no product with a code is rounded.

  std::vector<float> Levels() const;
};

/// The step nearest to a positive number: a float with 17 significant bits (of a subnormal, as many as it has), not 0
/// and with a finite 127-fold.
float RoundToStep(double step);

/// Rounds to the nearest code. Of up to 16 levels the one farthest from zero gets the code between 48 and 63 with which
/// the others are rounded least; of more levels it gets 127. Levels closer together than a step may merge: codes then
/// repeat, and no index changes its meaning. A codebook of zeros has step 1.
///
/// The step is rounded to 17 bits (4e-6 of its size), towards zero where 127 steps would exceed the largest float; of
/// levels below 63 times the smallest float the farthest becomes a smaller code.
IntegerLevels RoundToIntegerLevels(const Codebook& codebook);

}  // namespace kdequant

#endif  // KDEQUANT_CODEBOOK_INTEGER_LEVELS_H_
