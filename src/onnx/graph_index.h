// Who defines and who uses each name of a file, and an order in which its nodes can be computed.
#ifndef KDEQUANT_ONNX_GRAPH_INDEX_H_
#define KDEQUANT_ONNX_GRAPH_INDEX_H_

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "kdequant/base/result.h"
#include "proto.h"

namespace kdequant::onnx {

/// An index into GraphIndex::names. Names are compared as text once, here, and as numbers from then on.
using NameId = std::int32_t;

/// An optional input or output that is left out (an empty name).
inline constexpr NameId kNoName = -1;

struct NameInfo {
  std::string_view text;
  std::int32_t node = -1;    ///< The node that computes it.
  std::int32_t tensor = -1;  ///< The initializer that holds it, an index into ModelView::tensors.
  std::int32_t input = -1;   ///< The graph input that feeds it.
  bool is_output = false;
  /// Uses by nodes that the outputs depend on; `weight_uses` of them as the weight of a Conv or of a Gemm with transB,
  /// where quantized weights may stay quantized.
  std::int32_t uses = 0;
  std::int32_t weight_uses = 0;
};

struct GraphIndex {
  std::vector<NameInfo> names;
  std::vector<std::vector<NameId>> node_inputs, node_outputs;
  std::vector<NameId> inputs,
      outputs;  ///< Of the graph; initializers listed as inputs (IR version 3) are not among them.
  /// The nodes that the outputs depend on, each after those whose results it needs; in the file's order where that is
  /// such an order.
  std::vector<std::int32_t> order;
};

/// Errors: kBadInput (a name that is defined twice or never, a cycle), naming the node. Linear in the file.
Result<GraphIndex> IndexGraph(const ModelView& model);

/// What messages call a node: `node "name" (Conv)`, by its first output where it has no name.
std::string Describe(const NodeView& node);
/// The name alone.
std::string_view NodeName(const NodeView& node);

}  // namespace kdequant::onnx

#endif  // KDEQUANT_ONNX_GRAPH_INDEX_H_
