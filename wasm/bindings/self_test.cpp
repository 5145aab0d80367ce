#include "self_test.h"

#ifdef __wasm_relaxed_simd__

#include <wasm_simd128.h>

#include <array>
#include <cstdint>

namespace kdequant::wasm {
namespace {

using Bytes16 = std::array<std::int8_t, 16>;

// Weights over the whole signed byte, activations in 0..127: what the kernels feed to the instruction.
void Fill(std::uint32_t& state, Bytes16& weights, Bytes16& activations) {
  for (std::size_t i = 0; i < 16; ++i) {
    state = state * 1664525U + 1013904223U;
    weights[i] = static_cast<std::int8_t>(state >> 24);
    activations[i] = static_cast<std::int8_t>((state >> 16) & 0x7fU);
  }
  weights[0] = -128;
  weights[1] = 127;
  activations[0] = activations[1] = 127;
}

bool DotsAreRight(std::uint32_t& state) {
  Bytes16 weights;
  Bytes16 activations;
  Fill(state, weights, activations);
  const v128_t a = wasm_v128_load(weights.data());
  const v128_t b = wasm_v128_load(activations.data());
  std::array<std::int32_t, 4> quads;
  wasm_v128_store(quads.data(), wasm_i32x4_relaxed_dot_i8x16_i7x16_add(a, b, wasm_i32x4_const_splat(1000)));
  std::array<std::int16_t, 8> pairs;
  wasm_v128_store(pairs.data(), wasm_i16x8_relaxed_dot_i8x16_i7x16(a, b));
  bool right = true;
  for (std::size_t i = 0; i < 8; ++i) {
    const int pair = weights[2 * i] * activations[2 * i] + weights[2 * i + 1] * activations[2 * i + 1];
    right = right && pairs[i] == pair;
  }
  for (std::size_t i = 0; i < 4; ++i) {
    int sum = 1000;
    for (std::size_t k = 4 * i; k < 4 * i + 4; ++k) sum += weights[k] * activations[k];
    right = right && quads[i] == sum;
  }
  return right;
}

}  // namespace

bool SelfTest(std::uint32_t seed) {
  bool right = true;
  for (int round = 0; round < 1000; ++round) right = DotsAreRight(seed) && right;
  return right;
}

}  // namespace kdequant::wasm

#else

namespace kdequant::wasm {
bool SelfTest(std::uint32_t /*seed*/) { return true; }
}  // namespace kdequant::wasm

#endif
