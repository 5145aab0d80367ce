#include <algorithm>

#include "passes/passes.h"
#include "shape_inference.h"

namespace kdequant::model {

Result<bool> FoldConstants(Graph& graph, Work& work) {
  FoldingLimits limits{.largest = work.largest_constant, .total = work.elements_left, .must_fold = true};
  auto known = InferShapesAndConstants(graph, limits);
  work.elements_left = limits.total;
  if (!known) return Forward(known);
  for (std::size_t i = 0; i < graph.values.size(); ++i) {
    if ((*known)[i]) graph.values[i].constant = std::move((*known)[i]);
  }
  const auto folded = std::erase_if(graph.nodes, [&](const Node& node) { return graph.IsConstant(node.outputs[0]); });
  return folded > 0;
}

}  // namespace kdequant::model
