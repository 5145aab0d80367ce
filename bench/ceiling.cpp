// How fast this processor can do nothing but multiply and add, in the instructions that the engine's kernels are made
// of: the ceiling that kernels are measured against, in the same process and the same minute.
//
// Each loop does kSteps steps an iteration on operands from a buffer that stays in the first-level cache, another one
// for every step, so that no compiler can merge or hoist them; eight independent sums hide the latency of one. A step
// is one of the instruction sequences below; bench/ceiling.mjs knows how many operations that is, a multiplication and
// an addition being two.
#include <wasm_simd128.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace {

constexpr std::size_t kSums = 8;
constexpr std::size_t kRepeats = 4;
constexpr std::size_t kSteps = kSums * kRepeats;
constexpr std::size_t kBlocks = 4;  // what one iteration reads, times four: 2 KB

std::array<v128_t, kSteps * kBlocks> operands;
std::array<v128_t, 2> factors;

template <typename Step>
int Repeat(int iterations, const Step& step) {
  std::array<v128_t, kSums> sums{};
  const v128_t factor = factors[0];
  for (int i = 0; i < iterations; ++i) {
    const v128_t* operand = operands.data() + (static_cast<std::size_t>(i) % kBlocks) * kSteps;
#pragma clang loop unroll(full)
    for (std::size_t repeat = 0; repeat < kRepeats; ++repeat) {
#pragma clang loop unroll(full)
      for (std::size_t s = 0; s < kSums; ++s) sums[s] = step(operand[repeat * kSums + s], factor, sums[s]);
    }
  }
  v128_t total = sums[0];
  for (std::size_t s = 1; s < kSums; ++s) total = wasm_v128_xor(total, sums[s]);
  return wasm_i32x4_extract_lane(total, 0) ^ wasm_i32x4_extract_lane(total, 3);
}

}  // namespace

// Every function returns what it computed, so that nothing of it can be left out.
extern "C" {

/// Fills the operands with bytes of 0..62, both signs of a dot's operands being as fast. Call it before the integer
/// loops.
[[clang::export_name("prepareBytes")]] void PrepareBytes() {
  auto* bytes = reinterpret_cast<std::uint8_t*>(operands.data());
  for (std::size_t i = 0; i < sizeof(operands); ++i) bytes[i] = static_cast<std::uint8_t>((7 * i + 1) % 63);
  bytes = reinterpret_cast<std::uint8_t*>(factors.data());
  for (std::size_t i = 0; i < sizeof(factors); ++i) bytes[i] = static_cast<std::uint8_t>((5 * i + 3) % 61);
}

/// Fills the operands with floats around 1, since denormal ones would be slow. Call it before the float loops.
[[clang::export_name("prepareFloats")]] void PrepareFloats() {
  for (std::size_t i = 0; i < operands.size(); ++i) {
    operands[i] = wasm_f32x4_splat(0.5F + 0.001F * static_cast<float>(i));
  }
  factors.fill(wasm_f32x4_splat(0.25F));
}

/// f32x4.mul, f32x4.add.
[[clang::export_name("f32")]] int F32(int iterations) {
  return Repeat(iterations, [](v128_t x, v128_t w, v128_t sum) { return wasm_f32x4_add(sum, wasm_f32x4_mul(x, w)); });
}

/// i32x4.dot_i16x8_s, i32x4.add.
[[clang::export_name("i16Dot")]] int I16Dot(int iterations) {
  return Repeat(iterations,
                [](v128_t x, v128_t w, v128_t sum) { return wasm_i32x4_add(sum, wasm_i32x4_dot_i16x8(x, w)); });
}

#ifdef __wasm_relaxed_simd__
/// f32x4.relaxed_madd.
[[clang::export_name("f32Madd")]] int F32Madd(int iterations) {
  return Repeat(iterations, [](v128_t x, v128_t w, v128_t sum) { return wasm_f32x4_relaxed_madd(x, w, sum); });
}

/// i32x4.relaxed_dot_i8x16_i7x16_add_s.
[[clang::export_name("relaxedDotAdd")]] int RelaxedDotAdd(int iterations) {
  return Repeat(iterations,
                [](v128_t x, v128_t w, v128_t sum) { return wasm_i32x4_relaxed_dot_i8x16_i7x16_add(x, w, sum); });
}

/// i16x8.relaxed_dot_i8x16_i7x16_s, i32x4.dot_i16x8_s with ones, i32x4.add: the same sum in two steps.
[[clang::export_name("relaxedDotWidened")]] int RelaxedDotWidened(int iterations) {
  const v128_t ones = wasm_i16x8_splat(1);
  return Repeat(iterations, [ones](v128_t x, v128_t w, v128_t sum) {
    return wasm_i32x4_add(sum, wasm_i32x4_dot_i16x8(wasm_i16x8_relaxed_dot_i8x16_i7x16(x, w), ones));
  });
}
#endif
}
