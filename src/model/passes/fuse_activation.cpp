#include <algorithm>
#include <optional>

#include "passes/passes.h"
#include "passes/sweep.h"

namespace kdequant::model {
namespace {

bool IsClip(const Activation& function) {
  return function.kind == Activation::Kind::kRelu ||
         (function.kind == Activation::Kind::kClip && function.a <= function.b);
}

Activation Canonical(const Activation& function) {
  const bool is_relu = function.kind == Activation::Kind::kClip && function.a == 0 && function.b == kInfinity;
  return is_relu ? Activation{.kind = Activation::Kind::kRelu} : function;
}

// One function for two, where there is one: clipping twice is clipping.
std::optional<Activation> Compose(const Activation& first, const Activation& second) {
  if (!IsClip(first) || !IsClip(second)) return std::nullopt;
  const auto bounds = [](const Activation& f) {
    return f.kind == Activation::Kind::kRelu ? std::pair(0.0F, kInfinity) : std::pair(f.a, f.b);
  };
  const auto [low, high] = bounds(second);
  const auto [first_low, first_high] = bounds(first);
  return Canonical(
      {.kind = Activation::Kind::kClip, .a = std::clamp(first_low, low, high), .b = std::clamp(first_high, low, high)});
}

bool TakesActivation(const Operator& op) {
  return std::holds_alternative<Conv>(op) || std::holds_alternative<Gemm>(op) ||
         std::holds_alternative<Elementwise>(op) || std::holds_alternative<Pool>(op) ||
         std::holds_alternative<GlobalPool>(op);
}

// PRelu with one slope for all is LeakyRelu.
std::optional<Activation> AsLeakyRelu(const Graph& graph, const Node& node) {
  if (!std::holds_alternative<PRelu>(node.op)) return std::nullopt;
  const FloatTensor* slope = graph.FloatConstant(node.inputs[1]);
  if (slope == nullptr || slope->values.size() != 1) return std::nullopt;
  return Activation{.kind = Activation::Kind::kLeakyRelu, .a = slope->values[0]};
}

// The function of the node before and `function` behind it, where they can be one node.
std::optional<Activation> Joined(const Node& before, const Activation& function) {
  if (const auto* activate = std::get_if<Activate>(&before.op)) return Compose(activate->function, function);
  if (before.activation) return Compose(*before.activation, function);
  return TakesActivation(before.op) ? std::optional(function) : std::nullopt;
}

}  // namespace

Result<bool> FuseActivation(Graph& graph, Work&) {
  Sweep sweep(graph);
  while (sweep.Next()) {
    Node& node = sweep.node();
    std::optional<Activation> function = AsLeakyRelu(graph, node);
    if (const auto* activate = std::get_if<Activate>(&node.op)) function = activate->function;
    if (!function) {
      sweep.Keep();
      continue;
    }
    const auto canonical = Canonical(*function);
    const ValueId x = node.inputs[0];
    const Node* before = sweep.Producer(x);
    const auto joined = before != nullptr && sweep.OtherUses(x) == 0 ? Joined(*before, canonical) : std::nullopt;
    if (joined) {
      Node merged = sweep.Take(x);
      merged.outputs = node.outputs;
      if (auto* activate = std::get_if<Activate>(&merged.op)) {
        activate->function = *joined;
      } else {
        merged.activation = *joined;
      }
      sweep.Emit(std::move(merged));
    } else if (std::holds_alternative<Activate>(node.op) && canonical == *function) {
      sweep.Keep();
    } else {
      sweep.Emit(
          {.name = node.name, .op = Activate{canonical}, .inputs = {x}, .outputs = node.outputs, .activation = {}});
    }
  }
  return sweep.changed();
}

}  // namespace kdequant::model
