#include "kdequant/density/scaled_weights.h"

#include <algorithm>

namespace kdequant {

ScaledWeights::ScaledWeights(std::span<const float> values, std::span<const float> scales)
    : values_(values), scales_(scales), columns_(values.size() / scales.size()) {}

float ScaledWeights::operator[](std::size_t i) const {
  if (scales_.empty()) return values_[i];
  const float scale = scales_[i / columns_];
  return scale > 0 ? values_[i] / scale : values_[i];
}

std::span<const float> ScaledWeights::Run(std::size_t first, Room& room) const {
  if (scales_.empty()) return values_.subspan(first);
  const std::size_t row = first / columns_;
  const auto run = values_.subspan(first, std::min(room.size(), (row + 1) * columns_ - first));
  const float scale = scales_[row];
  if (!(scale > 0)) return run;
  for (std::size_t i = 0; i < run.size(); ++i) room[i] = run[i] / scale;
  return std::span(room).first(run.size());
}

}  // namespace kdequant
