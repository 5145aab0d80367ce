// kernels/w4a8_steps.h
// Reads the steps of packed weights (w4a8_pack.h) as bytes, whatever their packing.
#ifndef KDEQUANT_RUNTIME_KERNELS_W4A8_STEPS_H_
#define KDEQUANT_RUNTIME_KERNELS_W4A8_STEPS_H_

#include <cstddef>
#include <cstdint>

#include "kernels/relaxed.h"
#include "kernels/w4a8_pack.h"

namespace kdequant::w4a8 {

/// The two byte vectors of a step.
struct StepBytes {
  v128_t first;
  v128_t second;
};
inline StepBytes LoadStep(const std::int8_t* step) { return {wasm_v128_load(step), wasm_v128_load(step + 16)}; }

/// Takes groups of four steps of 4-bit weights apart. Read is not inlined: the engine would have a dozen copies of its
/// shuffles, and a call is nothing beside what is done with a group.
class GroupReader {
 public:
  static constexpr std::size_t kBytes = 32 * kGroupSteps;  ///< Of a group's steps.

  /// Of weights that are not packed as nibbles it reads nothing. `shift` is added to every code.
  GroupReader(const PackedWeights& weights, std::size_t panel, std::int8_t shift = 0);

  /// `steps`: room for the group, aligned to 16 bytes.
  void Read(std::size_t group, std::int8_t* steps) const;
  /// 16 depths of the panel's row r (below 4), and of its row r + 4.
  StepBytes Rows(std::size_t group, std::size_t r) const {
    const v128_t pairs = wasm_v128_load(packed_ + 64 * group + 16 * r);
    return {Lookup(tables_[r], wasm_v128_and(pairs, wasm_i8x16_splat(0x0f))),
            Lookup(tables_[r + 4], wasm_u8x16_shr(pairs, 4))};
  }

 private:
  static v128_t Lookup(v128_t table, v128_t indices) {
#if KDEQUANT_HAS_RELAXED
    return relaxed::Lookup(table, indices);
#else
    return wasm_i8x16_swizzle(table, indices);
#endif
  }

  const std::uint8_t* packed_;
  v128_t tables_[kPanelRows];
};

/// Reads the steps of a panel one after the other.
class StepReader {
 public:
  StepReader(const PackedWeights& weights, std::size_t panel)
      : groups_(weights, panel),
        bytes_(reinterpret_cast<const std::int8_t*>(weights.Panel(panel))),
        nibbles_(weights.nibbles) {}

  StepBytes Next() {
    if (nibbles_ && next_ % kGroupSteps == 0) {
      groups_.Read(next_ / kGroupSteps, group_);
      bytes_ = group_;
    }
    const StepBytes step = LoadStep(bytes_);
    bytes_ += 32;
    ++next_;
    return step;
  }

 private:
  GroupReader groups_;
  const std::int8_t* bytes_;
  std::size_t next_ = 0;
  bool nibbles_;
  alignas(16) std::int8_t group_[GroupReader::kBytes];
};

}  // namespace kdequant::w4a8

#endif  // KDEQUANT_RUNTIME_KERNELS_W4A8_STEPS_H_
