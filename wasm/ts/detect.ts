// Which WebAssembly features this runtime has, by asking it to validate the smallest module that uses each.
import { processors } from './threads.js';

/** i8x16.splat and i8x16.popcnt: fixed SIMD. */
const simdModule = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
];

/** try, catch_all: exceptions, which the allocator's refusals and the protobuf reader use inside the module. */
const exceptionsModule = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 8, 1, 6, 0, 6, 64, 25, 11, 11,
];

/**
 * i32x4.relaxed_dot_i8x16_i7x16_add_s itself: some runtimes have other relaxed instructions and not this one. True is necessary
 * and not sufficient: the relaxed module's own self-test decides.
 */
const relaxedDotModule = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0, 65, 0, 253, 15, 65, 0, 253, 15, 65,
  0, 253, 15, 253, 147, 2, 11,
];

function validates(bytes: readonly number[]): boolean {
  return typeof WebAssembly === 'object' && WebAssembly.validate(new Uint8Array(bytes));
}

/** What is missing for the baseline build, in words; empty if nothing is. */
export function missingFeatures(): string[] {
  if (typeof WebAssembly !== 'object') return ['WebAssembly'];
  const missing = [];
  if (!validates(simdModule)) missing.push('WebAssembly SIMD');
  if (!validates(exceptionsModule)) missing.push('WebAssembly exceptions');
  return missing;
}

export function mayHaveRelaxedDot(): boolean {
  return validates(relaxedDotModule);
}

/** Why threads cannot be used here, in words; undefined if nothing speaks against trying. */
export function whyNoThreads(): string | undefined {
  // Node shares memory without being isolated, and says nothing about it.
  if (
    typeof SharedArrayBuffer !== 'function' ||
    (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated === false
  )
    return 'the page is not cross-origin isolated';
  if (!mayHaveRelaxedDot()) return 'this runtime has no relaxed SIMD';
  if (processors() < 2) return 'this machine has one processor';
  return undefined;
}
