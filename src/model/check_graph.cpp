#include "check_graph.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_set>

#include "fault.h"

namespace kdequant::model {
namespace {

// How many inputs an operator has; those from `required` on may be absent.
struct Arity {
  std::size_t required;
  std::size_t most;
};

struct ArityOf {
  Arity operator()(const Conv&) const { return {2, 3}; }
  Arity operator()(const Gemm&) const { return {2, 3}; }
  Arity operator()(const MatMul&) const { return {2, 2}; }
  Arity operator()(const BatchNormalization&) const { return {5, 5}; }
  Arity operator()(const PRelu&) const { return {2, 2}; }
  Arity operator()(const Elementwise&) const { return {2, 2}; }
  Arity operator()(const Concat&) const { return {1, static_cast<std::size_t>(-1)}; }
  Arity operator()(const Reshape&) const { return {1, 2}; }
  Arity operator()(const Gather&) const { return {2, 2}; }
  template <typename Op>
  Arity operator()(const Op&) const {
    return {1, 1};
  }
};

class Checker {
 public:
  explicit Checker(const Graph& graph) : graph_(graph), defined_(graph.values.size(), false) {}

  Result<void> Run() {
    if (auto done = CheckValues(); !done) return done;
    for (const ValueId input : graph_.inputs) {
      if (!Exists(input)) return Fail(ErrorCode::kBadInput, "the graph's inputs name a value that does not exist");
      if (graph_.IsConstant(input) || defined_[Index(input)]) {
        return Fail(ErrorCode::kBadInput, "the graph's input " + Name(input) + " is a constant or is listed twice");
      }
      defined_[Index(input)] = true;
    }
    for (const Node& node : graph_.nodes) {
      if (auto done = CheckNode(node); !done) return done;
    }
    if (graph_.outputs.empty()) return Fail(ErrorCode::kBadInput, "the graph has no output");
    for (const ValueId output : graph_.outputs) {
      if (!Exists(output) || !defined_[Index(output)]) {
        return Fail(ErrorCode::kBadInput, "the graph's output " + (Exists(output) ? Name(output) : std::string()) +
                                              " is computed by no node");
      }
    }
    return {};
  }

 private:
  static std::size_t Index(ValueId id) { return static_cast<std::size_t>(id); }
  bool Exists(ValueId id) const { return id >= 0 && Index(id) < graph_.values.size(); }
  std::string Name(ValueId id) const { return Quoted(graph_.value(id).name); }

  Result<void> CheckValues() {
    std::unordered_set<std::string_view> names;
    for (std::size_t i = 0; i < graph_.values.size(); ++i) {
      const Value& value = graph_.values[i];
      if (value.name.empty()) return Fail(ErrorCode::kBadInput, "value " + std::to_string(i) + " has no name");
      if (!names.insert(value.name).second) {
        return Fail(ErrorCode::kBadInput, "two values are called " + Quoted(value.name));
      }
      if (!value.constant) continue;
      const std::string fault = TensorFault(*value.constant);
      if (!fault.empty()) return Fail(ErrorCode::kBadInput, "constant " + Quoted(value.name) + " " + fault);
      const bool is_int = std::holds_alternative<IntTensor>(*value.constant);
      if (is_int != (value.type == ElementType::kInt)) {
        return Fail(ErrorCode::kBadInput,
                    "constant " + Quoted(value.name) + " is not of the type that it is declared to be");
      }
      defined_[i] = true;
    }
    return {};
  }

  // What is wrong with a constant; empty if nothing is.
  static std::string TensorFault(const Tensor& tensor) {
    const Shape& shape = ShapeOf(tensor);
    if (shape.size() > kMostAxes) return "has " + std::to_string(shape.size()) + " axes, more than 8";
    const auto count = ElementCount(shape);
    if (!count) return "has the shape " + ShapeToString(shape);
    return std::visit([&](const auto& t) { return Fault(t, *count); }, tensor);
  }

  static std::string Fault(const FloatTensor& tensor, std::size_t count) {
    return CountFault(tensor.values.size(), count);
  }
  static std::string Fault(const IntTensor& tensor, std::size_t count) {
    return CountFault(tensor.values.size(), count);
  }

