// The steps of preparation, in the order in which prepare.cpp takes them. Each keeps the graph a correct graph for the
// same function and says whether it changed anything.
#ifndef KDEQUANT_MODEL_PASSES_PASSES_H_
#define KDEQUANT_MODEL_PASSES_PASSES_H_

#include <cstddef>

#include "kdequant/base/result.h"
#include "kdequant/model/graph.h"
#include "kdequant/model/prepare.h"

namespace kdequant::model {

/// Elements that all passes together may still write into new constants, so that a small file cannot keep us busy, or
/// grow, without end.
struct Work {
  std::size_t elements_left = 0;
  std::size_t largest_constant = 0;  ///< Elements of the largest constant that folding may make.

  /// kLimit, naming the node, when it is used up.
  Result<void> Spend(std::size_t elements, const Node& node);
};

/// One float input of rank 2 or 4 with every size known and a batch of 1, one output. Not a pass: done once, before
/// shapes.
Result<void> SettleInput(Graph& graph, const PrepareOptions& options);

/// Shapes of every value; what can be computed from constants and shapes becomes a constant, its nodes go.
Result<bool> FoldConstants(Graph& graph, Work& work);

/// Nodes that nothing reads, and values that no node names, go.
Result<bool> RemoveDead(Graph& graph, Work& work);

/// Identity, and every other node whose result is its input: casts of floats to floats, empty Pads, whole Slices, a
/// Concat of one...
Result<bool> RemoveIdentities(Graph& graph, Work& work);

/// Axes counted from the front and ascending; permutations and the sizes of a Split said; a Slice's starts and ends
/// clamped to what there is (`-length - 1` for an end before the first element), without the axes that it takes as a
/// whole.
Result<bool> CanonicalizeAxes(Graph& graph, Work& work);

/// Gather by constant indices to Slice, Concat and Reshape.
Result<bool> LowerGather(Graph& graph, Work& work);

/// A Softmax over several axes together to one over the last axis of a matrix.
Result<bool> LowerSoftmax(Graph& graph, Work& work);

/// What a Pad removes (negative pads) to a Slice before it.
Result<bool> LowerPad(Graph& graph, Work& work);

/// One Transpose for two.
Result<bool> MergeTransposes(Graph& graph, Work& work);

/// Means and pools over whole planes to GlobalPool.
Result<bool> FindGlobalPools(Graph& graph, Work& work);

/// Flatten, Squeeze, Unsqueeze and Reshape to a Reshape with one input; one Reshape for a chain of them.
Result<bool> CanonicalizeReshape(Graph& graph, Work& work);

/// MatMul by a constant matrix to Gemm; a constant Gemm weight to [N, K] and its bias to [N]; alpha, beta and trans_a
/// to 1, 1 and false; Gemm of two computed matrices to MatMul.
Result<bool> CanonicalizeGemm(Graph& graph, Work& work);

/// BatchNormalization to a Mul and an Add by [1, C, 1, 1], for FoldAffine or to stay.
Result<bool> ExpandBatchNorm(Graph& graph, Work& work);

/// Add, Sub, Mul and Div by one constant per channel into the Conv or Gemm before them.
Result<bool> FoldAffine(Graph& graph, Work& work);

/// x Sigmoid(x) to Swish, x HardSigmoid(x) to HardSwish.
Result<bool> FuseSwish(Graph& graph, Work& work);

/// Clip(x + 3, 0, 6) / 6 to HardSigmoid, x Clip(x + 3, 0, 6) / 6 to HardSwish.
Result<bool> FuseHardSwish(Graph& graph, Work& work);

/// auto_pad to pads; zeros padded around a picture by a node of its own into the Conv behind it.
Result<bool> ResolvePadding(Graph& graph, Work& work);

/// Activations into the nodes that compute their inputs.
Result<bool> FuseActivation(Graph& graph, Work& work);

/// The promise of a prepared graph. Not a pass: done once, at the end.
Result<void> CheckPrepared(const Graph& graph);

}  // namespace kdequant::model

#endif  // KDEQUANT_MODEL_PASSES_PASSES_H_
