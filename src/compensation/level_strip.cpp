#include "level_strip.h"

#include "simd.h"
#include "tile_kernels.h"

namespace kdequant {

LevelStrip::LevelStrip(std::size_t levels_per_table)
    : count_(levels_per_table), levels_(count_ * kStrip), midpoints_((count_ - 1) * kStrip) {}

void LevelStrip::SetTable(std::size_t lane, std::span<const float> levels) {
  for (std::size_t i = 0; i < count_; ++i) {
    levels_.data()[i * kStrip + lane] = levels[i];
    if (i > 0) midpoints_.data()[(i - 1) * kStrip + lane] = 0.5F * levels[i - 1] + 0.5F * levels[i];
  }
}

void LevelStrip::Nearest(const float* values, std::uint8_t* indices, float* levels) const {
  for (std::size_t lane = 0; lane < kStrip; lane += 4) {
    const v128_t value = wasm_v128_load(values + lane);
    v128_t index = wasm_i32x4_splat(0);
    v128_t level = wasm_v128_load(levels_.data() + lane);
    // Counting the midpoints below the value needs no branch; a comparison that holds is -1.
    for (std::size_t m = 0; m + 1 < count_; ++m) {
      const v128_t above = wasm_f32x4_gt(value, wasm_v128_load(midpoints_.data() + m * kStrip + lane));
      index = wasm_i32x4_sub(index, above);
      level = wasm_v128_bitselect(wasm_v128_load(levels_.data() + (m + 1) * kStrip + lane), level, above);
    }
    wasm_v128_store(levels + lane, level);
    alignas(16) std::int32_t counts[4];
    wasm_v128_store(counts, index);
    for (std::size_t i = 0; i < 4; ++i) indices[lane + i] = static_cast<std::uint8_t>(counts[i]);
  }
}

}  // namespace kdequant
