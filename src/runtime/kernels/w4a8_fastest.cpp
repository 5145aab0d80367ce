// What the relaxed instructions are here.

#include <algorithm>
#include <array>

#include "kernels/relaxed.h"
#include "kernels/w4a8_dense.h"

namespace kdequant::w4a8 {
namespace {

#if KDEQUANT_HAS_RELAXED

using Bytes = std::array<std::int8_t, 16>;

// Read where it stands: neither compiler may compute the products itself (Binaryen aborts when it tries).
v128_t Load(const volatile std::int8_t (&bytes)[16]) {
  Bytes copy;
  std::copy(std::begin(bytes), std::end(bytes), copy.begin());
  return wasm_v128_load(copy.data());
}

// Codes as kernels have them, and factors of seven and of eight bits.
const volatile std::int8_t kWeights[16] = {-64, -64, 63, 63, 63, -64, 1, 0, -1, 17, 40, -5, 0, 63, -64, 9};
const volatile std::int8_t kSeven[16] = {127, 127, 127, 127, 0, 1, 100, 3, 64, 63, 90, 11, 5, 127, 126, 77};
const volatile std::int8_t kEight[16] = {-1, -1, -1, -1, 0, -128, 100, -3, -64, 63, -90, 11, 5, -1, 126, -77};
const volatile std::int8_t kLargest[16] = {127, 127, 127, 127, 127, 127, 127, 127,
                                           127, 127, 127, 127, 127, 127, 127, 127};
const volatile std::int8_t kOnes[16] = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};

bool PairsAreRight() {
  std::array<std::int16_t, 8> pairs;
  wasm_v128_store(pairs.data(), relaxed::DotPairs(Load(kWeights), Load(kEight)));
  const auto product = [&](std::size_t i) { return kWeights[i] * static_cast<std::uint8_t>(kEight[i]); };
  for (std::size_t i = 0; i < pairs.size(); ++i)
    if (pairs[i] != product(2 * i) + product(2 * i + 1)) return false;
  return true;
}

bool SumsAreRight() {
  std::array<std::int32_t, 4> sums;
  wasm_v128_store(sums.data(), relaxed::DotAdd(Load(kWeights), Load(kSeven), wasm_i32x4_splat(1000)));
  for (std::size_t i = 0; i < sums.size(); ++i) {
    std::int32_t sum = 1000;
    for (std::size_t k = 4 * i; k < 4 * i + 4; ++k) sum += kWeights[k] * kSeven[k];
    if (sums[i] != sum) return false;
  }
  return true;
}

// Four products of 127 and 255: two saturated sums of two, added, where there is no single instruction and factors are
// read unsigned. (One instruction says 4 * 127 * 255, and one that reads factors signed -4 * 127.)
bool AddsInTwoInstructions() {
  std::array<std::int32_t, 4> sums;
  wasm_v128_store(sums.data(), relaxed::DotAdd(Load(kLargest), Load(kOnes), wasm_i32x4_splat(0)));
  return sums[0] == 2 * 32767;
}

Arithmetic Choose() {
  const bool adds = SumsAreRight();
  if (adds && !AddsInTwoInstructions()) return Arithmetic::kRelaxedAdd;
  if (PairsAreRight()) return Arithmetic::kRelaxedPairs;
  return adds ? Arithmetic::kRelaxedAdd : Arithmetic::kPairs;
}

#else

Arithmetic Choose() { return Arithmetic::kPairs; }

#endif

}  // namespace

Arithmetic FastestArithmetic() {
  static const Arithmetic fastest = Choose();
  return fastest;
}

}  // namespace kdequant::w4a8
