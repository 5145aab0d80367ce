#include "assign.h"

#include <cmath>
#include <limits>

#include "kdequant/base/math.h"

namespace kdequant {

LevelTable::LevelTable(std::span<const std::int8_t> codes, float step) {
  levels_.reserve(codes.size());
  for (const std::int8_t code : codes) levels_.push_back(static_cast<float>(code) * step);
  for (std::size_t i = 1; i < levels_.size(); ++i) midpoints_.push_back(0.5F * levels_[i - 1] + 0.5F * levels_[i]);
}

void LevelTable::Assign(std::span<const float> weights, float scale, std::span<std::uint8_t> indices) const {
  const float reciprocal = scale > 0 ? 1 / scale : 0;
  // One pass per midpoint over a block that stays in cache: the loops have no branches, so the compiler makes SIMD of
  // them, and counting the midpoints below a weight beats a binary search per weight threefold.
  constexpr std::size_t kBlock = 512;
  float normalized[kBlock];
  for (std::size_t start = 0; start < weights.size(); start += kBlock) {
    const std::size_t count = std::min(kBlock, weights.size() - start);
    const float* source = weights.data() + start;
    std::uint8_t* target = indices.data() + start;
    for (std::size_t i = 0; i < count; ++i) normalized[i] = source[i] * reciprocal;
    for (std::size_t i = 0; i < count; ++i) target[i] = 0;
    for (const float midpoint : midpoints_) {
      for (std::size_t i = 0; i < count; ++i)
        target[i] = static_cast<std::uint8_t>(target[i] + (normalized[i] > midpoint ? 1 : 0));
    }
  }
}

float LevelTable::LeastSquaresScale(std::span<const float> weights, std::span<const std::uint8_t> indices,
                                    float fallback) const {
  double product = 0;
  double square = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto level = static_cast<double>(levels_[indices[i]]);
    product += static_cast<double>(weights[i]) * level;
    square += level * level;
  }
  const double scale = square > 0 ? product / square : 0;
  return scale > 0 && scale < static_cast<double>(std::numeric_limits<float>::max()) ? static_cast<float>(scale)
                                                                                     : fallback;
}

float RootMeanSquare(std::span<const float> weights) {
  double sum = 0;
  for (const float w : weights) sum += static_cast<double>(w) * static_cast<double>(w);
  return weights.empty() ? 0 : static_cast<float>(Sqrt(sum / static_cast<double>(weights.size())));
}

void SquaredError::Add(std::span<const float> weights, std::span<const float> quantized) {
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto w = static_cast<double>(weights[i]);
    const double error = w - static_cast<double>(quantized[i]);
    signal += w * w;
    noise += error * error;
  }
}

double SquaredError::SqnrDb() const {
  if (noise == 0) return signal == 0 ? 0 : std::numeric_limits<double>::infinity();
  if (signal == 0) return -std::numeric_limits<double>::infinity();
  return 10 / Log(10) * Log(signal / noise);
}

}  // namespace kdequant
