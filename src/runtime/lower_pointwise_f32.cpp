// What works element by element, and normalizations.

#include <algorithm>

#include "kernels/elementwise_f32.h"
#include "kernels/normalize_f32.h"
#include "lower_f32.h"

namespace kdequant::runtime {
namespace {

// A constant with one value a channel of an image (or one for all), spread over [4 Blocks()]; null if it is anything
// else.
std::shared_ptr<Buffer<float>> ChannelConstant(const PlanBuilder& builder, ValueId id, const Image& image) {
  const FloatTensor* tensor = builder.graph().FloatConstant(id);
  if (!tensor) return nullptr;
  const auto count = static_cast<std::ptrdiff_t>(tensor->values.size());
  const std::size_t rank = tensor->shape.size();
  const bool per_channel = rank >= 3 && tensor->shape[rank - 3] == image.channels && count == image.channels;
  if (rank > 4 || (count != 1 && !per_channel)) return nullptr;
  auto buffer = std::make_shared<Buffer<float>>(static_cast<std::size_t>(4 * image.Blocks()));
  for (std::ptrdiff_t c = 0; c < 4 * image.Blocks(); ++c) {
    buffer->data()[c] = c < image.channels ? tensor->values[count == 1 ? 0 : static_cast<std::size_t>(c)] : 0.0F;
  }
  return buffer;
}

// Where an operand of a C4 operation comes from.
struct ImageSource {
  std::shared_ptr<Buffer<float>> constant = {};
  SlotId slot = kNoSlot;
  bool per_pixel = true;

