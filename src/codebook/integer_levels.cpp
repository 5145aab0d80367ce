#include "kdequant/codebook/integer_levels.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <span>

namespace kdequant {
namespace {

// The engine's fastest multiplication wants codes of 7 bits (runtime/kernels/w4a8_dense.h). Sixteen levels lose nothing
// by it that can be measured; more of them need the finer grid.
constexpr std::size_t kFewLevels = 16;
constexpr int kLargestCodeOfFew = 63;
constexpr int kLargestCode = 127;

}  // namespace

float RoundToStep(double step) {
  constexpr std::uint32_t kDropped = 7;  // of 24 bits
  const float limit = std::numeric_limits<float>::max() / 127;
  const float rounded = step < static_cast<double>(limit) ? static_cast<float>(step) : limit;
  auto bits = std::bit_cast<std::uint32_t>(std::max(rounded, std::numeric_limits<float>::denorm_min()));
  if (bits >> 23 == 0) return std::bit_cast<float>(bits);  // subnormal: the product with a code is exact as it is
  bits = (bits + (1U << (kDropped - 1))) & ~((1U << kDropped) - 1);
  const float result = std::bit_cast<float>(bits);
  return result <= limit ? result : std::bit_cast<float>(bits - (1U << kDropped));
}

std::vector<float> IntegerLevels::Levels() const {
  std::vector<float> levels;
  levels.reserve(codes.size());
  for (const auto code : codes) levels.push_back(static_cast<float>(code) * step);
  return levels;
}

namespace {

// What rounding to `step` costs. A level of an optimal quantizer stands for a share of the weights that falls with the
// square of the distance to its neighbours (Panter and Dite: levels are as dense as the cube root of the weights), so
// an error counts in units of that distance.
double RoundingCost(std::span<const double> levels, double step) {
  double cost = 0;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const double below = levels[i] - levels[i == 0 ? i : i - 1];
    const double above = levels[i + 1 == levels.size() ? i : i + 1] - levels[i];
    const double spacing = std::max({below, above, step});
    const double error = levels[i] - std::nearbyint(levels[i] / step) * step;
    cost += error * error / (spacing * spacing);
  }
  return cost;
}

// The step among those that give the farthest level a code between three quarters of the largest and the largest.
float ChooseStep(std::span<const double> levels, double farthest) {
  if (levels.size() > kFewLevels) return RoundToStep(farthest / kLargestCode);
  float best = 0;
  double lowest = std::numeric_limits<double>::infinity();
  for (int code = kLargestCodeOfFew; code > kLargestCodeOfFew * 3 / 4; --code) {
    const float step = RoundToStep(farthest / code);
    const double cost = RoundingCost(levels, static_cast<double>(step));
    if (cost < lowest) {
      lowest = cost;
      best = step;
    }
  }
  return best;
}

}  // namespace

IntegerLevels RoundToIntegerLevels(const Codebook& codebook) {
  const double largest_code = codebook.levels.size() <= kFewLevels ? kLargestCodeOfFew : kLargestCode;
  double farthest = 0;
  for (const double level : codebook.levels) farthest = std::max(farthest, std::fabs(level));
  IntegerLevels result{.codes = {}, .step = farthest > 0 ? ChooseStep(codebook.levels, farthest) : 1};
  for (const double level : codebook.levels) {
    const double code = std::nearbyint(level / static_cast<double>(result.step));
    result.codes.push_back(static_cast<std::int8_t>(std::clamp(code, -largest_code, largest_code)));
  }
  return result;
}

}  // namespace kdequant
