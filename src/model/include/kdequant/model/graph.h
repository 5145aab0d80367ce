// kdequant/model/graph.h
// A network: values, and nodes that compute values from values.
#ifndef KDEQUANT_MODEL_GRAPH_H_
#define KDEQUANT_MODEL_GRAPH_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kdequant/model/operators.h"
#include "kdequant/model/tensor.h"

namespace kdequant {

/// An index into Graph::values.
using ValueId = std::int32_t;

/// An optional input that is absent.
inline constexpr ValueId kNoValue = -1;

enum class ElementType { kFloat, kInt };

struct Value {
  std::string name = {};  ///< Unique within a graph; never empty.
  ElementType type = ElementType::kFloat;
  /// Absent until inferred; may hold kUnknownDimension before preparation.
  std::optional<Shape> shape = {};
  /// The value of a constant. Shared, never modified in place: copies of a graph (float and 4-bit side by side) share
  /// the large tensors that they have in common.
  std::shared_ptr<const Tensor> constant = {};
};

struct Node {
  std::string name =
      {};  ///< What messages and reports call it: the file's name for it, or the name of its first output.
  Operator op = {};
  std::vector<ValueId> inputs = {};
  std::vector<ValueId> outputs = {};
  /// Applied to the output; set by preparation behind Conv, Gemm, Elementwise, Pool and GlobalPool.
  std::optional<Activation> activation = {};
};

/// The interval that an activation's 7 or 8 bits cover.
struct ActivationRange {
  float low = 0;
  float high = 0;
  int bits = 7;
  friend bool operator==(const ActivationRange&, const ActivationRange&) = default;
};

struct Graph {
  std::string name;
  std::vector<Value> values;
  std::vector<Node> nodes;      ///< Topologically sorted.
  std::vector<ValueId> inputs;  ///< Fed by the caller: constants are not among them. Ours have one.
  std::vector<ValueId> outputs;
  /// The file's metadata_props, without `kdequant.ranges`, which is `ranges`.
  std::map<std::string, std::string> metadata;
  /// By value name; empty for a float model and for dynamic activations.
  std::map<std::string, ActivationRange> ranges;
  /// Of the file that the graph was read from, for people who want to know (attributes are in one form whatever it
  /// was); 0 if it was not read from a file.
  std::int64_t opset = 0;

  ValueId AddValue(Value value) {
    values.push_back(std::move(value));
    return static_cast<ValueId>(values.size() - 1);
  }
  const Value& value(ValueId id) const { return values[static_cast<std::size_t>(id)]; }
  Value& value(ValueId id) { return values[static_cast<std::size_t>(id)]; }
  bool IsConstant(ValueId id) const { return id != kNoValue && value(id).constant != nullptr; }
  /// The constant float tensor behind `id`, or null.
  const FloatTensor* FloatConstant(ValueId id) const;
};

/// Whether the node multiplies by a constant weight matrix: Conv or Gemm with a constant second input. Those are the
/// layers that are quantized and reported.
bool HasWeights(const Graph& graph, const Node& node);

/// Whether the node takes the mean of whole images: a global average pool, or a mean over height and width.
bool IsWholeMean(const Node& node);

/// Multiply-accumulates of a node of a prepared graph (0 for all but Conv, Gemm and MatMul).
std::int64_t MultiplyAccumulates(const Graph& graph, const Node& node);

/// Whether a Conv node convolves every channel by itself (groups == input channels, one input channel per group).
bool IsDepthwise(const Graph& graph, const Node& node);

/// `kdequant.ranges`: {"tensor name": [low, high, bits], ...}, floats so that they read back exactly.
std::string FormatRanges(const std::map<std::string, ActivationRange>& ranges);
Result<std::map<std::string, ActivationRange>> ParseRanges(const std::string& json);

}  // namespace kdequant

#endif  // KDEQUANT_MODEL_GRAPH_H_
