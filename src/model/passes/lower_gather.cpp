#include <vector>

#include "passes/passes.h"
#include "passes/sweep.h"
#include "shape_inference.h"

namespace kdequant::model {
namespace {

// Consecutive indices.
struct Run {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

std::vector<Run> Runs(const std::vector<std::int64_t>& indices, std::int64_t length) {
  std::vector<Run> runs;
  for (const std::int64_t index : indices) {
    const std::int64_t position = index < 0 ? index + length : index;
    if (!runs.empty() && runs.back().end == position) {
      ++runs.back().end;
    } else {
      runs.push_back({position, position + 1});
    }
  }
  return runs;
}

// More parts than that are a permutation, for which Slice and Concat are no good.
constexpr std::size_t kMostRuns = 256;

class GatherLowering {
 public:
  explicit GatherLowering(Graph& graph) : graph_(graph), sweep_(graph) {}

  bool Run() {
    while (sweep_.Next()) {
      if (!Lower(sweep_.node())) sweep_.Keep();
    }
    return sweep_.changed();
  }

 private:
  bool Lower(const Node& node) {
    const auto* gather = std::get_if<Gather>(&node.op);
    if (gather == nullptr || !graph_.IsConstant(node.inputs[1])) return false;
    const auto* indices = std::get_if<IntTensor>(graph_.value(node.inputs[1]).constant.get());
    const Shape data = *graph_.value(node.inputs[0]).shape;
    const auto axis = NormalizedAxis(gather->axis, data.size());
    if (indices == nullptr || !axis) return false;
    for (const std::int64_t index : indices->values) {
      if (index < -data[*axis] || index >= data[*axis]) return false;
    }
    const auto runs = Runs(indices->values, data[*axis]);
    if (runs.empty() || runs.size() > kMostRuns) return false;

    const std::string name = graph_.value(node.outputs[0]).name;
    std::vector<ValueId> parts;
    for (const auto& run : runs) {
      Shape shape = data;
      shape[*axis] = run.end - run.begin;
      parts.push_back(sweep_.AddValue(name + "/part", shape));
      sweep_.Emit({.name = node.name + "/part",
                   .op = Slice{{run.begin}, {run.end}, {static_cast<std::int64_t>(*axis)}, {1}},
                   .inputs = {node.inputs[0]},
                   .outputs = {parts.back()},
                   .activation = {}});
    }
    if (parts.size() > 1) {
      Shape shape = data;
      shape[*axis] = static_cast<std::int64_t>(indices->values.size());
      const ValueId whole = sweep_.AddValue(name + "/parts", shape);
      sweep_.Emit({.name = node.name + "/parts",
                   .op = Concat{static_cast<std::int64_t>(*axis)},
                   .inputs = parts,
                   .outputs = {whole},
                   .activation = {}});
      parts = {whole};
    }
    // To the rank that the indices' shape gives; nothing, and removed later, where they are a list.
    sweep_.Emit({.name = node.name, .op = Reshape{}, .inputs = parts, .outputs = node.outputs, .activation = {}});
    return true;
  }

  Graph& graph_;
  Sweep sweep_;
};

}  // namespace

Result<bool> LowerGather(Graph& graph, Work& work) {
  // Every part reads its input once more: parts count as work.
  for (const Node& node : graph.nodes) {
    if (!std::holds_alternative<Gather>(node.op) || !graph.IsConstant(node.inputs[1])) continue;
    const std::size_t count = ElementCount(*graph.value(node.inputs[1]).shape).value_or(0);
    if (auto paid = work.Spend(count, node); !paid) return Forward(paid);
  }
  return GatherLowering(graph).Run();
}

}  // namespace kdequant::model
