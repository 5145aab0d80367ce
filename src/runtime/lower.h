// lower.h
// From nodes to steps.
#ifndef KDEQUANT_RUNTIME_LOWER_H_
#define KDEQUANT_RUNTIME_LOWER_H_

#include "kdequant/base/result.h"
#include "plan.h"

namespace kdequant::runtime {

/// kUnsupported if a node cannot be run in float32; one sentence that names all such nodes.
Result<void> CheckRunnable(const Graph& graph);

/// Lowers one node to float32 steps between BeginNode and EndNode, which the caller calls. The inputs are fetched by
/// RequireF32, so they may be in any format; the outputs get float32 slots of the layout that suits the kernel.
/// CheckRunnable must have passed.
///
/// Every float32 kernel adds in one fixed order, kSimd128 the same as kReference, and takes its functions from
/// base/math.h: a w4a8 network that computes some layers in float stays bit-identical on every build. Only where
/// PlanBuilder::fused() allows it do convolutions round a product and a sum together, and only where tiles() does are
/// 3x3 convolutions other sums than the reference's (but the same on every build).
void LowerNodeF32(PlanBuilder& builder, const Node& node);

/// Lowers the whole graph in float32.
Result<void> LowerF32(PlanBuilder& builder);

/// Lowers the whole graph with quantized weights and byte activations. `dynamic_ranges`: see SessionOptions.
Result<void> LowerW4A8(PlanBuilder& builder, bool dynamic_ranges);

}  // namespace kdequant::runtime

#endif  // KDEQUANT_RUNTIME_LOWER_H_
