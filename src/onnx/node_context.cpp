#include "node_context.h"

#include <algorithm>
#include <cmath>

#include "tensor_data.h"

namespace kdequant::onnx {
namespace {

// AttributeProto.AttributeType
enum : int {
  kFloatAttribute = 1,
  kIntAttribute = 2,
  kStringAttribute = 3,
  kTensorAttribute = 4,
  kFloatsAttribute = 6,
  kIntsAttribute = 7
};

}  // namespace

ValueId ReadState::AddValue(Value value, int rank) {
  ranks.push_back(rank);
  return graph.AddValue(std::move(value));
}

std::string ReadState::FreshName(const std::string& base) {
  if (fresh_names.empty()) {
    for (const NameInfo& info : index.names) fresh_names.emplace(info.text);
  }
  std::string name = base;
  while (!fresh_names.insert(name).second) name = base + std::to_string(++fresh_count);
  return name;
}

Result<void> ReadState::Spend(std::initializer_list<const TensorView*> tensors) {
  for (const TensorView* tensor : tensors) {
    if (tensor == nullptr) continue;
    auto count = CheckedCount(*tensor);
    if (!count) return Forward(count);
    if (*count > constant_budget) {
      return Fail(ErrorCode::kLimit,
                  "the constants of the file grow to many times its size when they are computed; kdequant does not "
                  "read such files");
    }
    constant_budget -= *count;
  }
  return {};
}

Result<Tensor> ReadState::EvaluateWithinBudget(const Constant& constant, bool as_weight) {
  if (auto paid = Spend({constant.values, constant.offset, constant.table, constant.scale, constant.zero_point}); !paid)
    return Forward(paid);
  return Evaluate(constant, as_weight);
}

NodeContext::NodeContext(ReadState& state, std::int32_t node)
    : state_(state),
      node_(state.model.nodes[static_cast<std::size_t>(node)]),
      inputs_(state.index.node_inputs[static_cast<std::size_t>(node)]),
      outputs_(state.index.node_outputs[static_cast<std::size_t>(node)]) {}

const AttributeView* NodeContext::Find(std::string_view name) const {
  const auto found = std::ranges::find(node_.attributes, name, &AttributeView::name);
  return found == node_.attributes.end() ? nullptr : &*found;
}

bool NodeContext::HasAttribute(std::string_view name) const { return Find(name) != nullptr; }

const AttributeView* NodeContext::Attribute(std::string_view name) {
  asked_.push_back(name);
  const AttributeView* attribute = Find(name);
  if (attribute != nullptr && attribute->other) {
    Unsupported("attribute " + std::string(name) + " refers to a graph or a function");
    return nullptr;
  }
  return attribute;
}

std::int64_t NodeContext::Int(std::string_view name, std::int64_t fallback) {
  const AttributeView* attribute = Attribute(name);
  if (attribute == nullptr) return fallback;
  if (attribute->type != kIntAttribute && attribute->type != 0)
    Bad("attribute " + std::string(name) + " is not an integer");
  return attribute->i;
}

float NodeContext::Float(std::string_view name, float fallback) {
  const AttributeView* attribute = Attribute(name);
  if (attribute == nullptr) return fallback;
  if (attribute->type != kFloatAttribute && attribute->type != 0)
    Bad("attribute " + std::string(name) + " is not a float");
  if (!std::isfinite(attribute->f)) Bad("attribute " + std::string(name) + " is not finite");
  return attribute->f;
}

std::string_view NodeContext::String(std::string_view name, std::string_view fallback) {
  const AttributeView* attribute = Attribute(name);
  if (attribute == nullptr) return fallback;
  if (attribute->type != kStringAttribute && attribute->type != 0)
    Bad("attribute " + std::string(name) + " is not a string");
  return attribute->s;
}

std::optional<std::vector<std::int64_t>> NodeContext::Ints(std::string_view name) {
  const AttributeView* attribute = Attribute(name);
  if (attribute == nullptr) return std::nullopt;
  if (attribute->type != kIntsAttribute && attribute->type != 0)
    Bad("attribute " + std::string(name) + " is not a list of integers");
  return attribute->ints;
}

const TensorView* NodeContext::TensorAttribute(std::string_view name) {
  const AttributeView* attribute = Attribute(name);
  if (attribute == nullptr) return nullptr;
  if (attribute->tensor < 0) {
    Bad("attribute " + std::string(name) + " is not a tensor");
    return nullptr;
  }
  return &state_.model.tensors[static_cast<std::size_t>(attribute->tensor)];
}

void NodeContext::Ignore(std::initializer_list<std::string_view> names) {
  asked_.insert(asked_.end(), names.begin(), names.end());
}

const Constant* NodeContext::InputConstant(std::size_t i) const {
  if (!HasInput(i)) return nullptr;
  const auto& constant = state_.constants[static_cast<std::size_t>(inputs_[i])];
  return constant ? &*constant : nullptr;
}

ValueId NodeContext::Input(std::size_t i) {
  if (!HasInput(i)) {
    Bad("its input " + std::to_string(i + 1) + " is missing");
    return kNoValue;
  }
  return ValueOf(inputs_[i]);
}

ValueId NodeContext::ValueOf(NameId name) {
  const auto n = static_cast<std::size_t>(name);
  if (state_.values[n] != kNoValue) return state_.values[n];
  const NameInfo& info = state_.index.names[n];
  Value value{.name = std::string(info.text), .type = ElementType::kFloat, .shape = {}, .constant = nullptr};
  int rank = -1;
  if (const auto& constant = state_.constants[n]) {
    rank = static_cast<int>(constant->shape().size());
    value.type = constant->as_float ? ElementType::kFloat : ElementType::kInt;
    value.shape = constant->shape();
    const bool as_weight = info.weight_uses > 0 && info.weight_uses == info.uses && !info.is_output;
    auto tensor = state_.EvaluateWithinBudget(*constant, as_weight);
    if (tensor) {
      value.constant = std::make_shared<const Tensor>(std::move(*tensor));
    } else {
      Failed(std::move(tensor.error()));
    }
  }
  return state_.values[n] = state_.AddValue(std::move(value), rank);
}

int NodeContext::InputRank(std::size_t i) {
  if (const Constant* constant = InputConstant(i)) return static_cast<int>(constant->shape().size());
  const ValueId value = OptionalInput(i);
  return value == kNoValue ? -1 : state_.ranks[static_cast<std::size_t>(value)];
}

ElementType NodeContext::InputType(std::size_t i) {
  if (const Constant* constant = InputConstant(i)) return constant->as_float ? ElementType::kFloat : ElementType::kInt;
  const ValueId value = OptionalInput(i);
  return value == kNoValue ? ElementType::kFloat : state_.graph.value(value).type;
}

const Constant* NodeContext::KnownInput(std::size_t i, std::string_view what) {
  const Constant* constant = InputConstant(i);
  if (constant == nullptr) {
    Unsupported("its " + std::string(what) + " is computed while the network runs; export with constant " +
                std::string(what));
  }
  return constant;
}

std::optional<std::vector<std::int64_t>> NodeContext::IntInput(std::size_t i, std::string_view what) {
  const Constant* constant = KnownInput(i, what);
  if (constant == nullptr) return std::nullopt;
  auto tensor = state_.EvaluateWithinBudget(*constant, /*as_weight=*/false);
  if (!tensor) {
    Failed(std::move(tensor.error()));
    return std::nullopt;
  }
  auto* integers = std::get_if<IntTensor>(&*tensor);
  if (integers == nullptr) {
    Bad("its " + std::string(what) + " is not made of integers");
    return std::nullopt;
  }
  return std::move(integers->values);
}

std::optional<float> NodeContext::ScalarInput(std::size_t i, std::string_view what) {
  const Constant* constant = KnownInput(i, what);
  if (constant == nullptr) return std::nullopt;
  auto tensor = state_.EvaluateWithinBudget(*constant, /*as_weight=*/false);
  if (!tensor) {
    Failed(std::move(tensor.error()));
    return std::nullopt;
  }
  if (const auto* floats = std::get_if<FloatTensor>(&*tensor); floats != nullptr && floats->values.size() == 1)
    return floats->values[0];
  if (const auto* integers = std::get_if<IntTensor>(&*tensor); integers != nullptr && integers->values.size() == 1) {
    return static_cast<float>(integers->values[0]);
  }
  Bad("its " + std::string(what) + " is not a single number");
  return std::nullopt;
}

bool NodeContext::UsesOutput(std::size_t i) const {
  if (i >= outputs_.size() || outputs_[i] == kNoName) return false;
  const NameInfo& info = state_.index.names[static_cast<std::size_t>(outputs_[i])];
  return info.uses > 0 || info.is_output;
}

void NodeContext::OnlyOutputsBelow(std::size_t first, std::string_view what) {
  for (std::size_t i = first; i < outputs_.size(); ++i) {
    if (UsesOutput(i)) return Unsupported("its " + std::string(what) + " is used");
  }
}

ValueId NodeContext::Output(std::size_t i) {
  if (i >= outputs_.size() || outputs_[i] == kNoName) {
    if (i == 0) Bad("its output has no name");
    return FreshValue("unused");
  }
  return ValueOf(outputs_[i]);
}

ValueId NodeContext::FreshValue(const std::string& base) {
  Value value;
  value.name = state_.FreshName(base);
  return state_.AddValue(std::move(value), -1);
}

void NodeContext::Emit(Operator op, std::vector<ValueId> inputs, std::vector<ValueId> outputs) {
  const bool is_main =
      !outputs_.empty() && outputs_[0] != kNoName && outputs[0] == state_.values[static_cast<std::size_t>(outputs_[0])];
  Node node{.name = is_main ? std::string(NodeName(node_)) : state_.graph.value(outputs[0]).name,
            .op = std::move(op),
            .inputs = std::move(inputs),
            .outputs = std::move(outputs),
            .activation = {}};
  ElementType first = ElementType::kFloat;
  std::vector<int> ranks;
  for (const ValueId input : node.inputs)
    ranks.push_back(input == kNoValue ? -1 : state_.ranks[static_cast<std::size_t>(input)]);
  if (!node.inputs.empty() && node.inputs[0] != kNoValue) first = state_.graph.value(node.inputs[0]).type;
  const ElementType type = ResultType(node.op, first);
  const int rank = ResultRank(node.op, ranks, state_.graph, node.inputs);
  for (const ValueId output : node.outputs) {
    state_.graph.value(output).type = type;
    state_.ranks[static_cast<std::size_t>(output)] = rank;
  }
  state_.graph.nodes.push_back(std::move(node));
}

void NodeContext::DefineConstant(const Constant& constant) {
  if (!outputs_.empty() && outputs_[0] != kNoName) state_.constants[static_cast<std::size_t>(outputs_[0])] = constant;
}

const TensorView* NodeContext::Own(TensorView tensor) {
  state_.model.tensors.push_back(std::move(tensor));
  return &state_.model.tensors.back();
}

void NodeContext::Unsupported(std::string why) {
  if (!unsupported_) unsupported_ = std::move(why);
}

void NodeContext::Bad(std::string why) {
  Failed({ErrorCode::kBadInput, Describe(node_) + ": " + std::move(why) + "; export the model again",
          std::string(NodeName(node_))});
}

void NodeContext::Failed(Error error) {
  if (error_) return;
  if (error.layer.empty()) error.layer = NodeName(node_);
  error_ = std::move(error);
}

void NodeContext::Finish() {
  for (const AttributeView& attribute : node_.attributes) {
    if (std::ranges::find(asked_, attribute.name) == asked_.end())
      Unsupported("its attribute " + Quoted(attribute.name) + " is not known");
  }
  if (unsupported_ || error_) return;
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    if (!UsesOutput(i)) continue;
    const auto n = static_cast<std::size_t>(outputs_[i]);
    if (state_.values[n] == kNoValue && !state_.constants[n])
      return Bad("the operator has no output " + std::to_string(i + 1));
  }
}

void NodeContext::GiveUp() {
  for (const NameId output : outputs_) {
    if (output != kNoName && !state_.constants[static_cast<std::size_t>(output)]) ValueOf(output);
  }
}

}  // namespace kdequant::onnx
