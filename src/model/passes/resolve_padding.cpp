#include <algorithm>

#include "passes/passes.h"
#include "passes/sweep.h"
#include "shape_inference.h"

namespace kdequant::model {
namespace {

Window* WindowOf(Node& node) {
  if (auto* conv = std::get_if<Conv>(&node.op)) return &conv->window;
  if (auto* pool = std::get_if<Pool>(&node.op)) return &pool->window;
  return nullptr;
}

// Whether the node pads pictures by zeros and does nothing else, as a convolution's own padding does.
bool PadsByZeros(const Node& node) {
  const auto* pad = std::get_if<Pad>(&node.op);
  if (pad == nullptr || pad->mode != Pad::Mode::kConstant || pad->value != 0 || pad->pads.size() != 8) return false;
  const bool on_planes = pad->pads[0] == 0 && pad->pads[1] == 0 && pad->pads[4] == 0 && pad->pads[5] == 0;
  return on_planes && std::ranges::all_of(pad->pads, [](std::int64_t v) { return v >= 0; });
}

}  // namespace

Result<bool> ResolvePadding(Graph& graph, Work&) {
  Sweep sweep(graph);
  while (sweep.Next()) {
    Node node = sweep.node();
    Window* window = WindowOf(node);
    if (window == nullptr) {
      sweep.Keep();
      continue;
    }
    bool resolved = false;
    if (window->auto_pad != AutoPad::kExplicit) {
      const Shape& x = *graph.value(node.inputs[0]).shape;
      window->pads = ResolvedPads(*window, x[2], x[3]);
      window->auto_pad = AutoPad::kExplicit;
      resolved = true;
    }
    const Node* before = sweep.Producer(node.inputs[0]);
    if (std::holds_alternative<Conv>(node.op) && before != nullptr && PadsByZeros(*before)) {
      const auto& pads = std::get<Pad>(before->op).pads;
      window->pads = {window->pads[0] + pads[2], window->pads[1] + pads[3], window->pads[2] + pads[6],
                      window->pads[3] + pads[7]};
      node.inputs[0] = before->inputs[0];
      resolved = true;
    }
    if (resolved) {
      sweep.Emit(std::move(node));
    } else {
      sweep.Keep();
    }
  }
  return sweep.changed();
}

}  // namespace kdequant::model
