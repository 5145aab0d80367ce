#include <algorithm>
#include <optional>

#include "kdequant/base/sort.h"
#include "passes/passes.h"
#include "passes/sweep.h"

namespace kdequant::model {
namespace {

// The kind of pooling over whole planes that a node does; nothing if it does something else.
std::optional<Pool::Kind> GlobalKind(const Graph& graph, const Node& node) {
  const Shape& x = *graph.value(node.inputs[0]).shape;
  if (const auto* mean = std::get_if<ReduceMean>(&node.op)) {
    const bool planes = x.size() == 4 && mean->axes == std::vector<std::int64_t>{2, 3};
    return planes ? std::optional(Pool::Kind::kAverage) : std::nullopt;
  }
  const auto* pool = std::get_if<Pool>(&node.op);
  if (pool == nullptr || pool->window.auto_pad != AutoPad::kExplicit) return std::nullopt;
  const Shape& y = *graph.value(node.outputs[0]).shape;
  const bool whole = pool->window.kernel[0] == x[2] && pool->window.kernel[1] == x[3] && y[2] == 1 && y[3] == 1;
  const bool unpadded = std::ranges::all_of(pool->window.pads, [](std::int64_t v) { return v == 0; });
  return whole && unpadded ? std::optional(pool->kind) : std::nullopt;
}

// The mean over some axes of a mean over others, as a mean of the input of both.
std::optional<ReduceMean> Joined(const ReduceMean& first, const ReduceMean& second, std::size_t rank) {
  if (first.keep_dimensions != second.keep_dimensions) return std::nullopt;
  std::vector<std::int64_t> left;  // axes that the first one leaves
  for (std::int64_t axis = 0; axis < static_cast<std::int64_t>(rank); ++axis) {
    if (first.keep_dimensions || std::ranges::find(first.axes, axis) == first.axes.end()) left.push_back(axis);
  }
  ReduceMean joined = first;
  for (const std::int64_t axis : second.axes) joined.axes.push_back(left[static_cast<std::size_t>(axis)]);
  SortSmall(joined.axes);
  const auto doubled = std::ranges::unique(joined.axes);
  joined.axes.erase(doubled.begin(), doubled.end());
  return joined;
}

}  // namespace

Result<bool> FindGlobalPools(Graph& graph, Work&) {
  Sweep sweep(graph);
  while (sweep.Next()) {
    Node node = sweep.node();
    bool joined = false;
    if (auto* mean = std::get_if<ReduceMean>(&node.op)) {
      const Node* before = sweep.Producer(node.inputs[0]);
      const auto* first = before != nullptr ? std::get_if<ReduceMean>(&before->op) : nullptr;
      if (first != nullptr && sweep.OtherUses(node.inputs[0]) == 0) {
        if (auto both = Joined(*first, *mean, graph.value(before->inputs[0]).shape->size())) {
          node.inputs = sweep.Take(node.inputs[0]).inputs;
          *mean = std::move(*both);
          joined = true;
        }
      }
    }
    const auto kind = GlobalKind(graph, node);
    if (!kind) {
      joined ? sweep.Emit(std::move(node)) : sweep.Keep();
      continue;
    }
    node.op = GlobalPool{*kind};
    const Shape& x = *graph.value(node.inputs[0]).shape;
    const Shape pooled{x[0], x[1], 1, 1};
    if (*graph.value(node.outputs[0]).shape == pooled) {
      sweep.Emit(std::move(node));
      continue;
    }
    const ValueId result = node.outputs[0];
    const std::string name = node.name;
    node.outputs = {sweep.AddValue(graph.value(result).name + "/pooled", pooled)};
    const ValueId planes = node.outputs[0];
    sweep.Emit(std::move(node));
    sweep.Emit({.name = name + "/shape", .op = Reshape{}, .inputs = {planes}, .outputs = {result}, .activation = {}});
  }
  return sweep.changed();
}

}  // namespace kdequant::model
