#include "kdequant/density/scaled_weights.h"

#include <algorithm>

namespace kdequant {

ScaledWeights::ScaledWeights(std::span<const float> values, std::span<const float> scales)
    : values_(values), scales_(scales), columns_(values.size() / scales.size()), size_(values.size()) {}

ScaledWeights::ScaledWeights(std::span<const float> values, std::span<const float> scales,
                             std::span<const std::uint32_t> rows)
    : values_(values),
      scales_(scales),
      rows_(rows),
      columns_(values.size() / scales.size()),
      size_(rows.size() * columns_) {}

float ScaledWeights::operator[](std::size_t i) const {
  if (scales_.empty()) return values_[i];
  const std::size_t row = RowOf(i / columns_);
  const float value = values_[row * columns_ + i % columns_];
  return scales_[row] > 0 ? value / scales_[row] : value;
}

std::span<const float> ScaledWeights::Run(std::size_t first, Room& room) const {
  if (scales_.empty()) return values_.subspan(first);
  const std::size_t row = RowOf(first / columns_);
  const std::size_t column = first % columns_;
  const auto run = values_.subspan(row * columns_ + column, std::min(room.size(), columns_ - column));
  const float scale = scales_[row];
  if (!(scale > 0)) return run;
  for (std::size_t i = 0; i < run.size(); ++i) room[i] = run[i] / scale;
  return std::span(room).first(run.size());
}

}  // namespace kdequant
