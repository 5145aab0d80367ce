// Loading the WebAssembly modules: which build, from where, once each.
import { mayHaveRelaxedDot, missingFeatures, whyNoThreads } from './detect.js';
import { type DecoderModule, type EngineModule, type ModuleFactory } from './engine-module.js';
import { describe, KdequantError } from './errors.js';
import { fetchModule } from './fetch-module.js';
import { placeholderImports } from './placeholders.js';
import { ThreadTeam } from './threads.js';
import { Tools } from './tools.js';
import { type Build } from './types.js';

export interface Engine {
  readonly build: Build;
  readonly native: EngineModule;
  readonly tools: Tools;
  /** Of the build that has threads. */
  readonly team?: ThreadTeam;
}

const engines = new Map<Build, Promise<Engine>>();
let decoder: Promise<DecoderModule> | undefined;
let threadsFailure: string | undefined;

/** The engine, loaded at the first call. `auto`: the fastest build that computes rightly here. */
export async function loadEngine(build: 'auto' | Build = 'auto'): Promise<Engine> {
  const missing = missingFeatures();
  if (missing.length > 0) {
    throw new KdequantError(
      'environment',
      `this browser lacks ${missing.join(' and ')}; use a newer one (Chrome 96, Firefox 100, Safari 16.4 or later)`,
    );
  }
  if (build === 'simd128') return engineOf('simd128');
  if (build !== 'relaxed' && (await computesThreaded())) return engineOf('threads');
  if (build === 'threads') {
    throw new KdequantError(
      'environment',
      `there are no threads here: ${noThreads() ?? 'unknown'}; leave the option build out, and the engine does without`,
    );
  }
  if (await computesRelaxed()) return engineOf('relaxed');
  if (build === 'auto') return engineOf('simd128');
  throw new KdequantError(
    'environment',
    'this runtime has no relaxed SIMD that computes rightly; leave the option build out, or set it to "simd128"',
  );
}

/** Whether the relaxed build is there for this runtime, and computes rightly in it. */
export async function computesRelaxed(): Promise<boolean> {
  return mayHaveRelaxedDot() && (await engineOf('relaxed')).native.selfTest(1);
}

/** The same of the build with threads, which must start one, too. */
export async function computesThreaded(): Promise<boolean> {
  if (noThreads() !== undefined) return false;
  try {
    const { native, team } = await engineOf('threads');
    if (!native.selfTest(1)) throw new Error('its self-test fails');
    await team?.grow(2);
    return true;
  } catch (error) {
    // Memory to share may be refused, or a content security policy may forbid workers: the other builds need neither.
    threadsFailure = describe(error);
    return false;
  }
}

/** Why the build with threads is not used here; undefined where it is, or has not been tried. */
export function noThreads(): string | undefined {
  return whyNoThreads() ?? threadsFailure;
}

/** The picture decoder, loaded at the first call. */
export function loadDecoder(): Promise<DecoderModule> {
  decoder ??= instantiate(import('./kdequant-decode.mjs'), new URL('./kdequant-decode.wasm', import.meta.url)).then(
    ({ native }) => native,
  );
  decoder.catch(() => (decoder = undefined));
  return decoder;
}

function engineOf(build: Build): Promise<Engine> {
  let engine = engines.get(build);
  if (!engine) {
    const { load, tools: url } = modules[build];
    let tools: Tools | undefined;
    engine = load(() => tools?.now()).then(({ native, module, exports, memory }) => {
      tools = new Tools(native, exports, url);
      return { build, native, tools, ...(memory && { team: new ThreadTeam(native, module, memory, tools) }) };
    });
    engines.set(build, engine);
    // A failed download may be tried again.
    engine.catch(() => engines.delete(build));
  }
  return engine;
}

// Spelled out, because bundlers look for the literal `new URL(..., import.meta.url)`.
const modules: Readonly<
  Record<Build, { load: (addTools: () => void) => Promise<Instance<EngineModule>>; tools: URL }>
> = {
  simd128: {
    load: (addTools) =>
      instantiate(import('./kdequant-simd128.mjs'), new URL('./kdequant-simd128.wasm', import.meta.url), addTools),
    tools: new URL('./kdequant-simd128-tools.wasm', import.meta.url),
  },
  relaxed: {
    load: (addTools) =>
      instantiate(import('./kdequant-relaxed.mjs'), new URL('./kdequant-relaxed.wasm', import.meta.url), addTools),
    tools: new URL('./kdequant-relaxed-tools.wasm', import.meta.url),
  },
  threads: {
    load: (addTools) =>
      instantiate(import('./kdequant-threads.mjs'), new URL('./kdequant-threads.wasm', import.meta.url), addTools),
    tools: new URL('./kdequant-threads-tools.wasm', import.meta.url),
  },
};

interface Instance<M> {
  readonly native: M;
  readonly module: WebAssembly.Module;
  readonly exports: WebAssembly.Exports;
  /** Where threads can share it. */
  readonly memory: WebAssembly.Memory | undefined;
}

/** Fetches script and WebAssembly at the same time, and compiles the latter while it arrives. */
async function instantiate<M>(
  script: Promise<{ default: ModuleFactory<M> }>,
  url: URL,
  addTools: () => void = () => undefined,
): Promise<Instance<M>> {
  const [{ default: factory }, module] = await Promise.all([script, fetchModule(url)]);
  return new Promise((resolve, reject) => {
    let memory: WebAssembly.Memory | undefined;
    let exports: WebAssembly.Exports = {};
    factory({
      instantiateWasm(imports, receive) {
        // Memory that is shared is the script's, and comes with the imports; otherwise it is the module's own.
        memory = Object.values(imports)
          .flatMap((names) => Object.values(names))
          .find((value) => value instanceof WebAssembly.Memory);
        const placeholders = placeholderImports(module, () => exports, addTools);
        WebAssembly.instantiate(module, { ...imports, ...placeholders }).then((instance) => {
          exports = instance.exports;
          receive(instance, module);
        }, reject);
        return {};
      },
    }).then((native) => {
      resolve({ native, module, exports, memory });
    }, reject);
  });
}
