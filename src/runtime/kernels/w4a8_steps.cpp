#include "kernels/w4a8_steps.h"

namespace kdequant::w4a8 {

GroupReader::GroupReader(const PackedWeights& weights, std::size_t panel, std::int8_t shift)
    : packed_(weights.Panel(panel)) {
  if (!weights.nibbles) return;
  for (std::size_t row = 0; row < kPanelRows; ++row) {
    const v128_t table = wasm_v128_load(weights.tables[weights.table_of[panel * kPanelRows + row]].data());
    tables_[row] = wasm_i8x16_add(table, wasm_i8x16_splat(shift));
  }
}

void GroupReader::Read(std::size_t group, std::int8_t* steps) const {
  v128_t rows[kPanelRows];
  for (std::size_t r = 0; r < 4; ++r) {
    const StepBytes two = Rows(group, r);
    rows[r] = two.first;
    rows[r + 4] = two.second;
  }
  // From four rows of 16 depths to four steps of 4 depths.
  for (std::size_t half = 0; half < 2; ++half, steps += 16) {
    const v128_t* const of = rows + 4 * half;
    const v128_t a = wasm_i32x4_shuffle(of[0], of[1], 0, 4, 1, 5);
    const v128_t b = wasm_i32x4_shuffle(of[2], of[3], 0, 4, 1, 5);
    const v128_t c = wasm_i32x4_shuffle(of[0], of[1], 2, 6, 3, 7);
    const v128_t d = wasm_i32x4_shuffle(of[2], of[3], 2, 6, 3, 7);
    wasm_v128_store(steps, wasm_i64x2_shuffle(a, b, 0, 2));
    wasm_v128_store(steps + 32, wasm_i64x2_shuffle(a, b, 1, 3));
    wasm_v128_store(steps + 64, wasm_i64x2_shuffle(c, d, 0, 2));
    wasm_v128_store(steps + 96, wasm_i64x2_shuffle(c, d, 1, 3));
  }
}

}  // namespace kdequant::w4a8
