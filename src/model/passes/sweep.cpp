#include "passes/sweep.h"

#include <utility>

namespace kdequant::model {

Sweep::Sweep(Graph& graph) : graph_(graph), rest_(std::move(graph.nodes)) {
  Grow();
  for (const Node& node : rest_) CountUses(node, 1);
  for (const ValueId output : graph_.outputs) {
    ++uses_[Index(output)];
    is_output_[Index(output)] = true;
  }
  done_.reserve(rest_.size());
}

bool Sweep::Next() {
  if (in_hand_) changed_ = true;  // dropped or replaced
  in_hand_ = next_ < rest_.size();
  if (!in_hand_) {
    Finish();
    return false;
  }
  node_ = std::move(rest_[next_++]);
  CountUses(node_, -1);
  for (ValueId& input : node_.inputs) input = Resolve(input);
  return true;
}

std::size_t Sweep::OtherUses(ValueId id) const { return static_cast<std::size_t>(uses_[Index(Resolve(id))]); }

const Node* Sweep::Producer(ValueId id) const {
  if (id == kNoValue) return nullptr;
  const std::ptrdiff_t index = producer_[Index(Resolve(id))];
  return index < 0 ? nullptr : &done_[static_cast<std::size_t>(index)];
}

void Sweep::Keep() {
  const bool changed = changed_;
  in_hand_ = false;
  Emit(std::move(node_));
  changed_ = changed;
}

void Sweep::Emit(Node node) {
  changed_ = true;
  for (ValueId& input : node.inputs) input = Resolve(input);
  CountUses(node, 1);
  for (const ValueId output : node.outputs) producer_[Index(output)] = static_cast<std::ptrdiff_t>(done_.size());
  done_.push_back(std::move(node));
  removed_.push_back(false);
}

Node Sweep::Take(ValueId id) {
  changed_ = true;
  const auto index = static_cast<std::size_t>(producer_[Index(Resolve(id))]);
  Node node = std::move(done_[index]);
  removed_[index] = true;
  for (const ValueId output : node.outputs) producer_[Index(output)] = -1;
  CountUses(node, -1);
  for (ValueId& input : node.inputs) input = Resolve(input);
  return node;
}

bool Sweep::Bypass(ValueId from, ValueId to) {
  to = Resolve(to);
  if (is_output_[Index(from)]) {
    const std::ptrdiff_t producer = producer_[Index(to)];
    if (producer < 0 || is_output_[Index(to)]) return false;
    for (ValueId& output : done_[static_cast<std::size_t>(producer)].outputs) {
      if (output == to) output = from;
    }
    producer_[Index(from)] = producer;
    producer_[Index(to)] = -1;
    std::swap(from, to);
  }
  replacement_[Index(from)] = to;
  uses_[Index(to)] += std::exchange(uses_[Index(from)], 0);
  changed_ = true;
  return true;
}

ValueId Sweep::AddValue(const std::string& base, Shape shape) {
  const ValueId id = graph_.AddValue(
      {.name = FreshName(base), .type = ElementType::kFloat, .shape = std::move(shape), .constant = nullptr});
  Grow();
  return id;
}

ValueId Sweep::AddConstant(const std::string& base, FloatTensor tensor) {
  const ValueId id = AddValue(base, tensor.shape);
  graph_.value(id).constant = std::make_shared<const Tensor>(std::move(tensor));
  return id;
}

ValueId Sweep::ChangeConstant(ValueId id, FloatTensor tensor) {
  if (OtherUses(id) > 0) return AddConstant(graph_.value(id).name, std::move(tensor));
  Value& value = graph_.value(id);
  value.shape = tensor.shape;
  value.constant = std::make_shared<const Tensor>(std::move(tensor));
  changed_ = true;
  return id;
}

ValueId Sweep::Resolve(ValueId id) const {
  while (id != kNoValue && replacement_[Index(id)] != kNoValue) id = replacement_[Index(id)];
  return id;
}

std::string Sweep::FreshName(const std::string& base) {
  if (!names_) {
    names_.emplace();
    for (const Value& value : graph_.values) names_->insert(value.name);
  }
  std::string name = base;
  if (names_->insert(name).second) return name;
  std::size_t& number = last_number_.try_emplace(base, 1).first->second;
  do {
    name = base + "_" + std::to_string(++number);
  } while (!names_->insert(name).second);
  return name;
}

void Sweep::CountUses(const Node& node, int sign) {
  for (const ValueId input : node.inputs) {
    if (input != kNoValue) uses_[Index(Resolve(input))] += sign;
  }
}

void Sweep::Grow() {
  const std::size_t count = graph_.values.size();
  producer_.resize(count, -1);
  uses_.resize(count, 0);
  is_output_.resize(count, false);
  replacement_.resize(count, kNoValue);
}

void Sweep::Finish() {
  graph_.nodes.clear();
  graph_.nodes.reserve(done_.size());
  for (std::size_t i = 0; i < done_.size(); ++i) {
    if (removed_[i]) continue;
    for (ValueId& input : done_[i].inputs) input = Resolve(input);
    graph_.nodes.push_back(std::move(done_[i]));
  }
}

}  // namespace kdequant::model
