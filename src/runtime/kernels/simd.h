// kernels/simd.h
// The one intrinsics vocabulary of the engine: wasm_simd128, compiled natively through SIMDe so that tests, sanitizers
// and fuzzers run the very kernels that ship.
//
// A multiplication and an addition stay two roundings: the whole project is compiled with -ffp-contract=off
// (cmake/Room.cmake), and SIMDe's f32x4 mul and add are single instructions or plain loops, never a fused one.
#ifndef KDEQUANT_RUNTIME_KERNELS_SIMD_H_
#define KDEQUANT_RUNTIME_KERNELS_SIMD_H_

#if defined(__EMSCRIPTEN__)
#include <wasm_simd128.h>
#else
#ifndef SIMDE_ENABLE_NATIVE_ALIASES
#define SIMDE_ENABLE_NATIVE_ALIASES
#endif
#include <simde/wasm/simd128.h>
#endif

/// Before a loop over K: unrolling it would keep more than the 15 vector registers alive that V8 has, and halve the
/// speed.
#if defined(__clang__)
#define KDEQUANT_NO_UNROLL _Pragma("clang loop unroll(disable)")
#elif defined(__GNUC__)
#define KDEQUANT_NO_UNROLL _Pragma("GCC unroll 1")
#else
#define KDEQUANT_NO_UNROLL
#endif

/// Before a function beside kernels that runs once a network: small code rather than fast.
#if defined(__clang__)
#define KDEQUANT_SMALL [[clang::minsize]]
#else
#define KDEQUANT_SMALL
#endif

#endif  // KDEQUANT_RUNTIME_KERNELS_SIMD_H_