  static std::string CountFault(std::size_t given, std::size_t expected) {
    if (given == expected) return {};
    return "has " + std::to_string(given) + " elements instead of " + std::to_string(expected);
  }

  static std::string Fault(const Int8Tensor& tensor, std::size_t count) {
    if (count == 0 || tensor.scales.size() != static_cast<std::size_t>(tensor.shape.empty() ? 1 : tensor.shape[0])) {
      return "has not one scale per output channel";
    }
    return CountFault(tensor.values.size(), count);
  }

  static std::string Fault(const CodebookTensor& tensor, std::size_t count) {
    if (count == 0 || tensor.shape.empty()) return "is empty";
    if (tensor.bits < 2 || tensor.bits > 8) return "has indices of " + std::to_string(tensor.bits) + " bits";
    const auto channels = static_cast<std::size_t>(tensor.shape[0]);
    if (tensor.table_of.empty()) {
      if (tensor.TableCount() != 1 && tensor.TableCount() != channels)
        return "has neither one table nor one per channel";
    } else if (tensor.table_of.size() != channels ||
               *std::ranges::max_element(tensor.table_of) >= tensor.TableCount()) {
      return "has channels without a table";
    }
    if (tensor.codes.size() != tensor.TableCount() * tensor.TableSize()) return "has tables that are not full";
    if (!tensor.scales.empty() && tensor.scales.size() != channels) return "has not one scale per output channel";
    if (tensor.indices.size() != (tensor.bits > 4 ? count : (count + 1) / 2)) return "has not one index per weight";
    const std::size_t size = tensor.TableSize();
    if (size == 16 || size == 256) return {};  // every index there is
    for (std::size_t i = 0; i < count; ++i) {
      if (tensor.IndexAt(i) >= size) return "has an index beyond its table";
    }
    return {};
  }

  Result<void> CheckNode(const Node& node) {
    const Arity arity = std::visit(ArityOf{}, node.op);
    if (node.inputs.size() < arity.required || node.inputs.size() > arity.most) {
      return model::Fault(ErrorCode::kBadInput, node, "it has " + std::to_string(node.inputs.size()) + " inputs");
    }
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId input = node.inputs[i];
      if (input == kNoValue && i >= arity.required) continue;
      if (!Exists(input)) {
        return model::Fault(ErrorCode::kBadInput, node, "its input " + std::to_string(i) + " is missing");
      }
      if (!defined_[Index(input)]) {
        return model::Fault(
            ErrorCode::kBadInput, node,
            "its input " + Name(input) + " is computed by no node before it (a cycle, or nodes out of order)");
      }
    }
    const bool splits = std::holds_alternative<Split>(node.op);
    if (node.outputs.empty() || (node.outputs.size() > 1 && !splits)) {
      return model::Fault(ErrorCode::kBadInput, node, "it has " + std::to_string(node.outputs.size()) + " outputs");
    }
    for (const ValueId output : node.outputs) {
      if (!Exists(output)) return model::Fault(ErrorCode::kBadInput, node, "its output is missing");
      if (defined_[Index(output)]) {
        return model::Fault(ErrorCode::kBadInput, node, "its output " + Name(output) + " is defined twice");
      }
      defined_[Index(output)] = true;
    }
    if (const auto* filled = std::get_if<ConstantOfShape>(&node.op)) {
      const auto count = ElementCount(ShapeOf(filled->value));
      const bool plain =
          std::holds_alternative<FloatTensor>(filled->value) || std::holds_alternative<IntTensor>(filled->value);
      if (!plain || !count || *count != 1 || !TensorFault(filled->value).empty()) {
        return model::Fault(ErrorCode::kBadInput, node, "its value is not a single number");
      }
    }
    return {};
  }

  const Graph& graph_;
  std::vector<bool> defined_;  // by ValueId
};

}  // namespace

Result<void> CheckGraph(const Graph& graph) { return Checker(graph).Run(); }

}  // namespace kdequant::model
