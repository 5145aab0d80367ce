// kdequant/model/prepare.h
// From a graph as an exporter wrote it to the graph that is quantized and run.
#ifndef KDEQUANT_MODEL_PREPARE_H_
#define KDEQUANT_MODEL_PREPARE_H_

#include "kdequant/base/result.h"
#include "kdequant/model/graph.h"

namespace kdequant {

/// The shape of every value, from the inputs' shapes and the constants. Errors: kBadInput (contradictory shapes: names
/// the node, the shapes and what would fit), kLimit (a tensor above 2^31 - 1 elements).
Result<void> InferShapes(Graph& graph);

struct PrepareOptions {
  /// Replaces the height and width of the input where the file leaves them open (0: an open size is an error).
  std::int64_t default_size = 224;
};

/// Makes the prepared graph that src/runtime and src/quantize work on. In this order: a batch of 1; shapes; shape
/// arithmetic and other constant nodes folded; Identity and Dropout removed; MatMul + Add to Gemm; BatchNormalization
/// and per-channel Mul/Add folded into the Conv or Gemm before them (or rewritten as Mul and Add); Mul(x, Sigmoid(x))
/// to Swish; auto_pad resolved to explicit, maybe asymmetric pads; zero Pad nodes merged into the Conv behind them;
/// Gemm weights to [N, K]; activations fused; Flatten, Squeeze, Unsqueeze and Dropout-like nodes to Reshape or nothing;
/// dead nodes and constants removed. Quantized weights survive: a BatchNormalization behind a quantized weight becomes
/// Mul and Add. Preparing a prepared graph changes nothing.
///
/// Errors: kBadInput (contradictory shapes, NaN/infinite weights: kNotFinite with the layer), kUnsupported (not exactly
/// one float input of rank 2 or 4, or one output; a Reshape whose shape depends on data...), each naming the node.
Result<void> Prepare(Graph& graph, const PrepareOptions& options = {});

}  // namespace kdequant

#endif  // KDEQUANT_MODEL_PREPARE_H_
