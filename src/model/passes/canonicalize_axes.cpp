// Axes counted from the front, permutations and sizes said, slices clamped.
#include <algorithm>
#include <numeric>

#include "kdequant/base/sort.h"
#include "passes/passes.h"
#include "shape_inference.h"

namespace kdequant::model {
namespace {

using Ints = std::vector<std::int64_t>;

// Replaces what differs and says whether anything did.
template <typename T>
bool Replace(T& old, T canonical) {
  if (old == canonical) return false;
  old = std::move(canonical);
  return true;
}

struct Canonicalizer {
  const Graph& graph;
  const Node& node;
  const Shape& shape;  // of the first input

  std::int64_t Axis(std::int64_t axis) const {
    return static_cast<std::int64_t>(NormalizedAxis(axis, shape.size()).value_or(0));
  }

  bool operator()(Concat& op) const { return Replace(op.axis, Axis(op.axis)); }

  bool operator()(Softmax& op) const { return !op.flatten && Replace(op.axis, Axis(op.axis)); }

  bool operator()(Split& op) const {
    const std::int64_t axis = Axis(op.axis);
    Ints sizes;
    for (const ValueId output : node.outputs)
      sizes.push_back((*graph.value(output).shape)[static_cast<std::size_t>(axis)]);
    const bool axis_changed = Replace(op.axis, axis);
    return Replace(op.sizes, std::move(sizes)) || axis_changed;
  }

  bool operator()(ReduceMean& op) const {
    Ints axes(op.axes.empty() ? shape.size() : op.axes.size());
    if (op.axes.empty()) {
      std::iota(axes.begin(), axes.end(), 0);
    } else {
      std::ranges::transform(op.axes, axes.begin(), [&](std::int64_t axis) { return Axis(axis); });
      SortSmall(axes);
    }
    return Replace(op.axes, std::move(axes));
  }

  bool operator()(Transpose& op) const {
    if (!op.permutation.empty()) return false;
    op.permutation.resize(shape.size());
    std::iota(op.permutation.rbegin(), op.permutation.rend(), 0);
    return !shape.empty();
  }

  bool operator()(Slice& op) const {
    const auto ranges = SliceRanges(op, shape, node);
    if (!ranges) return false;  // shapes were inferred, so it makes sense
    Slice canonical;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      const SliceRange& range = (*ranges)[axis];
      if (range.start == 0 && range.step == 1 && range.count == shape[axis]) continue;
      const std::int64_t last = range.start + (range.count - 1) * range.step;
      // ONNX counts -1 from the end; before the first element is one below that of the first.
      const std::int64_t end = range.step > 0 ? last + 1 : (last == 0 ? -shape[axis] - 1 : last - 1);
      canonical.axes.push_back(static_cast<std::int64_t>(axis));
      canonical.starts.push_back(range.start);
      canonical.ends.push_back(end);
      canonical.steps.push_back(range.step);
    }
    bool changed = Replace(op.axes, canonical.axes);
    changed |= Replace(op.starts, canonical.starts);
    changed |= Replace(op.ends, canonical.ends);
    changed |= Replace(op.steps, canonical.steps);
    return changed;
  }

  template <typename Op>
  bool operator()(Op&) const {
    return false;
  }
};

}  // namespace

Result<bool> CanonicalizeAxes(Graph& graph, Work&) {
  bool changed = false;
  for (Node& node : graph.nodes) {
    changed |= std::visit(Canonicalizer{graph, node, *graph.value(node.inputs[0]).shape}, node.op);
  }
  return changed;
}

}  // namespace kdequant::model
