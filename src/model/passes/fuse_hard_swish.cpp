// The hard functions as exporters before opset 14 wrote them, out of additions, clips and divisions.
#include <cmath>
#include <optional>

#include "passes/passes.h"
#include "passes/sweep.h"

namespace kdequant::model {
namespace {

constexpr Activation kHardSigmoid{.kind = Activation::Kind::kHardSigmoid, .a = 1.0F / 6, .b = 0.5F};
constexpr Activation kHardSwish{.kind = Activation::Kind::kHardSwish};

// The number that an operand is everywhere, or nothing.
std::optional<float> Scalar(const Graph& graph, ValueId id) {
  const FloatTensor* constant = graph.FloatConstant(id);
  return constant != nullptr && constant->values.size() == 1 ? std::optional(constant->values[0]) : std::nullopt;
}

// An operation by one number that keeps the shape: which operand is not the number, and the number.
struct ScalarOperation {
  ValueId x = kNoValue;
  float number = 0;
};

std::optional<ScalarOperation> AsScalarOperation(const Graph& graph, const Node& node, Elementwise::Kind kind) {
  const auto* op = std::get_if<Elementwise>(&node.op);
  if (op == nullptr || op->kind != kind || node.activation) return std::nullopt;
  const bool commutes = kind == Elementwise::Kind::kAdd || kind == Elementwise::Kind::kMul;
  for (const std::size_t i : {1U, 0U}) {
    const auto number = Scalar(graph, node.inputs[i]);
    const ValueId x = node.inputs[1 - i];
    if (number && *graph.value(x).shape == *graph.value(node.outputs[0]).shape) return ScalarOperation{x, *number};
    if (!commutes) break;
  }
  return std::nullopt;
}

// What is divided by 6.
std::optional<ValueId> DividedBySix(const Graph& graph, const Node& node) {
  if (const auto divided = AsScalarOperation(graph, node, Elementwise::Kind::kDiv); divided && divided->number == 6) {
    return divided->x;
  }
  const auto multiplied = AsScalarOperation(graph, node, Elementwise::Kind::kMul);
  if (multiplied && std::fabs(multiplied->number - 1.0F / 6) < 1e-6F) return multiplied->x;
  return std::nullopt;
}

class HardSwishFuser {
 public:
  explicit HardSwishFuser(Graph& graph) : graph_(graph), sweep_(graph) {}

  bool Run() {
    while (sweep_.Next()) {
      const auto sixfold = DividedBySix(graph_, sweep_.node());
      if (!sixfold || !Fuse(sweep_.node(), *sixfold)) sweep_.Keep();
    }
    return sweep_.changed();
  }

 private:
  const Node* OnlyUse(ValueId id) const { return sweep_.OtherUses(id) == 0 ? sweep_.Producer(id) : nullptr; }

  // The x of Clip(x + 3, 0, 6), if that is what computes `id`, for one reader.
  std::optional<ValueId> ClippedInput(ValueId id) const {
    const Node* clip = sweep_.Producer(id);
    const auto* activate = clip != nullptr ? std::get_if<Activate>(&clip->op) : nullptr;
    constexpr Activation kRelu6{.kind = Activation::Kind::kClip, .a = 0, .b = 6};
    if (activate == nullptr || activate->function != kRelu6) return std::nullopt;
    const Node* sum = sweep_.Producer(clip->inputs[0]);
    const auto shifted = sum != nullptr ? AsScalarOperation(graph_, *sum, Elementwise::Kind::kAdd) : std::nullopt;
    return shifted && shifted->number == 3 ? std::optional(shifted->x) : std::nullopt;
  }

  bool Fuse(const Node& node, ValueId sixfold) {
    const Node* before = OnlyUse(sixfold);
    if (before == nullptr) return false;
    if (const auto x = ClippedInput(sixfold)) return EmitFunction(node, kHardSigmoid, *x);
    const auto* product = std::get_if<Elementwise>(&before->op);
    if (product == nullptr || product->kind != Elementwise::Kind::kMul || before->activation) return false;
    for (std::size_t i = 0; i < 2; ++i) {
      const auto x = ClippedInput(before->inputs[1 - i]);
      if (x && *x == before->inputs[i]) return EmitFunction(node, kHardSwish, *x);
    }
    return false;
  }

  // What computed the parts is left to die.
  bool EmitFunction(const Node& node, const Activation& function, ValueId x) {
    sweep_.Emit(
        {.name = node.name, .op = Activate{function}, .inputs = {x}, .outputs = node.outputs, .activation = {}});
    return true;
  }

  Graph& graph_;
  Sweep sweep_;
};

}  // namespace

Result<bool> FuseHardSwish(Graph& graph, Work&) { return HardSwishFuser(graph).Run(); }

}  // namespace kdequant::model
