#include "lower_f32.h"

#include <algorithm>
#include <optional>

#include "kernels/strided.h"

namespace kdequant::runtime {
namespace {

constexpr std::size_t kNamedNodes = 10;  // In one message.

struct Dispatch {
  const NodeLowering& lowering;

  void operator()(const Conv& op) const { LowerConv(lowering, op); }
  void operator()(const Gemm& op) const { LowerGemm(lowering, op); }
  void operator()(const MatMul&) const { LowerMatMul(lowering); }
  void operator()(const Activate& op) const { LowerActivate(lowering, op); }
  void operator()(const PRelu&) const { LowerPRelu(lowering); }
  void operator()(const Elementwise& op) const { LowerElementwise(lowering, op); }
  void operator()(const Concat& op) const { LowerConcat(lowering, op); }
  void operator()(const Pool& op) const { LowerPool(lowering, op); }
  void operator()(const GlobalPool& op) const { LowerGlobalPool(lowering, op); }
  void operator()(const ReduceMean& op) const { LowerReduceMean(lowering, op); }
  void operator()(const Reshape&) const { LowerView(lowering); }
  void operator()(const Flatten&) const { LowerView(lowering); }
  void operator()(const Squeeze&) const { LowerView(lowering); }
  void operator()(const Unsqueeze&) const { LowerView(lowering); }
  void operator()(const Identity&) const { LowerView(lowering); }
  void operator()(const Cast&) const { LowerView(lowering); }
  void operator()(const Pad& op) const { LowerPad(lowering, op); }
  void operator()(const Slice& op) const { LowerSlice(lowering, op); }
  void operator()(const Split& op) const { LowerSplit(lowering, op); }
  void operator()(const Transpose& op) const { LowerTranspose(lowering, op); }
  void operator()(const Lrn& op) const { LowerLrn(lowering, op); }
  void operator()(const Softmax& op) const { LowerSoftmax(lowering, op); }
  // CheckRunnable refuses these.
  void operator()(const BatchNormalization&) const {}
  void operator()(const ShapeQuery&) const {}
  void operator()(const Gather&) const {}
  void operator()(const ConstantOfShape&) const {}
};

bool RunsAtAll(const Operator& op) {
  if (const auto* cast = std::get_if<Cast>(&op)) return cast->to == Cast::To::kFloat;
  if (const auto* gemm = std::get_if<Gemm>(&op)) return gemm->alpha == 1 && gemm->beta == 1 && !gemm->trans_a;
  return !std::holds_alternative<BatchNormalization>(op) && !std::holds_alternative<ShapeQuery>(op) &&
         !std::holds_alternative<Gather>(op) && !std::holds_alternative<ConstantOfShape>(op);
}

bool WantsImages(const Operator& op) {
  return std::holds_alternative<Conv>(op) || std::holds_alternative<Pool>(op) ||
         std::holds_alternative<GlobalPool>(op) || std::holds_alternative<Lrn>(op);
}

// Why the engine cannot run the node, if it cannot.
std::optional<std::string> Obstacle(const Graph& graph, const Node& node) {
  if (!RunsAtAll(node.op)) return "";
  const auto bad = [&](ValueId id) {
    if (id == kNoValue) return false;
    const Value& value = graph.value(id);
    return value.type == ElementType::kInt || !value.shape ||
           (value.constant && std::holds_alternative<IntTensor>(*value.constant));
  };
  if (std::ranges::any_of(node.inputs, bad) || std::ranges::any_of(node.outputs, bad))
    return " on integers or unknown shapes";
  const auto rank = [&](ValueId id) { return id == kNoValue ? 0 : graph.value(id).shape->size(); };
  for (const ValueId id : node.inputs) {
    if (rank(id) > kMostDimensions) return " with more than " + std::to_string(kMostDimensions) + " dimensions";
  }
  for (const ValueId id : node.outputs) {
    if (rank(id) > kMostDimensions) return " with more than " + std::to_string(kMostDimensions) + " dimensions";
  }
  if (WantsImages(node.op) && rank(node.inputs[0]) != 4)
    return " on " + std::to_string(rank(node.inputs[0])) + " dimensions";
  return std::nullopt;
}

}  // namespace

Result<void> CheckRunnable(const Graph& graph) {
  std::string names;
  std::size_t count = 0;
  std::string first;
  for (const Node& node : graph.nodes) {
    const auto obstacle = Obstacle(graph, node);
    if (!obstacle) continue;
    if (count == 0) first = node.name;
    if (count < kNamedNodes)
      names += (count ? ", \"" : "\"") + node.name + "\" (" + std::string(OperatorName(node.op)) + *obstacle + ")";
    ++count;
  }
  if (count == 0) return {};
  if (count > kNamedNodes) names += " and " + std::to_string(count - kNamedNodes) + " more";
  return Fail(ErrorCode::kUnsupported,
              "the engine cannot run " + names + "; prepare the graph, or export the model without such nodes", first);
}

std::ptrdiff_t NodeLowering::OutputElements() const {
  std::ptrdiff_t count = 1;
  for (const std::int64_t dimension : OutputShape()) count *= static_cast<std::ptrdiff_t>(dimension);
  return count;
}

void NodeLowering::ActivatePlain(SlotId output) const {
  if (!node.activation) return;
  builder.AddStep(
      {output}, {output},
      [output, activation = *node.activation, count = OutputElements()](Memory& memory) {
        ApplyToRun(activation, memory.F32(output), memory.F32(output), count);
      },
      OperatorName(Activate{*node.activation}));
}

void NodeLowering::ActivateRest(const Epilogue& epilogue, SlotId output) const {
  if (!epilogue.rest) return;
  builder.AddStep(
      {output}, {output},
      [output, activation = *epilogue.rest, image = ImageOf(OutputShape())](Memory& memory) {
        ApplyToImage(activation, image, memory.F32(output), memory.F32(output), memory.threads());
      },
      OperatorName(Activate{*epilogue.rest}));
}

void LowerNodeF32(PlanBuilder& builder, const Node& node) {
  std::visit(Dispatch{NodeLowering{builder, node}}, node.op);
}

Result<void> LowerF32(PlanBuilder& builder) {
  for (const Node& node : builder.graph().nodes) {
    builder.BeginNode(node);
    LowerNodeF32(builder, node);
    builder.EndNode();
  }
  return {};
}

}  // namespace kdequant::runtime
