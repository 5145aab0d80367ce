// kernels/relaxed.h
// The relaxed integer dot product and its neighbours: of WebAssembly, or natively of SIMDe.
//
// A relaxed instruction may differ from machine to machine, but not where the second factor is in 0..127: nothing is
// read as the other sign, and no sum of two products leaves 16 bits. Kernels that give it more ask first what this
// machine makes of that (FastestArithmetic).
#ifndef KDEQUANT_RUNTIME_KERNELS_RELAXED_H_
#define KDEQUANT_RUNTIME_KERNELS_RELAXED_H_

#include "kernels/simd.h"

#if defined(__EMSCRIPTEN__) && !defined(__wasm_relaxed_simd__)
#define KDEQUANT_HAS_RELAXED 0
#else
#define KDEQUANT_HAS_RELAXED 1
#endif

#if !defined(__EMSCRIPTEN__)
#include <simde/x86/ssse3.h>

#include <bit>
#endif

namespace kdequant::relaxed {

#if KDEQUANT_HAS_RELAXED
#if defined(__EMSCRIPTEN__)

/// a[2i] b[2i] + a[2i + 1] b[2i + 1] of bytes as 16-bit integers: a signed, b in 0..127; or, where the processor reads
/// b unsigned, in 0..255, and sums beyond 16 bits become the nearest number.
inline v128_t DotPairs(v128_t a, v128_t b) { return wasm_i16x8_relaxed_dot_i8x16_i7x16(a, b); }

/// Sums of four such products, added to 32-bit integers.
inline v128_t DotAdd(v128_t a, v128_t b, v128_t sum) { return wasm_i32x4_relaxed_dot_i8x16_i7x16_add(a, b, sum); }

/// Bytes of `table` by indices 0..15.
inline v128_t Lookup(v128_t table, v128_t indices) { return wasm_i8x16_relaxed_swizzle(table, indices); }

/// a b + c, rounded once or twice.
inline v128_t MultiplyAdd(v128_t a, v128_t b, v128_t c) { return wasm_f32x4_relaxed_madd(a, b, c); }

#else

inline v128_t DotPairs(v128_t a, v128_t b) {
  return std::bit_cast<v128_t>(simde_mm_maddubs_epi16(std::bit_cast<simde__m128i>(b), std::bit_cast<simde__m128i>(a)));
}
inline v128_t DotAdd(v128_t a, v128_t b, v128_t sum) {
  return wasm_i32x4_add(wasm_i32x4_dot_i16x8(DotPairs(a, b), wasm_i16x8_splat(1)), sum);
}
inline v128_t Lookup(v128_t table, v128_t indices) { return wasm_i8x16_swizzle(table, indices); }
inline v128_t MultiplyAdd(v128_t a, v128_t b, v128_t c) { return wasm_f32x4_add(wasm_f32x4_mul(a, b), c); }

#endif
#endif

/// a b + c: fused where `kFused` and the machine and build can, else a product and a sum, each rounded.
template <bool kFused>
inline v128_t MultiplyAddF32(v128_t a, v128_t b, v128_t c) {
#if KDEQUANT_HAS_RELAXED
  if constexpr (kFused) return MultiplyAdd(a, b, c);
#endif
  return wasm_f32x4_add(c, wasm_f32x4_mul(a, b));
}

}  // namespace kdequant::relaxed

#endif  // KDEQUANT_RUNTIME_KERNELS_RELAXED_H_
