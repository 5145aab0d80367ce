#include <cmath>
#include <optional>

#include "passes/passes.h"
#include "passes/sweep.h"

namespace kdequant::model {
namespace {

// What x times its gate is.
std::optional<Activation> GatedBy(const Activation& gate) {
  if (gate.kind == Activation::Kind::kSigmoid) return Activation{.kind = Activation::Kind::kSwish};
  // Exporters write 1/6 with as few digits as six.
  const bool is_sixth = std::fabs(gate.a - 1.0F / 6) < 1e-6F && gate.b == 0.5F;
  if (gate.kind == Activation::Kind::kHardSigmoid && is_sixth) return Activation{.kind = Activation::Kind::kHardSwish};
  return std::nullopt;
}

}  // namespace

Result<bool> FuseSwish(Graph& graph, Work&) {
  Sweep sweep(graph);
  while (sweep.Next()) {
    const Node& node = sweep.node();
    const auto* product = std::get_if<Elementwise>(&node.op);
    bool fused = false;
    for (std::size_t i = 0; i < 2 && !fused; ++i) {
      if (product == nullptr || product->kind != Elementwise::Kind::kMul || node.activation) break;
      const ValueId x = node.inputs[i];
      const ValueId gate = node.inputs[1 - i];
      const Node* producer = sweep.Producer(gate);
      const auto* activate = producer != nullptr ? std::get_if<Activate>(&producer->op) : nullptr;
      if (activate == nullptr || producer->inputs[0] != x || sweep.OtherUses(gate) > 0) continue;
      const auto function = GatedBy(activate->function);
      if (!function) continue;
      Node gated{
          .name = node.name, .op = Activate{*function}, .inputs = {x}, .outputs = node.outputs, .activation = {}};
      sweep.Take(gate);
      sweep.Emit(std::move(gated));
      fused = true;
    }
    if (!fused) sweep.Keep();
  }
  return sweep.changed();
}

}  // namespace kdequant::model
