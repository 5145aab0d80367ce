// Measures ceiling.wasm: the most operations a second this runtime gets out of this processor, by instruction sequence.

/** Operations of one step: of a multiplication and an addition in every lane. */
const OPERATIONS = { f32: 8, f32Madd: 8, i16Dot: 16, relaxedDotAdd: 32, relaxedDotWidened: 32 };
const STEPS = 32;
const ROUND_MS = 5;
const ROUNDS = 8;

/**
 * @param {BufferSource} bytes build/wasm-relaxed/bench/ceiling.wasm, or wasm-simd128's
 * @returns {Promise<{measure: () => Record<string, number>}>} GOP/s by sequence; the best of several short rounds
 */
export async function loadCeiling(bytes) {
  const { instance } = await WebAssembly.instantiate(bytes);
  const { prepareBytes, prepareFloats, ...functions } = instance.exports;
  const names = Object.keys(OPERATIONS).filter((name) => name in functions);
  const time = (name, iterations) => {
    (name.startsWith('f32') ? prepareFloats : prepareBytes)();
    const start = performance.now();
    functions[name](iterations);
    return performance.now() - start;
  };
  const iterations = {};
  for (const name of names) {
    // Past the baseline compiler, then as many iterations as take about a round.
    for (let i = 0; i < 50; i++) time(name, 1000);
    let count = 1000;
    while (time(name, count) < ROUND_MS) count *= 2;
    iterations[name] = count;
  }
  return {
    measure() {
      const best = {};
      for (let round = 0; round < ROUNDS; round++) {
        for (const name of names) {
          const operations = OPERATIONS[name] * STEPS * iterations[name];
          best[name] = Math.max(best[name] ?? 0, operations / time(name, iterations[name]) / 1e6);
        }
      }
      return best;
    },
  };
}

/** The ceiling of a kernel: of the fastest sequence that its build and precision may use. */
export function ceilingOf(measured, precision, build) {
  if (precision === 'f32') return Math.max(measured.f32, build === 'relaxed' ? (measured.f32Madd ?? 0) : 0);
  if (build === 'relaxed') return Math.max(measured.relaxedDotAdd, measured.relaxedDotWidened, measured.i16Dot);
  return measured.i16Dot;
}
