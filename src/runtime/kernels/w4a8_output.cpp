#include "kernels/w4a8_output.h"

namespace kdequant::w4a8 {

v128_t SumToBytes(const ByteOutput& output, const ByteBounds& bounds, std::ptrdiff_t channel, v128_t addends, v128_t a,
                  v128_t b, v128_t c, v128_t d) {
  const v128_t multipliers = wasm_v128_load(output.rows.multipliers + channel);
  const v128_t ratio = wasm_f32x4_splat(output.addend.ratio);
  v128_t added[4];
  Widen(addends, wasm_i16x8_splat(static_cast<std::int16_t>(output.addend.zero_point)), added);
  v128_t sums[4] = {a, b, c, d};
  for (int i = 0; i < 4; ++i) {
    const v128_t product = wasm_f32x4_mul(wasm_f32x4_convert_i32x4(sums[i]), multipliers);
    sums[i] = RoundScaled(wasm_f32x4_add(product, wasm_f32x4_mul(added[i], ratio)), bounds);
  }
  return RoundedToBytes(sums[0], sums[1], sums[2], sums[3], bounds);
}

}  // namespace kdequant::w4a8
