#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "fault.h"
#include "passes/passes.h"

namespace kdequant::model {
namespace {

// The position of the first NaN or infinity, or the count if there is none.
std::size_t FirstNotFinite(const std::vector<float>& values) {
  return static_cast<std::size_t>(std::ranges::find_if_not(values, [](float v) { return std::isfinite(v); }) -
                                  values.begin());
}

std::string PositionText(std::size_t position, const Shape& shape) {
  std::string text;
  for (std::size_t i = shape.size(); i-- > 0;) {
    const auto length = static_cast<std::size_t>(shape[i]);
    text = std::to_string(position % length) + (text.empty() ? "" : ", " + text);
    position /= length;
  }
  return "[" + text + "]";
}

Result<void> CheckFinite(const Node& node, const Value& value, std::string_view role) {
  const auto fault = [&](float number, const std::string& where) {
    return Fault(ErrorCode::kNotFinite, node,
                 std::string(role) + " " + Quoted(value.name) + " holds " +
                     (std::isnan(number) ? "a NaN" : "an infinity") + where + "; export the model again");
  };
  if (const auto* tensor = std::get_if<FloatTensor>(value.constant.get())) {
    const std::size_t position = FirstNotFinite(tensor->values);
    if (position == tensor->values.size()) return {};
    return fault(tensor->values[position], " at " + PositionText(position, tensor->shape));
  }
  const auto check_scales = [&](const std::vector<float>& scales) -> Result<void> {
    const std::size_t position = FirstNotFinite(scales);
    if (position == scales.size()) return {};
    return fault(scales[position], " as the scale of channel " + std::to_string(position));
  };
  if (const auto* tensor = std::get_if<Int8Tensor>(value.constant.get())) return check_scales(tensor->scales);
  if (const auto* tensor = std::get_if<CodebookTensor>(value.constant.get())) {
    if (auto done = check_scales(tensor->steps); !done) return done;
    return check_scales(tensor->scales);
  }
  return {};
}

std::string_view Role(const Graph& graph, const Node& node, std::size_t input) {
  if (!HasWeights(graph, node)) return "constant";
  return input == 1 ? "weight" : "bias";
}

// Operators that preparation replaces.
bool IsGone(const Operator& op) {
  return std::holds_alternative<BatchNormalization>(op) || std::holds_alternative<ShapeQuery>(op) ||
         std::holds_alternative<Gather>(op) || std::holds_alternative<Cast>(op) ||
         std::holds_alternative<ConstantOfShape>(op) || std::holds_alternative<Identity>(op);
}

Result<void> CheckNode(const Graph& graph, const Node& node, std::unordered_set<ValueId>& checked) {
  if (IsGone(node.op)) {
    return Fault(ErrorCode::kUnsupported, node,
                 "it works on computed numbers; kdequant knows it in shape arithmetic only");
  }
  const auto is_int = [&](ValueId id) { return id != kNoValue && graph.value(id).type == ElementType::kInt; };
  if (std::ranges::any_of(node.inputs, is_int) || std::ranges::any_of(node.outputs, is_int)) {
    return Fault(ErrorCode::kUnsupported, node, "it works on integers that depend on the input");
  }
  if (std::ranges::all_of(node.inputs, [&](ValueId id) { return id == kNoValue || graph.IsConstant(id); })) {
    return Fault(ErrorCode::kUnsupported, node,
                 "it computes from constants alone; simplify the model (for example with onnxsim)");
  }
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const ValueId id = node.inputs[i];
    if (!graph.IsConstant(id) || !checked.insert(id).second) continue;
    if (auto done = CheckFinite(node, graph.value(id), Role(graph, node, i)); !done) return done;
  }
  return {};
}

}  // namespace

Result<void> CheckPrepared(const Graph& graph) {
  if (graph.nodes.empty()) {
    return Fail(ErrorCode::kUnsupported, "the model gives its input back; there is nothing to run");
  }
  std::unordered_set<ValueId> checked;
  for (const Node& node : graph.nodes) {
    if (auto done = CheckNode(graph, node, checked); !done) return done;
  }
  return {};
}

}  // namespace kdequant::model
