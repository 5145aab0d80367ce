// Which level each weight becomes, and which scale suits a channel.
#ifndef KDEQUANT_QUANTIZE_ASSIGN_H_
#define KDEQUANT_QUANTIZE_ASSIGN_H_

#include <cstdint>
#include <span>
#include <vector>

namespace kdequant {

/// The levels of one table as the engine uses them, ascending, with the midpoints between them.
class LevelTable {
 public:
  /// `codes` ascending, at most 256; level i = codes[i] * step.
  LevelTable(std::span<const std::int8_t> codes, float step);

  float level(std::size_t index) const { return levels_[index]; }
  std::span<const float> levels() const { return levels_; }

  /// The index of the level nearest to each weight / scale; a weight on a midpoint takes the lower level. A scale of 0
  /// gives the level nearest to zero.
  void Assign(std::span<const float> weights, float scale, std::span<std::uint8_t> indices) const;

  /// The scale s that minimizes sum (w - s level(index))^2, or `fallback` where that is not a positive number.
  float LeastSquaresScale(std::span<const float> weights, std::span<const std::uint8_t> indices, float fallback) const;

 private:
  std::vector<float> levels_;
  std::vector<float> midpoints_;
};

/// Root of the mean square; 0 for a channel of zeros.
float RootMeanSquare(std::span<const float> weights);

/// sum w^2 and sum (w - q)^2, added up over the pieces of a tensor.
struct SquaredError {
  double signal = 0;
  double noise = 0;
  void Add(std::span<const float> weights, std::span<const float> quantized);
  /// 10 log10(signal / noise): infinite without noise, 0 where both are zero.
  double SqnrDb() const;
};

}  // namespace kdequant

#endif  // KDEQUANT_QUANTIZE_ASSIGN_H_
