#include "kdequant/model/prepare.h"

#include <algorithm>
#include <new>

#include "check_graph.h"
#include "fault.h"
#include "passes/passes.h"

namespace kdequant {
namespace model {
namespace {

using Pass = Result<bool> (*)(Graph&, Work&);

constexpr Pass kPasses[] = {
    FoldConstants, RemoveDead,      RemoveIdentities, CanonicalizeAxes,    LowerGather,      LowerSoftmax,
    LowerPad,      MergeTransposes, FindGlobalPools,  CanonicalizeReshape, CanonicalizeGemm, ExpandBatchNorm,
    FoldAffine,    FuseHardSwish,   FuseSwish,        ResolvePadding,      FuseActivation,   RemoveDead,
};

// What one pass makes may be work for one before it. Real networks need two rounds and a third that finds nothing to
// do.
constexpr int kMostRounds = 16;

// How much preparation may write: a few times the weights, and room for a small model's shape arithmetic.
Work WorkFor(const Graph& graph) {
  constexpr std::size_t kFree = std::size_t{1} << 24;
  Work work{.elements_left = 4 * kFree, .largest_constant = kFree};
  for (const Value& value : graph.values) {
    if (!value.constant) continue;
    const std::size_t count = ElementCount(ShapeOf(*value.constant)).value_or(0);
    work.elements_left += 4 * count;
    work.largest_constant = std::max(work.largest_constant, count);
  }
  return work;
}

Result<void> RunPasses(Graph& graph) {
  Work work = WorkFor(graph);
  if (auto done = RemoveDead(graph, work); !done) return Forward(done);
  for (int round = 0; round < kMostRounds; ++round) {
    bool changed = false;
    for (const Pass pass : kPasses) {
      auto done = pass(graph, work);
      if (!done) return Forward(done);
      changed |= *done;
      if (graph.IsConstant(graph.outputs[0])) {
        return Fail(ErrorCode::kUnsupported, "the output " + Quoted(graph.value(graph.outputs[0]).name) +
                                                 " does not depend on the input: there is nothing to run");
      }
    }
    if (!changed) break;
  }
  return {};
}

}  // namespace

Result<void> Work::Spend(std::size_t elements, const Node& node) {
  if (elements > elements_left) {
    return Fault(ErrorCode::kLimit, node,
                 "folding constants into it would write many times the model's weights; simplify the model (for "
                 "example with onnxsim)");
  }
  elements_left -= elements;
  return {};
}

}  // namespace model

Result<void> Prepare(Graph& graph, const PrepareOptions& options) {
  try {
    if (auto done = model::CheckGraph(graph); !done) return done;
    if (auto done = model::SettleInput(graph, options); !done) return done;
    if (auto done = model::RunPasses(graph); !done) return done;
    return model::CheckPrepared(graph);
  } catch (const std::bad_alloc&) {
    return Fail(ErrorCode::kOutOfMemory, "there is not enough memory to prepare the model; use a smaller one");
  }
}

}  // namespace kdequant
