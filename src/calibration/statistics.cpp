#include "kdequant/calibration/statistics.h"

#include <algorithm>
#include <utility>

#include "kdequant/runtime/session.h"

namespace kdequant {
namespace {

// The groups of columns that a weighted node multiplies: a Gemm is a 1 x 1 convolution on a 1 x 1 picture.
struct ColumnLayout {
  std::size_t columns = 0;    // groups * K
  std::size_t positions = 0;  // output positions a picture
};

ColumnLayout LayoutOf(const Graph& graph, const Node& node) {
  const Shape& weight = ShapeOf(*graph.value(node.inputs[1]).constant);
  std::size_t k = 1;
  for (std::size_t i = 1; i < weight.size(); ++i) k *= static_cast<std::size_t>(weight[i]);
  if (const auto* conv = std::get_if<Conv>(&node.op)) {
    const Shape& output = *graph.value(node.outputs[0]).shape;
    return {k * static_cast<std::size_t>(conv->groups), static_cast<std::size_t>(output[2] * output[3])};
  }
  const Shape& output = *graph.value(node.outputs[0]).shape;
  std::size_t rows = 1;
  for (std::size_t i = 0; i + 1 < output.size(); ++i) rows *= static_cast<std::size_t>(output[i]);
  return {k, rows};
}

class StatisticsJobImplementation final : public StatisticsJob {
 public:
  StatisticsJobImplementation(const Graph& graph, std::span<const Image> pictures, const Preprocess& preprocess,
                              Session session)
      : graph_(graph), pictures_(pictures), preprocess_(preprocess), session_(std::move(session)) {
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      const Node& node = graph.nodes[i];
      if (!HasWeights(graph, node)) continue;
      consumers_[node.inputs[0]].push_back(i);
      statistics_.column_means[i].resize(LayoutOf(graph, node).columns);
    }
  }

  Result<bool> Step(double budget_ms) override {
    const Budget budget(budget_ms);
    do {
      if (statistics_.pictures == pictures_.size()) return true;
      auto ran = RunPicture(pictures_[statistics_.pictures]);
      if (!ran) return Forward(ran);
      ++statistics_.pictures;
      if (statistics_.pictures == pictures_.size()) FinishMeans();
    } while (!budget.Spent());
    return statistics_.pictures == pictures_.size();
  }

  Progress progress() const override {
    return {static_cast<double>(statistics_.pictures) / static_cast<double>(pictures_.size()), "calibrating", {}};
  }

  const CalibrationStatistics& statistics() const override { return statistics_; }

 private:
  Result<void> RunPicture(const Image& picture) {
    const std::vector<float> input = ToTensor(picture, preprocess_, InputLayout(graph_));
    Observe(graph_.inputs[0], input);
    auto output = session_.Run(input, [this](ValueId id, std::span<const float> elements) { Observe(id, elements); });
    if (!output) return Forward(output);
    return {};
  }

  void Observe(ValueId id, std::span<const float> elements) {
    const auto [low, high] = std::ranges::minmax(elements);
    auto [entry, first] = statistics_.extents.try_emplace(id, ValueExtent{low, high});
    if (!first) {
      entry->second.low = std::min(entry->second.low, low);
      entry->second.high = std::max(entry->second.high, high);
    }
    const auto consumers = consumers_.find(id);
    if (consumers == consumers_.end()) return;
    for (const std::size_t index : consumers->second) {
      const Node& node = graph_.nodes[index];
      auto& sums = statistics_.column_means[index];
      if (const auto* conv = std::get_if<Conv>(&node.op)) {
        AddColumnSums(elements, *graph_.value(id).shape, *conv, ShapeOf(*graph_.value(node.inputs[1]).constant),
                      *graph_.value(node.outputs[0]).shape, sums);
      } else {
        for (std::size_t i = 0; i < elements.size(); ++i) sums[i % sums.size()] += static_cast<double>(elements[i]);
      }
    }
  }

  void FinishMeans() {
    for (auto& [index, sums] : statistics_.column_means) {
      const std::size_t positions = LayoutOf(graph_, graph_.nodes[index]).positions;
      const double count = static_cast<double>(positions) * static_cast<double>(pictures_.size());
      for (auto& sum : sums) sum /= count;
    }
  }

  const Graph& graph_;
  std::span<const Image> pictures_;
  Preprocess preprocess_;
  Session session_;
  std::map<ValueId, std::vector<std::size_t>> consumers_;
  CalibrationStatistics statistics_;
};

}  // namespace

Result<std::unique_ptr<StatisticsJob>> StatisticsJob::Create(const Graph& graph, std::span<const Image> pictures,
                                                             const Preprocess& preprocess) {
  if (pictures.empty())
    return Fail(ErrorCode::kUsage, "calibration needs at least one picture; give some or use synthetic ones");
  auto session = Session::Create(graph, {.precision = Precision::kF32});
  if (!session) return Forward(session);
  return std::make_unique<StatisticsJobImplementation>(graph, pictures, preprocess, std::move(*session));
}

TensorLayout InputLayout(const Graph& graph) {
  const Shape& shape = *graph.value(graph.inputs[0]).shape;
  return shape.size() == 4 && shape[3] == 3 && shape[1] != 3 ? TensorLayout::kNhwc : TensorLayout::kNchw;
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
