#include "plan.h"

#include <bit>
#include <cstring>

#include "kernels/layout_f32.h"
#include "kernels/simd.h"

namespace kdequant::runtime {

bool IsImage(const Shape& shape) { return shape.size() == 4 && shape[0] == 1; }

Image ImageOf(const Shape& shape) {
  return {static_cast<std::ptrdiff_t>(shape[1]), static_cast<std::ptrdiff_t>(shape[2]),
          static_cast<std::ptrdiff_t>(shape[3])};
}

std::size_t SlotBytes(const Shape& shape, Format format) {
  std::size_t elements = 1;
  if (format.layout == Layout::kC4) {
    elements = static_cast<std::size_t>(ImageOf(shape).Elements());
  } else {
    for (const std::int64_t dimension : shape) elements *= static_cast<std::size_t>(dimension);
  }
  const std::size_t bytes = elements * (format.storage == Storage::kF32 ? sizeof(float) : 1);
  return (bytes + 15) / 16 * 16;
}

namespace {

void ReadI8(const Slot& slot, const Quantization& quantization, const std::int8_t* codes, float* elements) {
  const auto real = [&](std::int8_t code) {
    return quantization.scale * static_cast<float>(code - quantization.zero_point);
  };
  if (slot.format.layout == Layout::kPlain) {
    std::size_t count = 1;
    for (const std::int64_t dimension : slot.shape) count *= static_cast<std::size_t>(dimension);
    for (std::size_t i = 0; i < count; ++i) elements[i] = real(codes[i]);
    return;
  }
  const Image image = ImageOf(slot.shape);
  for (std::ptrdiff_t channel = 0; channel < image.channels; ++channel) {
    for (std::ptrdiff_t pixel = 0; pixel < image.Pixels(); ++pixel) {
      elements[channel * image.Pixels() + pixel] = real(codes[image.Index(channel, pixel)]);
    }
  }
}

}  // namespace

void ReadSlot(const Slot& slot, SlotId id, const Memory& memory, float* elements) {
  if (slot.format.storage == Storage::kI8) {
    ReadI8(slot, memory.quantization(id), memory.I8(id), elements);
  } else if (slot.format.layout == Layout::kC4) {
    C4ToPlain(ImageOf(slot.shape), memory.F32(id), elements);
  } else {
    std::size_t count = 1;
    for (const std::int64_t dimension : slot.shape) count *= static_cast<std::size_t>(dimension);
    std::memcpy(elements, memory.F32(id), count * sizeof(float));
  }
}

void ShowResult(const Plan& plan, const Step& step, const Memory& memory, std::vector<float>& room,
                const Session::Observer& observer) {
  if (step.computes == kNoValue) return;
  const Slot& slot = plan.slots[static_cast<std::size_t>(step.result)];
  // Shapes of a plan have been counted without overflow before.
  const std::size_t elements = ElementCount(slot.shape).value_or(0);
  if (room.size() < elements) room.resize(elements);
  if (step.reveal) {
    step.reveal(memory, room.data());
  } else {
    ReadSlot(slot, step.result, memory, room.data());
  }
  observer(step.computes, std::span<const float>(room).first(elements));
}

bool CopyFinite(std::span<const float> input, float* target) {
  // Looks for exponents of all ones on the way.
  std::uint32_t found = 0;
  for (std::size_t i = 0; i < input.size(); ++i) {
    constexpr std::uint32_t kExponent = 0x7f800000U;
    found |= static_cast<std::uint32_t>((std::bit_cast<std::uint32_t>(input[i]) & kExponent) == kExponent);
    target[i] = input[i];
  }
  return found == 0;
}

KDEQUANT_SMALL Result<Memory> Plan::Allocate(const Threads& threads) const {
  Memory memory;
  memory.arena_ = Buffer<std::byte>(arena_bytes);
  if (memory.arena_.size() != arena_bytes) {
    return Fail(ErrorCode::kOutOfMemory,
                "there are not " + std::to_string(arena_bytes) +
                    " bytes of memory for the network's activations; use a smaller input or model");
  }
  // Padding that no kernel writes is read all the same (and thrown away): let it be the same every time.
  // A network that only hands constants on has no arena, and memset takes no null pointer even for nothing.
  if (arena_bytes > 0) std::memset(memory.arena_.data(), 0, arena_bytes);
  memory.root_ = roots;
  memory.threads_ = threads;
  memory.base_.reserve(slots.size());
  memory.quantization_.reserve(slots.size());
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const Slot& root = slots[static_cast<std::size_t>(roots[i])];
    // A constant is only read; Memory has one kind of pointer.
    memory.base_.push_back(root.constant ? const_cast<std::byte*>(root.constant) + offsets[i]
                                         : memory.arena_.data() + offsets[i]);
    memory.quantization_.push_back(slots[i].quantization);
  }
  return memory;
}

}  // namespace kdequant::runtime
