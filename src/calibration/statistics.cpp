#include "kdequant/calibration/statistics.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "kdequant/base/sort.h"
#include "kdequant/calibration/column_means.h"
#include "kdequant/runtime/segment.h"

namespace kdequant {
namespace {

class StatisticsJobImplementation final : public StatisticsJob {
 public:
  StatisticsJobImplementation(const Graph& graph, std::span<const Image> pictures, const Preprocess& preprocess,
                              Segment network)
      : graph_(graph), pictures_(pictures), preprocess_(preprocess), network_(std::move(network)) {
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      const Node& node = graph.nodes[i];
      if (!HasWeights(graph, node)) continue;
      consumers_[node.inputs[0]].push_back(i);
      means_.emplace(i, ColumnMeans(graph, node));
    }
  }

  Result<bool> Step(double budget_ms) override {
    const Budget budget(budget_ms);
    do {
      if (statistics_.pictures == pictures_.size()) return true;
      auto ran = RunPicture(pictures_[statistics_.pictures]);
      if (!ran) return Forward(ran);
      ++statistics_.pictures;
      if (statistics_.pictures == pictures_.size()) Finish();
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
    const std::array<std::span<const float>, 1> inputs{input};
    return network_->Run(inputs, [this](ValueId id, std::span<const float> elements) { Observe(id, elements); });
  }

  void Observe(ValueId id, std::span<const float> elements) {
    AddExtent(id, elements, statistics_.extents);
    const auto consumers = consumers_.find(id);
    if (consumers == consumers_.end()) return;
    for (const std::size_t index : consumers->second) means_.at(index).Add(elements);
  }

  void Finish() {
    network_.reset();  // who keeps us for the statistics needs the memory of its weights
    for (const auto& [index, means] : means_) statistics_.column_means[index] = means.Means();
  }

  const Graph& graph_;
  std::span<const Image> pictures_;
  Preprocess preprocess_;
  std::optional<Segment> network_;  // not a session, whose kernels may round otherwise on another build
  std::map<ValueId, std::vector<std::size_t>> consumers_;
  std::map<std::size_t, ColumnMeans> means_;  // by node index
  CalibrationStatistics statistics_;
};

}  // namespace

Result<std::unique_ptr<StatisticsJob>> StatisticsJob::Create(const Graph& graph, std::span<const Image> pictures,
                                                             const Preprocess& preprocess) {
  if (pictures.empty())
    return Fail(ErrorCode::kUsage, "calibration needs at least one picture; give some or use synthetic ones");
  auto network = Segment::Create(graph, 0, graph.nodes.size());
  if (!network) return Forward(network);
  return std::make_unique<StatisticsJobImplementation>(graph, pictures, preprocess, std::move(*network));
}

void AddExtent(ValueId id, std::span<const float> elements, ValueExtents& extents) {
  // Sixteen running extents: one would wait for each comparison.
  constexpr std::size_t kLanes = 16;
  std::array<float, kLanes> lows{};
  std::array<float, kLanes> highs{};
  lows.fill(elements[0]);
  highs.fill(elements[0]);
  std::size_t i = 0;
  for (; i + kLanes <= elements.size(); i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const float x = elements[i + lane];
      lows[lane] = x < lows[lane] ? x : lows[lane];
      highs[lane] = x > highs[lane] ? x : highs[lane];
    }
  }
  for (; i < elements.size(); ++i) {
    lows[0] = std::min(lows[0], elements[i]);
    highs[0] = std::max(highs[0], elements[i]);
  }
  const float low = std::ranges::min(lows);
  const float high = std::ranges::max(highs);
  ValueExtent& extent = extents.try_emplace(id, ValueExtent{.low = low, .high = high, .peaks = {}}).first->second;
  extent.low = std::min(extent.low, low);
  extent.high = std::max(extent.high, high);
  extent.peaks.push_back(std::max(-low, high));
}

float MedianPeak(const ValueExtent& extent) {
  std::vector<float> peaks = extent.peaks;
  SortSmall(peaks);
  return peaks[peaks.size() / 2];
}

TensorLayout InputLayout(const Graph& graph) {
  const Shape& shape = *graph.value(graph.inputs[0]).shape;
  return shape.size() == 4 && shape[3] == 3 && shape[1] != 3 ? TensorLayout::kNhwc : TensorLayout::kNchw;
}

}  // namespace kdequant
