#include <algorithm>
#include <numeric>

#include "passes/passes.h"
#include "passes/sweep.h"
#include "shape_inference.h"

namespace kdequant::model {
namespace {

// Whether the operator, whose result is as long as its input along every axis, gives its input back.
struct IsIdentity {
  const Node& node;
  const Shape& shape;

  bool operator()(const Identity&) const { return true; }
  bool operator()(const Cast&) const { return true; }  // integers are gone before, so it is of floats to floats
  bool operator()(const Reshape&) const { return true; }
  bool operator()(const Flatten&) const { return true; }
  bool operator()(const Squeeze&) const { return true; }
  bool operator()(const Unsqueeze&) const { return true; }
  bool operator()(const Concat&) const { return node.inputs.size() == 1; }
  bool operator()(const Split&) const { return node.outputs.size() == 1; }
  bool operator()(const Pad& op) const { return IsZero(op.pads); }
  bool operator()(const Slice& op) const {
    // As long as its input, so it can only be turned around.
    const auto ranges = SliceRanges(op, shape, node);
    return ranges && std::ranges::all_of(*ranges, [](const SliceRange& range) { return range.step > 0; });
  }
  bool operator()(const Transpose& op) const {
    return !op.permutation.empty() ? std::ranges::is_sorted(op.permutation) : shape.size() < 2;
  }
  bool operator()(const Activate& op) const {
    return op.function.kind == Activation::Kind::kClip && op.function.a == -kInfinity && op.function.b == kInfinity;
  }
  bool operator()(const Pool& op) const {
    constexpr std::array<std::int64_t, 2> kOnes{1, 1};
    const auto pads = ResolvedPads(op.window, shape[2], shape[3]);
    return op.window.kernel == kOnes && op.window.strides == kOnes && IsZero(pads);
  }
  bool operator()(const ReduceMean& op) const {
    if (op.axes.empty()) return std::ranges::all_of(shape, [](std::int64_t d) { return d == 1; });
    return std::ranges::all_of(op.axes,
                               [&](std::int64_t axis) { return shape[*NormalizedAxis(axis, shape.size())] == 1; });
  }
  template <typename Op>
  bool operator()(const Op&) const {
    return false;
  }

  template <typename List>
  static bool IsZero(const List& list) {
    return std::ranges::all_of(list, [](std::int64_t v) { return v == 0; });
  }
};

}  // namespace

Result<bool> RemoveIdentities(Graph& graph, Work&) {
  Sweep sweep(graph);
  while (sweep.Next()) {
    const Node& node = sweep.node();
    const Value& input = graph.value(node.inputs[0]);
    const Value& output = graph.value(node.outputs[0]);
    const bool same = !node.activation && input.type == output.type && *input.shape == *output.shape &&
                      std::visit(IsIdentity{node, *input.shape}, node.op);
    if (same && sweep.Bypass(node.outputs[0], node.inputs[0])) continue;
    if (same && !std::holds_alternative<Reshape>(node.op)) {
      // From the graph's input straight to its output: a copy, which a Reshape to the same shape is.
      sweep.Emit(
          {.name = node.name, .op = Reshape{}, .inputs = {node.inputs[0]}, .outputs = node.outputs, .activation = {}});
    } else {
      sweep.Keep();
    }
  }
  return sweep.changed();
}

}  // namespace kdequant::model
