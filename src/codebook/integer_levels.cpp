#include "kdequant/codebook/integer_levels.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace kdequant {
namespace {

constexpr double kLargestCode = 127;

// The nearest float with 17 significant bits (of a subnormal, as many as it has), not 0 and with a finite 127-fold.
float RoundStep(double step) {
  constexpr std::uint32_t kDropped = 7;  // of 24 bits
  const float limit = std::numeric_limits<float>::max() / 127;
  const float rounded = step < static_cast<double>(limit) ? static_cast<float>(step) : limit;
  auto bits = std::bit_cast<std::uint32_t>(std::max(rounded, std::numeric_limits<float>::denorm_min()));
  if (bits >> 23 == 0) return std::bit_cast<float>(bits);  // subnormal: the product with a code is exact as it is
  bits = (bits + (1U << (kDropped - 1))) & ~((1U << kDropped) - 1);
  const float result = std::bit_cast<float>(bits);
  return result <= limit ? result : std::bit_cast<float>(bits - (1U << kDropped));
}

}  // namespace

std::vector<float> IntegerLevels::Levels() const {
  std::vector<float> levels;
  levels.reserve(codes.size());
  for (const auto code : codes) levels.push_back(static_cast<float>(code) * step);
  return levels;
}

IntegerLevels RoundToIntegerLevels(const Codebook& codebook) {
  double largest = 0;
  for (const double level : codebook.levels) largest = std::max(largest, std::fabs(level));
  IntegerLevels result{.codes = {}, .step = largest > 0 ? RoundStep(largest / kLargestCode) : 1};
  for (const double level : codebook.levels) {
    const double code = std::nearbyint(level / static_cast<double>(result.step));
    result.codes.push_back(static_cast<std::int8_t>(std::clamp(code, -kLargestCode, kLargestCode)));
  }
  return result;
}

}  // namespace kdequant