  ImageOperand At(const Memory& memory) const { return {constant ? constant->data() : memory.F32(slot), per_pixel}; }
};

enum class OperandKind { kNone, kFull, kChannel };

OperandKind KindOf(const NodeLowering& l, std::size_t i) {
  const Shape& shape = l.InputShape(i);
  const Image image = ImageOf(l.OutputShape());
  if (shape == l.OutputShape()) return OperandKind::kFull;
  if (shape == Shape{1, l.OutputShape()[1], 1, 1}) return OperandKind::kChannel;
  return ChannelConstant(l.builder, l.Input(i), image) ? OperandKind::kChannel : OperandKind::kNone;
}

ImageSource SourceOf(const NodeLowering& l, std::size_t i, OperandKind kind) {
  ImageSource source{.per_pixel = kind == OperandKind::kFull};
  if (kind == OperandKind::kChannel) source.constant = ChannelConstant(l.builder, l.Input(i), ImageOf(l.OutputShape()));
  if (!source.constant) source.slot = l.builder.RequireF32(l.Input(i), Layout::kC4);
  return source;
}

std::vector<SlotId> SlotsOf(const ImageSource& a, const ImageSource& b) {
  std::vector<SlotId> slots;
  if (a.slot != kNoSlot) slots.push_back(a.slot);
  if (b.slot != kNoSlot) slots.push_back(b.slot);
  return slots;
}

bool LowerElementwiseC4(const NodeLowering& l, Elementwise::Kind operation) {
  if (!l.Blocked() || !IsImage(l.OutputShape())) return false;
  const OperandKind kinds[2] = {KindOf(l, 0), KindOf(l, 1)};
  if (kinds[0] == OperandKind::kNone || kinds[1] == OperandKind::kNone) return false;
  // Where nothing is in C4 yet, there is no reason to change that.
  const auto full_and_blocked = [&](std::size_t i) { return kinds[i] == OperandKind::kFull && l.InputIsBlocked(i); };
  if (!full_and_blocked(0) && !full_and_blocked(1)) return false;

  const ImageSource a = SourceOf(l, 0, kinds[0]);
  const ImageSource b = SourceOf(l, 1, kinds[1]);
  const std::size_t over = full_and_blocked(0) ? 0 : 1;
  SlotId y = l.builder.NewSlotOver(l.Output(), kC4F32, l.Input(over), over == 0 ? a.slot : b.slot);
  const Image image = ImageOf(l.OutputShape());
  const Epilogue epilogue = EpilogueOf(l.node.activation);
  l.builder.AddStep(SlotsOf(a, b), {y}, [=](Memory& m) {
    m.threads().Cut(image.Blocks(), 1, [&](Stretch blocks, int) {
      ElementwiseC4(operation, image, blocks, a.At(m), b.At(m), epilogue, m.F32(y));
    });
  });
  l.ActivateRest(epilogue, y);
  return true;
}

StridedLoop<3> BroadcastLoop(const NodeLowering& l) {
  const Shape& output = l.OutputShape();
  return {
      output,
      {BroadcastStrides(l.InputShape(0), output), BroadcastStrides(l.InputShape(1), output), RowMajorStrides(output)}};
}

}  // namespace

void LowerActivate(const NodeLowering& l, const Activate& op) {
  const Activation activation = op.function;
  if (l.Blocked() && IsImage(l.OutputShape()) && l.InputIsBlocked(0)) {
    const SlotId x = l.builder.RequireF32(l.Input(0), Layout::kC4);
    const SlotId y = l.builder.NewSlotOver(l.Output(), kC4F32, l.Input(0), x);
    const Image image = ImageOf(l.OutputShape());
    l.builder.AddStep({x}, {y}, [=](Memory& m) { ApplyToImage(activation, image, m.F32(x), m.F32(y), m.threads()); });
    return;
  }
  const SlotId x = l.PlainInput(0);
  const SlotId y = l.builder.NewSlotOver(l.Output(), kPlainF32, l.Input(0), x);
  const std::ptrdiff_t count = l.OutputElements();
  l.builder.AddStep({x}, {y}, [=](Memory& m) { ApplyToRun(activation, m.F32(x), m.F32(y), count); });
}

void LowerPRelu(const NodeLowering& l) {
  if (l.Blocked() && IsImage(l.OutputShape()) && l.InputIsBlocked(0)) {
    const Image image = ImageOf(l.OutputShape());
    if (const auto slopes = ChannelConstant(l.builder, l.Input(1), image)) {
      const SlotId x = l.builder.RequireF32(l.Input(0), Layout::kC4);
      const SlotId y = l.builder.NewSlotOver(l.Output(), kC4F32, l.Input(0), x);
      l.builder.AddStep({x}, {y}, [=](Memory& m) { PReluImage(image, slopes->data(), m.F32(x), m.F32(y)); });
      return;
    }
  }
  const SlotId x = l.PlainInput(0);
  const SlotId slopes = l.PlainInput(1);
  const SlotId y = l.PlainOutput();
  l.builder.AddStep({x, slopes}, {y},
                    [=, loop = BroadcastLoop(l)](Memory& m) { PReluStrided(loop, m.F32(x), m.F32(slopes), m.F32(y)); });
}

void LowerElementwise(const NodeLowering& l, const Elementwise& op) {
  if (LowerElementwiseC4(l, op.kind)) return;
  const SlotId a = l.PlainInput(0);
  const SlotId b = l.PlainInput(1);
  const SlotId y = l.PlainOutput();
  l.builder.AddStep({a, b}, {y}, [=, kind = op.kind, loop = BroadcastLoop(l)](Memory& m) {
    ElementwiseStrided(kind, loop, m.F32(a), m.F32(b), m.F32(y));
  });
  l.ActivatePlain(y);
}

void LowerLrn(const NodeLowering& l, const Lrn& op) {
  const Image image = ImageOf(l.InputShape(0));
  const auto batch = static_cast<std::ptrdiff_t>(l.InputShape(0)[0]);
  const SlotId x = l.PlainInput(0);
  const SlotId y = l.PlainOutput();
  l.builder.AddStep({x}, {y}, [=](Memory& m) {
    const std::ptrdiff_t size = image.channels * image.Pixels();
    for (std::ptrdiff_t n = 0; n < batch; ++n) {
      LocalResponse(op, image.channels, image.Pixels(), m.F32(x) + n * size, m.F32(y) + n * size);
    }
  });
}

void LowerSoftmax(const NodeLowering& l, const Softmax& op) {
  const Shape& shape = l.InputShape(0);
  const std::size_t axis = AxisIndex(op.axis, shape.size());
  std::ptrdiff_t extents[3] = {1, 1, 1};  // outer, length, inner
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::size_t part = i < axis ? 0 : (i == axis || op.flatten ? 1 : 2);
    extents[part] *= static_cast<std::ptrdiff_t>(shape[i]);
  }
  const SlotId x = l.PlainInput(0);
  const SlotId y = l.PlainOutput();
  l.builder.AddStep({x}, {y},
                    [=, log = op.log, outer = extents[0], length = extents[1], inner = extents[2]](Memory& m) {
                      SoftmaxRows(log, outer, length, inner, m.F32(x), m.F32(y));
                    });
}

}  // namespace kdequant::runtime
