// The project's one vocabulary of vector instructions: WebAssembly's, natively through SIMDe, so that the sanitizers
// run the very kernels that ship.
#ifndef KDEQUANT_COMPENSATION_SIMD_H_
#define KDEQUANT_COMPENSATION_SIMD_H_

#if defined(__wasm_simd128__)
#include <wasm_simd128.h>
#else
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/wasm/simd128.h>
#endif

#endif  // KDEQUANT_COMPENSATION_SIMD_H_
