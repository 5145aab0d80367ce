#include "kdequant/compensation/extra_rows.h"

#include <algorithm>

#include "kdequant/base/math.h"

namespace kdequant {

void AppendMeanRow(std::size_t columns, double share, std::vector<float>& rows) {
  const std::size_t count = columns > 0 ? rows.size() / columns : 0;
  if (count < 2) return;
  std::vector<double> sums(columns);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t k = 0; k < columns; ++k) sums[k] += static_cast<double>(rows[i * columns + k]);
  }
  const double factor = Sqrt(share / static_cast<double>(count));
  for (const double sum : sums) rows.push_back(static_cast<float>(sum * factor));
}

std::vector<float> AnswerRows(std::span<const float> weights, std::size_t row_columns, ColumnRange range,
                              bool nonnegative, double energy) {
  const std::size_t channels = weights.size() / row_columns;
  std::vector<float> rows;
  rows.reserve(channels * range.size());
  double sum = 0;
  for (std::size_t o = 0; o < channels; ++o) {
    for (const float w : weights.subspan(o * row_columns + range.begin, range.size())) {
      const float x = nonnegative ? std::max(w, 0.0F) : w;
      sum += static_cast<double>(x) * static_cast<double>(x);
      rows.push_back(x);
    }
  }
  const double factor = sum > 0 ? Sqrt(energy / sum) : 0;
  for (float& x : rows) x = static_cast<float>(static_cast<double>(x) * factor);
  return rows;
}

}  // namespace kdequant
