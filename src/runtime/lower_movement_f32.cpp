// What moves elements without computing.

#include <algorithm>

#include "kernels/movement_f32.h"
#include "lower_f32.h"

namespace kdequant::runtime {
namespace {

// Copies a strided part of `source` to a strided part of `target`.
struct StridedCopy {
  StridedLoop<2> loop;
  std::ptrdiff_t source_offset = 0;
  std::ptrdiff_t target_offset = 0;

  void Run(const float* source, float* target) const {
    CopyStrided(loop, source + source_offset, target + target_offset);
  }
};

bool ConcatsBlocks(const NodeLowering& l, std::size_t axis) {
  if (!l.Blocked() || axis != 1 || !IsImage(l.OutputShape())) return false;
  for (std::size_t i = 0; i < l.node.inputs.size(); ++i) {
    if (l.InputIsBlocked(i)) return true;
  }
  return false;
}

void LowerConcatC4(const NodeLowering& l) {
  // Most inputs have been computed where they belong.
  std::vector<SlotId> inputs;
  for (const ValueId input : l.node.inputs) inputs.push_back(l.builder.RequireF32(input, Layout::kC4));
  SlotId y = l.builder.Find(l.Output(), kC4F32);
  if (y == kNoSlot) y = l.builder.NewSlot(l.Output(), kC4F32);
  const Image to = ImageOf(l.OutputShape());
  std::ptrdiff_t channel = 0;
  std::vector<SlotId> in_place;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const SlotId x = inputs[i];
    const Image from = ImageOf(l.InputShape(i));
    const Slot& slot = l.builder.slot(x);
    if (slot.parent == y && slot.offset == static_cast<std::size_t>(to.Index(channel, 0)) * sizeof(float)) {
      in_place.push_back(x);
    } else {
      l.builder.AddStep({x}, {y}, [=](Memory& m) { CopyChannels(from, m.F32(x), to, channel, m.F32(y)); });
    }
    channel += from.channels;
  }
  // Keeps the parent alive even if every input is in place.
  if (!in_place.empty()) l.builder.AddKernel(in_place, {y}, nullptr);
}

}  // namespace

void LowerView(const NodeLowering& l) {
  const SlotId x = l.PlainInput(0);
  l.builder.Alias(l.Output(), kPlainF32, x);
}

void LowerConcat(const NodeLowering& l, const Concat& op) {
  const Shape& output = l.OutputShape();
  const std::size_t axis = AxisIndex(op.axis, output.size());
  if (ConcatsBlocks(l, axis)) return LowerConcatC4(l);
  const auto strides = RowMajorStrides(output);
  std::vector<SlotId> inputs;
  for (std::size_t i = 0; i < l.node.inputs.size(); ++i) inputs.push_back(l.PlainInput(i));
  const SlotId y = l.PlainOutput();
  std::ptrdiff_t offset = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Shape& shape = l.InputShape(i);
    const StridedCopy copy{.loop = {shape, {RowMajorStrides(shape), strides}}, .target_offset = offset};
    l.builder.AddStep({inputs[i]}, {y}, [=, x = inputs[i]](Memory& m) { copy.Run(m.F32(x), m.F32(y)); });
    offset += strides[axis] * static_cast<std::ptrdiff_t>(shape[axis]);
  }
}

void LowerPad(const NodeLowering& l, const Pad& op) {
  const SlotId x = l.PlainInput(0);
  const SlotId y = l.PlainOutput();
  l.builder.AddStep({x}, {y}, [=, padding = Padding(op, l.InputShape(0), l.OutputShape())](Memory& m) {
    padding.Run(m.F32(x), m.F32(y));
  });
}

void LowerSlice(const NodeLowering& l, const Slice& op) {
  const Shape& input = l.InputShape(0);
  auto strides = RowMajorStrides(input);
  const auto own = strides;
  std::ptrdiff_t offset = 0;
  for (std::size_t i = 0; i < op.starts.size(); ++i) {
    const std::size_t axis = op.axes.empty() ? i : AxisIndex(op.axes[i], input.size());
    const std::int64_t length = input[axis];
    const std::int64_t step = op.steps.empty() ? 1 : op.steps[i];
    const std::int64_t start = op.starts[i] < 0 ? op.starts[i] + length : op.starts[i];
    offset += own[axis] * static_cast<std::ptrdiff_t>(std::clamp<std::int64_t>(start, 0, length - 1));
    strides[axis] = own[axis] * static_cast<std::ptrdiff_t>(step);
  }
  const StridedCopy copy{.loop = {l.OutputShape(), {strides, RowMajorStrides(l.OutputShape())}},
                         .source_offset = offset};
  const SlotId x = l.PlainInput(0);
  const SlotId y = l.PlainOutput();
  l.builder.AddStep({x}, {y}, [=](Memory& m) { copy.Run(m.F32(x), m.F32(y)); });
}

void LowerSplit(const NodeLowering& l, const Split& op) {
  const auto strides = RowMajorStrides(l.InputShape(0));
  const std::size_t axis = AxisIndex(op.axis, l.InputShape(0).size());
  const SlotId x = l.PlainInput(0);
  std::ptrdiff_t offset = 0;
  for (const ValueId output : l.node.outputs) {
    const Shape& shape = l.builder.ShapeOf(output);
    const StridedCopy copy{.loop = {shape, {strides, RowMajorStrides(shape)}}, .source_offset = offset};
    const SlotId y = l.builder.NewSlot(output, kPlainF32);
    l.builder.AddStep({x}, {y}, [=](Memory& m) { copy.Run(m.F32(x), m.F32(y)); });
    offset += strides[axis] * static_cast<std::ptrdiff_t>(shape[axis]);
  }
}

void LowerTranspose(const NodeLowering& l, const Transpose& op) {
  const auto input_strides = RowMajorStrides(l.InputShape(0));
  const std::size_t rank = input_strides.size();
  std::vector<std::ptrdiff_t> strides(rank);
  for (std::size_t i = 0; i < rank; ++i) {
    strides[i] = input_strides[op.permutation.empty() ? rank - 1 - i : static_cast<std::size_t>(op.permutation[i])];
  }
  const StridedCopy copy{.loop = {l.OutputShape(), {strides, RowMajorStrides(l.OutputShape())}}};
  const SlotId x = l.PlainInput(0);
  const SlotId y = l.PlainOutput();
  l.builder.AddStep({x}, {y}, [=](Memory& m) { copy.Run(m.F32(x), m.F32(y)); });
}

}  // namespace kdequant::runtime
