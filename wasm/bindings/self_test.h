// Whether this machine computes what this build assumes.
#ifndef KDEQUANT_WASM_SELF_TEST_H_
#define KDEQUANT_WASM_SELF_TEST_H_

#include <cstdint>

namespace kdequant::wasm {

/// Compares the relaxed dot products with plain arithmetic, on operands read from memory. True on builds without
/// relaxed SIMD.
///
/// WebAssembly.validate is not enough: Node 20 accepts relaxed SIMD behind a flag and returns twice the right answer
/// until it has optimized the function. So the products are computed many times over, in functions that start
/// unoptimized. `seed` draws the operands; it comes from outside because Binaryen 120 aborts on relaxed dots of
/// constants.
bool SelfTest(std::uint32_t seed);

}  // namespace kdequant::wasm

#endif  // KDEQUANT_WASM_SELF_TEST_H_
