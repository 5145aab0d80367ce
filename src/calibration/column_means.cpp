#include "kdequant/calibration/column_means.h"

#include <variant>

namespace kdequant {

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
  const std::int64_t taps = kernel_height * kernel_width;
  const std::int64_t channels = weight_shape[1] * conv.groups;
  for (std::int64_t channel = 0; channel < channels; ++channel) {
    const float* plane = input.data() + channel * height * width;
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      const std::int64_t top = (tap / kernel_width) * conv.window.dilations[0] - conv.window.pads[0];
      const std::int64_t left = (tap % kernel_width) * conv.window.dilations[1] - conv.window.pads[1];
      double sum = 0;
      for (std::int64_t oy = 0; oy < output_shape[2]; ++oy) {
        const std::int64_t y = oy * conv.window.strides[0] + top;
        if (y < 0 || y >= height) continue;
        for (std::int64_t ox = 0; ox < output_shape[3]; ++ox) {
          const std::int64_t x = ox * conv.window.strides[1] + left;
          if (x >= 0 && x < width) sum += static_cast<double>(plane[y * width + x]);
        }
      }
      sums[static_cast<std::size_t>(channel * taps + tap)] += sum;
    }
  }
}

}  // namespace kdequant
