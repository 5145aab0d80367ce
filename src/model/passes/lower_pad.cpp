#include <algorithm>

#include "passes/passes.h"
#include "passes/sweep.h"

namespace kdequant::model {

Result<bool> LowerPad(Graph& graph, Work&) {
  Sweep sweep(graph);
  while (sweep.Next()) {
    const Node node = sweep.node();
    const auto* pad = std::get_if<Pad>(&node.op);
    if (pad == nullptr || std::ranges::none_of(pad->pads, [](std::int64_t v) { return v < 0; })) {
      sweep.Keep();
      continue;
    }
    Shape shape = *graph.value(node.inputs[0]).shape;
    const std::size_t rank = shape.size();
    Slice slice;
    Pad rest = *pad;
    for (std::size_t axis = 0; axis < rank; ++axis) {
      const std::int64_t begin = std::max<std::int64_t>(0, -pad->pads[axis]);
      const std::int64_t end = std::min(shape[axis], shape[axis] + pad->pads[rank + axis]);
      if (end <= begin) {
        shape.clear();  // nothing of the input is left on this axis: only padding
        break;
      }
      slice.axes.push_back(static_cast<std::int64_t>(axis));
      slice.starts.push_back(begin);
      slice.ends.push_back(end);
      slice.steps.push_back(1);
      shape[axis] = end - begin;
      rest.pads[axis] = std::max<std::int64_t>(0, pad->pads[axis]);
      rest.pads[rank + axis] = std::max<std::int64_t>(0, pad->pads[rank + axis]);
    }
    if (shape.empty()) {
      sweep.Keep();
      continue;
    }
    const ValueId sliced = sweep.AddValue(graph.value(node.outputs[0]).name + "/cropped", shape);
    sweep.Emit({.name = node.name + "/crop",
                .op = std::move(slice),
                .inputs = node.inputs,
                .outputs = {sliced},
                .activation = {}});
    sweep.Emit(
        {.name = node.name, .op = std::move(rest), .inputs = {sliced}, .outputs = node.outputs, .activation = {}});
  }
  return sweep.changed();
}

}  // namespace kdequant::model
