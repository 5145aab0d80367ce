// What the reading of one operator sees: its attributes and inputs, and where its result goes.
#ifndef KDEQUANT_ONNX_NODE_CONTEXT_H_
#define KDEQUANT_ONNX_NODE_CONTEXT_H_

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "constants.h"
#include "graph_index.h"
#include "kdequant/model/graph.h"
#include "proto.h"

namespace kdequant::onnx {

/// Everything that is known while nodes are read, in topological order.
struct ReadState {
  ModelView model;
  GraphIndex index;
  Graph graph;
  std::vector<std::optional<Constant>> constants;  ///< By NameId.
  std::vector<ValueId> values;                     ///< By NameId; kNoValue until needed.
  std::vector<int> ranks;                          ///< By ValueId; -1 where unknown.
  std::unordered_set<std::string> fresh_names;
  /// Elements that evaluated constants may still hold: a small file must not become gigabytes by many nodes over one
  /// tensor.
  std::size_t constant_budget = 0;

  std::size_t fresh_count = 0;

  ValueId AddValue(Value value, int rank);
  /// A name that no value of the file has, beginning with `base`.
  std::string FreshName(const std::string& base);
  /// Takes the elements of the tensors (some may be null) off the budget; kLimit when it is used up.
  Result<void> Spend(std::initializer_list<const TensorView*> tensors);
  /// onnx::Evaluate within the budget.
  Result<Tensor> EvaluateWithinBudget(const Constant& constant, bool as_weight);
};

/// The inputs, attributes and results of one node. Reading code asks for what it needs and says what it cannot do; the
/// first kBadInput and the reasons for kUnsupported are collected here, so that reading code needs no error paths.
///
/// Every attribute that is asked for counts as understood; one that nobody asked for makes the node unsupported,
/// because ignoring it might change the result.
class NodeContext {
 public:
  NodeContext(ReadState& state, std::int32_t node);

  std::int64_t opset() const { return state_.model.opset; }
  const NodeView& node() const { return node_; }

  bool HasAttribute(std::string_view name) const;
  std::int64_t Int(std::string_view name, std::int64_t fallback);
  float Float(std::string_view name, float fallback);
  std::string_view String(std::string_view name, std::string_view fallback);
  std::optional<std::vector<std::int64_t>> Ints(std::string_view name);
  const AttributeView* Attribute(std::string_view name);
  const TensorView* TensorAttribute(std::string_view name);
  /// Attributes that change nothing when a network is run.
  void Ignore(std::initializer_list<std::string_view> names);

  std::size_t input_count() const { return inputs_.size(); }
  bool HasInput(std::size_t i) const { return i < inputs_.size() && inputs_[i] != kNoName; }
  /// Input `i` as a value; a missing one is an error and gives kNoValue.
  ValueId Input(std::size_t i);
  /// Input `i` as a value, or kNoValue where it is left out.
  ValueId OptionalInput(std::size_t i) { return HasInput(i) ? Input(i) : kNoValue; }
  const Constant* InputConstant(std::size_t i) const;
  /// The rank of input `i`, -1 where it is unknown.
  int InputRank(std::size_t i);
  ElementType InputType(std::size_t i);
  /// The numbers of an input that must be known when the file is read. An input that is computed makes the node
  /// unsupported.
  std::optional<std::vector<std::int64_t>> IntInput(std::size_t i, std::string_view what);
  std::optional<float> ScalarInput(std::size_t i, std::string_view what);

  std::size_t output_count() const { return outputs_.size(); }
  bool UsesOutput(std::size_t i) const;
  /// Outputs from `first` on must be unused.
  void OnlyOutputsBelow(std::size_t first, std::string_view what);
  /// The value of output `i`, created when first asked for.
  ValueId Output(std::size_t i);
  /// A value of our own between two nodes.
  ValueId FreshValue(const std::string& base);

  /// Adds a node that computes the outputs; its results' types and ranks follow. A node that does not compute output 0
  /// itself is called by its result.
  void Emit(Operator op, std::vector<ValueId> inputs, std::vector<ValueId> outputs);
  /// Emit of a node with one result, output 0.
  void Emit(Operator op, std::vector<ValueId> inputs) { Emit(std::move(op), std::move(inputs), {Output(0)}); }
  /// Says that output 0 is a constant.
  void DefineConstant(const Constant& constant);
  /// Keeps a tensor made here as long as the constants.
  const TensorView* Own(TensorView tensor);
  ReadState& state() { return state_; }

  void Unsupported(std::string why);
  void Bad(std::string why);
  void Failed(Error error);

  /// After reading: looks for attributes that nobody asked for.
  void Finish();
  /// Of an unsupported node: gives its outputs values all the same, so that the nodes behind it can be looked at.
  void GiveUp();
  const std::optional<Error>& error() const { return error_; }
  const std::optional<std::string>& unsupported() const { return unsupported_; }

 private:
  const AttributeView* Find(std::string_view name) const;
  const Constant* KnownInput(std::size_t i, std::string_view what);
  ValueId ValueOf(NameId name);

  ReadState& state_;
  const NodeView& node_;
  const std::vector<NameId>& inputs_;
  const std::vector<NameId>& outputs_;
  std::vector<std::string_view> asked_;
  std::optional<Error> error_;
  std::optional<std::string> unsupported_;
};

/// The element type and rank (-1 unknown) of a node's results, from its inputs'.
ElementType ResultType(const Operator& op, ElementType first_input);
int ResultRank(const Operator& op, const std::vector<int>& input_ranks, const Graph& graph,
               const std::vector<ValueId>& inputs);

}  // namespace kdequant::onnx

#endif  // KDEQUANT_ONNX_NODE_CONTEXT_H_
