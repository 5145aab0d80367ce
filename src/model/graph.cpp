#include "kdequant/model/graph.h"

namespace kdequant {
namespace {

// The product of the dimensions, 0 where the shape is not known.
std::int64_t Elements(const Graph& graph, ValueId id) {
  const auto& shape = graph.value(id).shape;
  if (!shape) return 0;
  const auto count = ElementCount(*shape);
  return count ? static_cast<std::int64_t>(*count) : 0;
}

std::int64_t LastDimension(const Graph& graph, ValueId id) {
  const auto& shape = graph.value(id).shape;
  return shape && !shape->empty() ? shape->back() : 0;
}

}  // namespace

const FloatTensor* Graph::FloatConstant(ValueId id) const {
  return IsConstant(id) ? std::get_if<FloatTensor>(value(id).constant.get()) : nullptr;
}

bool HasWeights(const Graph& graph, const Node& node) {
  if (!std::holds_alternative<Conv>(node.op) && !std::holds_alternative<Gemm>(node.op)) return false;
  return node.inputs.size() >= 2 && graph.IsConstant(node.inputs[1]) &&
         !std::holds_alternative<IntTensor>(*graph.value(node.inputs[1]).constant);
}

bool IsWholeMean(const Node& node) {
  if (const auto* pool = std::get_if<GlobalPool>(&node.op)) return pool->kind == Pool::Kind::kAverage;
  const auto* mean = std::get_if<ReduceMean>(&node.op);
  return mean != nullptr && mean->axes == std::vector<std::int64_t>{2, 3};
}

std::int64_t MultiplyAccumulates(const Graph& graph, const Node& node) {
  if (node.inputs.size() < 2 || node.outputs.empty()) return 0;
  const std::int64_t outputs = Elements(graph, node.outputs[0]);
  if (std::holds_alternative<Conv>(node.op)) {
    const auto& weight = graph.value(node.inputs[1]).shape;
    if (!weight || weight->empty() || (*weight)[0] < 1) return 0;
    return outputs * (Elements(graph, node.inputs[1]) / (*weight)[0]);
  }
  if (const auto* gemm = std::get_if<Gemm>(&node.op)) {
    const auto& a = graph.value(node.inputs[0]).shape;
    if (!a || a->size() != 2) return 0;
    return outputs * (*a)[gemm->trans_a ? 0 : 1];
  }
  if (std::holds_alternative<MatMul>(node.op)) return outputs * LastDimension(graph, node.inputs[0]);
  return 0;
}

bool IsDepthwise(const Graph& graph, const Node& node) {
  const auto* conv = std::get_if<Conv>(&node.op);
  if (conv == nullptr || conv->groups < 2 || node.inputs.size() < 2) return false;
  const auto& weight = graph.value(node.inputs[1]).shape;
  return weight && weight->size() == 4 && (*weight)[1] == 1;
}

}  // namespace kdequant
