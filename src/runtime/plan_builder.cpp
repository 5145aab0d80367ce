#include <algorithm>
#include <cassert>
#include <limits>
#include <variant>

#include "arena.h"
#include "kernels/layout_f32.h"
#include "plan.h"

namespace kdequant::runtime {
namespace {

constexpr std::size_t Index(std::int32_t id) { return static_cast<std::size_t>(id); }

}  // namespace

PlanBuilder::PlanBuilder(const Graph& graph, KernelSet kernels, int threads)
    : graph_(&graph),
      kernels_(kernels),
      threads_(threads),
      uses_(graph.values.size()),
      placements_(graph.values.size()) {
  for (const Node& node : graph.nodes) {
    for (const ValueId input : node.inputs) {
      if (input != kNoValue) ++uses_[Index(input)];
    }
  }
  for (const ValueId output : graph.outputs) ++uses_[Index(output)];
  FindPlacements();
  for (const ValueId input : graph.inputs) plan_.inputs.push_back(NewSlot(input, kPlainF32));
}

void PlanBuilder::FindPlacements() {
  for (const Node& node : graph_->nodes) {
    const auto* concat = std::get_if<Concat>(&node.op);
    if (!concat || !IsImage(ShapeOf(node.outputs[0])) || (concat->axis != 1 && concat->axis != -3)) continue;
    std::int64_t channel = 0;
    for (const ValueId input : node.inputs) {
      Placement& placement = placements_[Index(input)];
      // A value can lie in one place only: for its second Concat it is copied.
      if (channel % 4 == 0 && placement.parent == kNoValue && !graph_->IsConstant(input)) {
        placement = {.parent = node.outputs[0], .channel = channel};
      }
      channel += ShapeOf(input)[1];
    }
  }
}

void PlanBuilder::BeginNode(const Node& node) {
  node_ = &node;
  first_step_of_node_ = plan_.steps.size();
}

void PlanBuilder::EndNode() {
  const ValueId value = node_->outputs[0];
  SlotId result = FindAny(value, Storage::kF32);
  if (result == kNoSlot) result = FindAny(value, Storage::kI8);
  assert(result != kNoSlot);
  if (plan_.steps.size() == first_step_of_node_) AddKernel({result}, {}, nullptr);
  plan_.steps.back().computes = value;
  plan_.steps.back().result = result;
  node_ = nullptr;
}

SlotId PlanBuilder::AddSlot(Slot slot) {
  plan_.slots.push_back(std::move(slot));
  has_alias_.push_back(false);
  if (plan_.slots.back().parent != kNoSlot) has_alias_[Index(plan_.slots.back().parent)] = true;
  return static_cast<SlotId>(plan_.slots.size() - 1);
}

SlotId PlanBuilder::Register(ValueId value, SlotId slot) {
  homes_[{value, this->slot(slot).format}] = slot;
  return slot;
}

SlotId PlanBuilder::PlaceInConcat(ValueId value, const Slot& wanted) {
  const Placement& placement = placements_[Index(value)];
  if (placement.parent == kNoValue || wanted.format.layout != Layout::kC4 || wanted.dynamic) return kNoSlot;
  SlotId parent = Find(placement.parent, wanted.format);
  if (parent == kNoSlot) {
    parent = wanted.format.storage == Storage::kF32
                 ? NewSlot(placement.parent, wanted.format)
                 : NewQuantizedSlot(placement.parent, wanted.format.layout, wanted.quantization);
  }
  if (slot(parent).dynamic || slot(parent).quantization != wanted.quantization) return kNoSlot;
  Slot placed = wanted;
  placed.parent = parent;
  const std::size_t element = wanted.format.storage == Storage::kF32 ? sizeof(float) : 1;
  placed.offset =
      static_cast<std::size_t>(ImageOf(slot(parent).shape).Index(static_cast<std::ptrdiff_t>(placement.channel), 0)) *
      element;
  return AddSlot(std::move(placed));
}

SlotId PlanBuilder::NewSlot(ValueId value, Format format) {
  Slot wanted{.format = format, .shape = ShapeOf(value), .bytes = SlotBytes(ShapeOf(value), format)};
  SlotId slot = PlaceInConcat(value, wanted);
  if (slot == kNoSlot) slot = AddSlot(std::move(wanted));
  return Register(value, slot);
}

SlotId PlanBuilder::NewQuantizedSlot(ValueId value, Layout layout, const Quantization& quantization, bool dynamic) {
  const Format format{Storage::kI8, layout};
  Slot wanted{.format = format,
              .shape = ShapeOf(value),
              .bytes = SlotBytes(ShapeOf(value), format),
              .quantization = quantization,
              .dynamic = dynamic};
  SlotId slot = PlaceInConcat(value, wanted);
  if (slot == kNoSlot) slot = AddSlot(std::move(wanted));
  return Register(value, slot);
}

SlotId PlanBuilder::NewSlotOver(ValueId value, Format format, ValueId input, SlotId input_slot) {
  const Slot& old = slot(input_slot);
  const bool placed = placements_[Index(value)].parent != kNoValue && format.layout == Layout::kC4;
  const bool free = UseCount(input) == 1 && old.parent == kNoSlot && !old.constant && !has_alias_[Index(input_slot)];
  if (placed || !free || SlotBytes(ShapeOf(value), format) != old.bytes) return NewSlot(value, format);
  return Alias(value, format, input_slot);
}

SlotId PlanBuilder::Alias(ValueId value, Format format, SlotId slot) {
  const std::size_t bytes = SlotBytes(ShapeOf(value), format);
  assert(bytes <= this->slot(slot).bytes);
  return Register(value, AddSlot({.format = format,
                                  .shape = ShapeOf(value),
                                  .bytes = bytes,
                                  .parent = slot,
                                  .quantization = this->slot(slot).quantization,
                                  .dynamic = this->slot(slot).dynamic}));
}

SlotId PlanBuilder::NewScratch(std::size_t bytes) { return AddSlot({.bytes = (bytes + 15) / 16 * 16}); }

SlotId PlanBuilder::Find(ValueId value, Format format) const {
  const auto found = homes_.find({value, format});
  return found == homes_.end() ? kNoSlot : found->second;
}

SlotId PlanBuilder::FindAny(ValueId value, Storage storage) const {
  const SlotId blocked = Find(value, {storage, Layout::kC4});
  return blocked != kNoSlot ? blocked : Find(value, {storage, Layout::kPlain});
}

SlotId PlanBuilder::ConstantSlot(ValueId value, Layout layout) {
  // Preparation and CheckRunnable leave no other kind of constant where a float32 value is wanted.
  auto constant = graph_->value(value).constant;
  if (!std::holds_alternative<FloatTensor>(*constant))
    constant = std::make_shared<const Tensor>(Dequantize(*constant).value());
  const float* plain = std::get<FloatTensor>(*constant).values.data();
  Slot slot{.format = {Storage::kF32, layout},
            .shape = ShapeOf(value),
            .bytes = SlotBytes(ShapeOf(value), {Storage::kF32, layout})};
  if (layout == Layout::kPlain) {
    slot.constant = reinterpret_cast<const std::byte*>(plain);
    slot.owner = constant;
  } else {
    const auto blocked = std::make_shared<Buffer<float>>(slot.bytes / sizeof(float));
    PlainToC4(ImageOf(slot.shape), plain, blocked->data());
    slot.constant = reinterpret_cast<const std::byte*>(blocked->data());
    slot.owner = blocked;
  }
  AddWeightBytes(slot.bytes);
  return Register(value, AddSlot(std::move(slot)));
}

SlotId PlanBuilder::RequireF32(ValueId value, Layout layout) {
  const Format format{Storage::kF32, layout};
  if (const SlotId found = Find(value, format); found != kNoSlot) return found;
  if (graph_->IsConstant(value)) return ConstantSlot(value, layout);
  SlotId source = FindAny(value, Storage::kF32);
  if (source == kNoSlot) source = dequantize(*this, value);
  if (slot(source).format == format) return source;

  const Image image = ImageOf(ShapeOf(value));
  if (image.Pixels() == 1 && placements_[Index(value)].parent == kNoValue) return Alias(value, format, source);
  const SlotId target = NewSlot(value, format);
  if (layout == Layout::kC4) {
    AddStep({source}, {target}, [=](Memory& m) { PlainToC4(image, m.F32(source), m.F32(target)); }, "ToBlocked");
  } else {
    AddStep({source}, {target}, [=](Memory& m) { C4ToPlain(image, m.F32(source), m.F32(target)); }, "ToPlain");
  }
  return target;
}

void PlanBuilder::AddKernel(std::vector<SlotId> reads, std::vector<SlotId> writes, std::unique_ptr<Kernel> kernel,
                            std::string_view operator_name) {
  if (operator_name.empty() && node_) operator_name = OperatorName(node_->op);
  plan_.steps.push_back({.layer = node_ ? node_->name : "output",
                         .operator_name = operator_name,
                         .reads = std::move(reads),
                         .writes = std::move(writes),
                         .kernel = std::move(kernel)});
}

Plan PlanBuilder::Finish() {
  node_ = nullptr;
  for (const ValueId output : graph_->outputs) plan_.outputs.push_back(RequireF32(output, Layout::kPlain));

  const std::size_t count = plan_.slots.size();
  plan_.roots.resize(count);
  std::vector<std::size_t> offset_in_root(count, 0);
  for (std::size_t i = 0; i < count; ++i) {
    // A parent may be younger than its child's number says nothing about: walk up.
    SlotId root = static_cast<SlotId>(i);
    for (; slot(root).parent != kNoSlot; root = slot(root).parent) offset_in_root[i] += slot(root).offset;
    plan_.roots[i] = root;
  }

  // Time 0 is the caller's, who writes the inputs; step i runs at i + 1; the outputs are read after the last.
  constexpr std::ptrdiff_t kNever = std::numeric_limits<std::ptrdiff_t>::max();
  std::vector<Tenant> tenants(count, Tenant{.bytes = 0, .first = kNever, .last = -1});
  const auto touch = [&](SlotId id, std::size_t time) {
    Tenant& tenant = tenants[Index(plan_.roots[Index(id)])];
    tenant.first = std::min(tenant.first, static_cast<std::ptrdiff_t>(time));
    tenant.last = std::max(tenant.last, static_cast<std::ptrdiff_t>(time));
  };
  for (const SlotId input : plan_.inputs) touch(input, 0);
  for (std::size_t i = 0; i < plan_.steps.size(); ++i) {
    for (const SlotId id : plan_.steps[i].reads) touch(id, i + 1);
    for (const SlotId id : plan_.steps[i].writes) touch(id, i + 1);
  }
  for (const SlotId output : plan_.outputs) touch(output, plan_.steps.size() + 1);
  for (std::size_t i = 0; i < count; ++i) {
    const bool in_arena = plan_.roots[i] == static_cast<SlotId>(i) && !plan_.slots[i].constant && tenants[i].last >= 0;
    tenants[i] = in_arena ? Tenant{plan_.slots[i].bytes, tenants[i].first, tenants[i].last} : Tenant{0, 0, -1};
  }

  const ArenaLayout layout = LayOutArena(tenants);
  plan_.arena_bytes = layout.bytes;
  plan_.offsets.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    plan_.offsets[i] = layout.offsets[Index(plan_.roots[i])] + offset_in_root[i];
  }
  return std::move(plan_);
}

}  // namespace kdequant::runtime
