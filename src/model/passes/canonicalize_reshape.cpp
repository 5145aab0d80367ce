#include <algorithm>

#include "passes/passes.h"
#include "passes/sweep.h"

namespace kdequant::model {
namespace {

// Whether only axes of length 1 change places: then no element moves.
bool MovesNoElement(const Transpose& transpose, const Shape& shape) {
  std::int64_t last = -1;
  for (const std::int64_t axis : transpose.permutation) {
    if (shape[static_cast<std::size_t>(axis)] == 1) continue;
    if (axis < last) return false;
    last = axis;
  }
  return !transpose.permutation.empty();
}

bool IsReshape(const Node& node) { return std::holds_alternative<Reshape>(node.op) && node.inputs.size() == 1; }

bool KeepsOrder(const Graph& graph, const Node& node) {
  if (const auto* transpose = std::get_if<Transpose>(&node.op)) {
    return MovesNoElement(*transpose, *graph.value(node.inputs[0]).shape);
  }
  return std::holds_alternative<Reshape>(node.op) || std::holds_alternative<Flatten>(node.op) ||
         std::holds_alternative<Squeeze>(node.op) || std::holds_alternative<Unsqueeze>(node.op);
}

}  // namespace

Result<bool> CanonicalizeReshape(Graph& graph, Work&) {
  Sweep sweep(graph);
  while (sweep.Next()) {
    Node& node = sweep.node();
    if (!KeepsOrder(graph, node)) {
      sweep.Keep();
      continue;
    }
    const Node* before = sweep.Producer(node.inputs[0]);
    const bool chained = before != nullptr && IsReshape(*before);
    if (IsReshape(node) && !chained && !std::get<Reshape>(node.op).allow_zero) {
      sweep.Keep();
      continue;
    }
    // The target is the shape of the output.
    sweep.Emit({.name = node.name,
                .op = Reshape{},
                .inputs = {chained ? before->inputs[0] : node.inputs[0]},
                .outputs = node.outputs,
                .activation = {}});
  }
  return sweep.changed();
}

}  // namespace kdequant::model
