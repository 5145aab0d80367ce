// Shapes of what nodes compute, together with the constants that shapes are computed from.
#ifndef KDEQUANT_MODEL_SHAPE_INFERENCE_H_
#define KDEQUANT_MODEL_SHAPE_INFERENCE_H_

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kdequant/base/result.h"
#include "kdequant/model/graph.h"

namespace kdequant::model {

/// What is known of the values, by ValueId: the graph's constants and what was computed from them; null elsewhere.
using KnownTensors = std::vector<std::shared_ptr<const Tensor>>;

/// Windows, strides and axes go up to this, so that their sums and products fit 64 bits.
inline constexpr std::int64_t kLargestExtent = 0x7fffffff;

/// One node whose inputs' shapes are known.
struct InferenceContext {
  const Graph& graph;
  const Node& node;
  const KnownTensors& known;

  bool Has(std::size_t i) const { return i < node.inputs.size() && node.inputs[i] != kNoValue; }
  const Shape& Input(std::size_t i) const { return *graph.value(node.inputs[i]).shape; }
  /// The integers of input `i`, or null where they are not known.
  const IntTensor* KnownInts(std::size_t i) const;
  std::unexpected<Error> Bad(std::string_view text) const;
};

/// The shapes of a node's outputs. Errors: kBadInput, kUnsupported.
Result<std::vector<Shape>> InferNode(const InferenceContext& context);

/// How far folding may go: both guard against files that are small and grow when they are computed.
struct FoldingLimits {
  std::size_t largest =
      0;                   ///< Elements of one folded constant; larger ones are not computed (or fail, if `must_fold`).
  std::size_t total = 0;   ///< Elements of all of them; reduced as they are made.
  bool must_fold = false;  ///< Beyond a limit: kLimit instead of an unknown value.
};

/// Sets the type and shape of every value that a node computes, and returns the constants, known and computed. Expects
/// a graph that passed CheckGraph. Errors: kBadInput, kUnsupported, kLimit.
Result<KnownTensors> InferShapesAndConstants(Graph& graph, FoldingLimits& limits);

/// An axis counted from the front, or nothing if there is no such axis.
std::optional<std::size_t> NormalizedAxis(std::int64_t axis, std::size_t rank);

/// numpy's rule, or nothing where two lengths differ and neither is 1.
std::optional<Shape> BroadcastShape(const Shape& a, const Shape& b);

/// The pads of a window on a plane: as given, or found by auto_pad.
std::array<std::int64_t, 4> ResolvedPads(const Window& window, std::int64_t height, std::int64_t width);

/// The elements that a Slice takes of an axis.
struct SliceRange {
  std::int64_t start = 0;
  std::int64_t step = 1;
  std::int64_t count = 0;
};

/// By axis of `shape`. Errors: kBadInput.
Result<std::vector<SliceRange>> SliceRanges(const Slice& slice, const Shape& shape, const Node& node);

// window_shapes.cpp
Result<Shape> ConvShape(const Conv& conv, const InferenceContext& context);
Result<Shape> PoolShape(const Pool& pool, const InferenceContext& context);

// movement_shapes.cpp
Result<Shape> ReshapeShape(const Reshape& reshape, const InferenceContext& context);
Result<Shape> FlattenShape(const Flatten& flatten, const InferenceContext& context);
Result<Shape> SqueezeShape(const Squeeze& squeeze, const InferenceContext& context);
Result<Shape> UnsqueezeShape(const Unsqueeze& unsqueeze, const InferenceContext& context);
Result<Shape> ConcatShape(const Concat& concat, const InferenceContext& context);
Result<Shape> PadShape(const Pad& pad, const InferenceContext& context);
Result<Shape> SliceShape(const Slice& slice, const InferenceContext& context);
Result<Shape> TransposeShape(const Transpose& transpose, const InferenceContext& context);
Result<Shape> GatherShape(const Gather& gather, const InferenceContext& context);
Result<std::vector<Shape>> SplitShapes(const Split& split, const InferenceContext& context);

}  // namespace kdequant::model

#endif  // KDEQUANT_MODEL_SHAPE_INFERENCE_H_
