// Runs in the page: loads one network in one engine, then times it. Three calls, so that the browser can be asked in between
// how much processor time the page has had.
import { wasmBytes } from './memory.mjs';

const WARM_UP_MS = 800;
const WARM_UP_RUNS = 2;
const MOST_RUNS = 400;

let network;

async function floats(address) {
  return new Float32Array(await (await fetch(address)).arrayBuffer());
}

function cosine(a, b) {
  let product = 0;
  let squareA = 0;
  let squareB = 0;
  for (let i = 0; i < a.length; i++) {
    product += a[i] * b[i];
    squareA += a[i] ** 2;
    squareB += b[i] ** 2;
  }
  return product / Math.sqrt(squareA * squareB);
}

/**
 * From nothing to the first answer. Loading is everything up to a network that is ready: the engine's own code, its
 * WebAssembly, the file, and what the engine makes of it.
 * @param {{engine: string, variant: string, build: string, model: string, threads: number}} task
 */
export async function load(task) {
  const input = await floats('/build/bench/peers/input.f32');
  const reference = await floats(`/build/bench/peers/${task.model}/logits.f32`);
  const start = performance.now();
  const { create } = await import(`./engines/${task.engine}.mjs`);
  network = await create({ ...task, input });
  const loaded = performance.now();
  const logits = Float32Array.from(await network.run());
  return {
    files: network.files,
    load_ms: loaded - start,
    first_ms: performance.now() - loaded,
    wasm_mb: wasmBytes() / 1e6,
    cosine: cosine(logits, reference),
  };
}

/** Past the baseline compilers. */
export async function warmUp() {
  const start = performance.now();
  for (let i = 0; i < WARM_UP_RUNS || (performance.now() - start < WARM_UP_MS && i < MOST_RUNS); i++) {
    await network.run();
  }
}

/** Milliseconds of each run, ascending: at least `runs` of them and at least `seconds` in all. */
export async function time({ runs, seconds }) {
  const times = [];
  const start = performance.now();
  while (times.length < runs || (performance.now() - start < 1000 * seconds && times.length < MOST_RUNS)) {
    const before = performance.now();
    await network.run();
    times.push(performance.now() - before);
  }
  return times.sort((a, b) => a - b);
}
