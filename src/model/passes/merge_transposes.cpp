#include "passes/passes.h"
#include "passes/sweep.h"

namespace kdequant::model {

Result<bool> MergeTransposes(Graph& graph, Work&) {
  Sweep sweep(graph);
  while (sweep.Next()) {
    const auto* second = std::get_if<Transpose>(&sweep.node().op);
    const Node* before = second != nullptr ? sweep.Producer(sweep.node().inputs[0]) : nullptr;
    const auto* first = before != nullptr ? std::get_if<Transpose>(&before->op) : nullptr;
    if (first == nullptr) {
      sweep.Keep();
      continue;
    }
    Node merged = sweep.node();
    auto& order = std::get<Transpose>(merged.op).permutation;
    for (std::int64_t& axis : order) axis = first->permutation[static_cast<std::size_t>(axis)];
    merged.inputs = {before->inputs[0]};
    sweep.Emit(std::move(merged));
  }
  return sweep.changed();
}

}  // namespace kdequant::model
