#include "fault.h"
#include "kdequant/base/decimal.h"
#include "kdequant/base/math.h"
#include "passes/passes.h"
#include "passes/sweep.h"

namespace kdequant::model {
namespace {

// y = scale x + shift, per channel.
struct ScaleAndShift {
  FloatTensor scale;
  FloatTensor shift;
};

Result<ScaleAndShift> FromBatchNorm(const Graph& graph, const Node& node) {
  const FloatTensor* parameters[4];
  for (std::size_t i = 0; i < 4; ++i) {
    parameters[i] = graph.FloatConstant(node.inputs[i + 1]);
    if (parameters[i] == nullptr) {
      return Fault(ErrorCode::kUnsupported, node,
                   "its parameter " + Quoted(graph.value(node.inputs[i + 1]).name) +
                       " is no constant; export the model for inference");
    }
  }
  const auto& [gamma, beta, mean, variance] = parameters;
  const Shape& x = *graph.value(node.inputs[0]).shape;
  Shape shape(x.size(), 1);
  shape[1] = x[1];
  ScaleAndShift result{{shape, {}}, {shape, {}}};
  const double epsilon = std::get<BatchNormalization>(node.op).epsilon;
  for (std::size_t c = 0; c < gamma->values.size(); ++c) {
    const double spread = static_cast<double>(variance->values[c]) + epsilon;
    if (!(spread > 0)) {
      return Fault(ErrorCode::kNotFinite, node,
                   "the variance of its channel " + std::to_string(c) + " is " + FormatFloat(variance->values[c]) +
                       "; export the model again");
    }
    const double scale = gamma->values[c] / Sqrt(spread);
    result.scale.values.push_back(static_cast<float>(scale));
    result.shift.values.push_back(static_cast<float>(beta->values[c] - mean->values[c] * scale));
  }
  return result;
}

}  // namespace

Result<bool> ExpandBatchNorm(Graph& graph, Work& work) {
  Sweep sweep(graph);
  while (sweep.Next()) {
    const Node& node = sweep.node();
    if (!std::holds_alternative<BatchNormalization>(node.op)) {
      sweep.Keep();
      continue;
    }
    auto affine = FromBatchNorm(graph, node);
    if (!affine) return Forward(affine);
    if (auto paid = work.Spend(2 * affine->scale.values.size(), node); !paid) return Forward(paid);
    const std::string name = graph.value(node.outputs[0]).name;
    const ValueId scale = sweep.AddConstant(name + "/scale", std::move(affine->scale));
    const ValueId shift = sweep.AddConstant(name + "/shift", std::move(affine->shift));
    const ValueId scaled = sweep.AddValue(name + "/scaled", *graph.value(node.outputs[0]).shape);
    sweep.Emit({.name = node.name + "/scale",
                .op = Elementwise{Elementwise::Kind::kMul},
                .inputs = {node.inputs[0], scale},
                .outputs = {scaled},
                .activation = {}});
    sweep.Emit({.name = node.name,
                .op = Elementwise{Elementwise::Kind::kAdd},
                .inputs = {scaled, shift},
                .outputs = node.outputs,
                .activation = {}});
  }
  return sweep.changed();
}

}  // namespace kdequant::model
