#include "kdequant/calibration/column_means.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <variant>
#include <vector>

namespace kdequant {
namespace {

// The sum of every stride-th of `count` elements, in eight running sums: one would wait for each addition.
double Sum(const float* elements, std::int64_t count, std::int64_t stride) {
  std::array<double, 8> sums{};
  std::int64_t i = 0;
  if (stride == 1) {
    for (; i + 8 <= count; i += 8) {
      for (std::int64_t lane = 0; lane < 8; ++lane)
        sums[static_cast<std::size_t>(lane)] += static_cast<double>(elements[i + lane]);
    }
  }
  for (; i < count; ++i) sums[static_cast<std::size_t>(i % 8)] += static_cast<double>(elements[i * stride]);
  double sum = 0;
  for (const double part : sums) sum += part;
  return sum;
}

// The output positions along one axis whose tap lies within the input: [begin, end).
struct Reach {
  std::int64_t begin, end;
};

Reach ReachOf(std::int64_t offset, std::int64_t stride, std::int64_t input, std::int64_t output) {
  const std::int64_t begin = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
  const std::int64_t end = offset >= input ? 0 : (input - offset + stride - 1) / stride;
  return {std::min(begin, output), std::max(std::min(begin, output), std::min(end, output))};
}

}  // namespace

ColumnMeans::ColumnMeans(const Graph& graph, const Node& node) : graph_(&graph), node_(&node) {
  const Shape& weight = ShapeOf(*graph.value(node.inputs[1]).constant);
  std::size_t columns = 1;
  for (std::size_t i = 1; i < weight.size(); ++i) columns *= static_cast<std::size_t>(weight[i]);
  if (const auto* conv = std::get_if<Conv>(&node.op)) columns *= static_cast<std::size_t>(conv->groups);
  sums_.resize(columns);
}

void ColumnMeans::Add(std::span<const float> input) {
  if (const auto* conv = std::get_if<Conv>(&node_->op)) {
    const Shape& output = *graph_->value(node_->outputs[0]).shape;
    AddColumnSums(input, *graph_->value(node_->inputs[0]).shape, *conv,
                  ShapeOf(*graph_->value(node_->inputs[1]).constant), output, sums_);
    positions_ += static_cast<std::size_t>(output[2] * output[3]);
  } else {
    for (std::size_t i = 0; i < input.size(); ++i) sums_[i % sums_.size()] += static_cast<double>(input[i]);
    positions_ += input.size() / sums_.size();
  }
}

std::vector<double> ColumnMeans::Means() const {
  std::vector<double> means = sums_;
  for (auto& mean : means) mean /= positions_ > 0 ? static_cast<double>(positions_) : 1;
  return means;
}

void AddColumnSums(std::span<const float> input, const Shape& input_shape, const Conv& conv, const Shape& weight_shape,
                   const Shape& output_shape, std::span<double> sums) {
  const std::int64_t height = input_shape[2];
  const std::int64_t width = input_shape[3];
  const auto [kernel_height, kernel_width] = conv.window.kernel;
  const auto [down, right] = conv.window.strides;
  const std::int64_t taps = kernel_height * kernel_width;
  const std::int64_t channels = weight_shape[1] * conv.groups;
  std::vector<double> row_sums(static_cast<std::size_t>(height));
  for (std::int64_t channel = 0; channel < channels; ++channel) {
    const float* plane = input.data() + channel * height * width;
    double* channel_sums = sums.data() + channel * taps;
    if (taps == 1 && down == 1 && right == 1 && output_shape[2] == height && output_shape[3] == width) {
      *channel_sums += Sum(plane, height * width, 1);
      continue;
    }
    for (std::int64_t x = 0; x < kernel_width; ++x) {
      // The rows that any tap of this column reads, each once.
      const std::int64_t left = x * conv.window.dilations[1] - conv.window.pads[1];
      const Reach columns = ReachOf(left, right, width, output_shape[3]);
      if (columns.begin == columns.end) continue;
      for (std::int64_t y = 0; y < height; ++y) {
        const float* first = plane + y * width + columns.begin * right + left;
        row_sums[static_cast<std::size_t>(y)] = Sum(first, columns.end - columns.begin, right);
      }
      for (std::int64_t y = 0; y < kernel_height; ++y) {
        const std::int64_t top = y * conv.window.dilations[0] - conv.window.pads[0];
        const Reach rows = ReachOf(top, down, height, output_shape[2]);
        double sum = 0;
        for (std::int64_t oy = rows.begin; oy < rows.end; ++oy)
          sum += row_sums[static_cast<std::size_t>(oy * down + top)];
        channel_sums[y * kernel_width + x] += sum;
      }
    }
  }
}

}  // namespace kdequant
