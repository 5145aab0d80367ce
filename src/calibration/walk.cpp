#include "kdequant/calibration/walk.h"

#include <utility>

namespace kdequant {

void NetworkWalk::SetInput(std::size_t picture, ValueId input, std::vector<float> elements) {
  values_[picture][input] = std::move(elements);
}

Result<void> NetworkWalk::Enter(const Graph& graph, std::size_t begin, std::size_t end) {
  segment_.reset();  // its memory goes before the next one's is taken
  auto segment = Segment::Create(graph, begin, end);
  if (!segment) return Forward(segment);
  segment_ = std::move(*segment);
  wanted_.clear();
  for (std::size_t i = end; i < graph.nodes.size(); ++i)
    wanted_.insert(graph.nodes[i].inputs.begin(), graph.nodes[i].inputs.end());
  return {};
}

Result<void> NetworkWalk::Run(std::size_t picture, const Session::Observer& observer) {
  auto& values = values_[picture];
  std::vector<std::span<const float>> inputs;
  for (const ValueId id : segment_->inputs()) inputs.emplace_back(values.at(id));
  auto ran = segment_->Run(inputs, observer);
  if (!ran) return ran;
  std::erase_if(values, [&](const auto& entry) { return !wanted_.contains(entry.first); });
  for (std::size_t i = 0; i < segment_->outputs().size(); ++i) {
    const ValueId id = segment_->outputs()[i];
    if (!wanted_.contains(id)) continue;
    const std::span<const float> elements = segment_->output(i);
    values[id].assign(elements.begin(), elements.end());
  }
  return {};
}

}  // namespace kdequant
