#include <algorithm>
#include <vector>

#include "passes/passes.h"

namespace kdequant::model {

Result<bool> RemoveDead(Graph& graph, Work&) {
  std::vector<bool> alive(graph.values.size(), false);
  const auto mark = [&](ValueId id) {
    if (id != kNoValue) alive[static_cast<std::size_t>(id)] = true;
  };
  for (const ValueId output : graph.outputs) mark(output);
  std::vector<bool> dead_node(graph.nodes.size(), false);
  for (std::size_t n = graph.nodes.size(); n-- > 0;) {
    const Node& node = graph.nodes[n];
    dead_node[n] = std::ranges::none_of(node.outputs, [&](ValueId id) { return alive[static_cast<std::size_t>(id)]; });
    if (dead_node[n]) continue;
    for (const ValueId input : node.inputs) mark(input);
    for (const ValueId output : node.outputs) mark(output);
  }
  for (const ValueId input : graph.inputs) mark(input);
  if (std::ranges::find(alive, false) == alive.end()) return false;

  std::vector<ValueId> renumbered(graph.values.size(), kNoValue);
  std::vector<Value> values;
  for (std::size_t i = 0; i < graph.values.size(); ++i) {
    if (!alive[i]) continue;
    renumbered[i] = static_cast<ValueId>(values.size());
    values.push_back(std::move(graph.values[i]));
  }
  const auto renumber = [&](std::vector<ValueId>& ids) {
    for (ValueId& id : ids) {
      if (id != kNoValue) id = renumbered[static_cast<std::size_t>(id)];
    }
  };
  std::vector<Node> nodes;
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    if (dead_node[n]) continue;
    renumber(graph.nodes[n].inputs);
    renumber(graph.nodes[n].outputs);
    nodes.push_back(std::move(graph.nodes[n]));
  }
  renumber(graph.inputs);
  renumber(graph.outputs);
  graph.values = std::move(values);
  graph.nodes = std::move(nodes);
  return true;
}

}  // namespace kdequant::model
