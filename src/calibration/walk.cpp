#include "kdequant/calibration/walk.h"

#include <utility>

namespace kdequant {

std::size_t BytesKept(const Graph& graph, std::size_t stop) {
  std::set<ValueId> computed(graph.inputs.begin(), graph.inputs.end());
  for (std::size_t i = 0; i < stop; ++i) computed.insert(graph.nodes[i].outputs.begin(), graph.nodes[i].outputs.end());
  std::set<ValueId> kept;
  for (std::size_t i = stop; i < graph.nodes.size(); ++i) {
    for (const ValueId id : graph.nodes[i].inputs) {
      if (computed.contains(id)) kept.insert(id);
    }
  }
  std::size_t bytes = 0;
  for (const ValueId id : kept) bytes += ElementCount(*graph.value(id).shape).value_or(0) * sizeof(float);
  return bytes;
}

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

void NetworkWalk::Leave() { segment_.reset(); }

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
