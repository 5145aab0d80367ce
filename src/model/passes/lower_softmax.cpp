#include <algorithm>

#include "passes/passes.h"
#include "passes/sweep.h"

namespace kdequant::model {

Result<bool> LowerSoftmax(Graph& graph, Work&) {
  Sweep sweep(graph);
  while (sweep.Next()) {
    const Node node = sweep.node();
    const auto* softmax = std::get_if<Softmax>(&node.op);
    if (softmax == nullptr || !softmax->flatten) {
      sweep.Keep();
      continue;
    }
    const Shape shape = *graph.value(node.inputs[0]).shape;
    const auto rank = static_cast<std::int64_t>(shape.size());
    const std::int64_t axis = softmax->axis < 0 ? softmax->axis + rank : softmax->axis;
    const auto from = shape.begin() + static_cast<std::ptrdiff_t>(axis);
    const bool alone = axis < rank && std::all_of(from + 1, shape.end(), [](std::int64_t d) { return d == 1; });
    if (alone) {
      sweep.Emit({.name = node.name,
                  .op = Softmax{.axis = axis, .log = softmax->log},
                  .inputs = node.inputs,
                  .outputs = node.outputs,
                  .activation = {}});
      continue;
    }
    const std::string name = graph.value(node.outputs[0]).name;
    const Shape matrix{static_cast<std::int64_t>(ElementCount({shape.begin(), from}).value_or(0)),
                       static_cast<std::int64_t>(ElementCount({from, shape.end()}).value_or(0))};
    const ValueId flat = sweep.AddValue(name + "/flat", matrix);
    const ValueId soft = sweep.AddValue(name + "/soft", matrix);
    sweep.Emit(
        {.name = node.name + "/flat", .op = Reshape{}, .inputs = node.inputs, .outputs = {flat}, .activation = {}});
    sweep.Emit({.name = node.name,
                .op = Softmax{.axis = 1, .log = softmax->log},
                .inputs = {flat},
                .outputs = {soft},
                .activation = {}});
    sweep.Emit(
        {.name = node.name + "/shape", .op = Reshape{}, .inputs = {soft}, .outputs = node.outputs, .activation = {}});
  }
  return sweep.changed();
}

}  // namespace kdequant::model
