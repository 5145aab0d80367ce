// What is known of a node's results before shapes are inferred: integers or floats, and how many axes.
#include <algorithm>

#include "node_context.h"

namespace kdequant::onnx {
namespace {

struct RankVisitor {
  const std::vector<int>& ranks;
  const Graph& graph;
  const std::vector<ValueId>& inputs;

  int First() const { return ranks.empty() ? -1 : ranks[0]; }
  int Broadcast() const {
    int rank = 0;
    for (const int r : ranks) {
      if (r < 0) return -1;
      rank = std::max(rank, r);
    }
    return rank;
  }
  // The length of a constant list of integers (a target shape), -1 where it is computed.
  int LengthOf(std::size_t input) const {
    if (input >= inputs.size() || !graph.IsConstant(inputs[input])) return -1;
    const auto* list = std::get_if<IntTensor>(graph.value(inputs[input]).constant.get());
    return list == nullptr ? -1 : static_cast<int>(list->values.size());
  }

  int operator()(const Conv&) const { return 4; }
  int operator()(const Pool&) const { return 4; }
  int operator()(const Gemm&) const { return 2; }
  int operator()(const Flatten&) const { return 2; }
  int operator()(const ShapeQuery&) const { return 1; }
  int operator()(const Elementwise&) const { return Broadcast(); }
  int operator()(const PRelu&) const { return First(); }
  int operator()(const Reshape&) const { return LengthOf(1); }
  int operator()(const ConstantOfShape&) const { return LengthOf(0); }
  int operator()(const MatMul&) const { return First() == 2 && ranks.back() == 2 ? 2 : -1; }
  int operator()(const ReduceMean& op) const {
    if (op.keep_dimensions) return First();
    if (op.axes.empty()) return 0;
    return First() < 0 ? -1 : First() - static_cast<int>(op.axes.size());
  }
  int operator()(const Squeeze& op) const {
    return op.axes.empty() || First() < 0 ? -1 : First() - static_cast<int>(op.axes.size());
  }
  int operator()(const Unsqueeze& op) const { return First() < 0 ? -1 : First() + static_cast<int>(op.axes.size()); }
  int operator()(const Gather&) const { return First() < 0 || ranks.back() < 0 ? -1 : First() + ranks.back() - 1; }
  int operator()(const auto&) const { return First(); }
};

}  // namespace

ElementType ResultType(const Operator& op, ElementType first_input) {
  if (std::holds_alternative<ShapeQuery>(op)) return ElementType::kInt;
  if (const auto* cast = std::get_if<Cast>(&op))
    return cast->to == Cast::To::kInt ? ElementType::kInt : ElementType::kFloat;
  if (const auto* filled = std::get_if<ConstantOfShape>(&op)) {
    return std::holds_alternative<IntTensor>(filled->value) ? ElementType::kInt : ElementType::kFloat;
  }
  return first_input;
}

int ResultRank(const Operator& op, const std::vector<int>& input_ranks, const Graph& graph,
               const std::vector<ValueId>& inputs) {
  return std::visit(RankVisitor{input_ranks, graph, inputs}, op);
}

}  // namespace kdequant::onnx
