// Loading the WebAssembly modules: which build, from where, once each.
import { mayHaveRelaxedDot, missingFeatures } from './detect.js';
import { type DecoderModule, type EngineModule, type ModuleFactory } from './engine-module.js';
import { describe, KdequantError } from './errors.js';
import { isNode, nodeModule } from './platform.js';
import { type Build } from './types.js';

export interface Engine {
  readonly build: Build;
  readonly native: EngineModule;
}

const engines = new Map<Build, Promise<Engine>>();
let decoder: Promise<DecoderModule> | undefined;

/** The engine, loaded at the first call. `auto`: the relaxed build where its self-test passes, otherwise simd128. */
export async function loadEngine(build: 'auto' | Build = 'auto'): Promise<Engine> {
  const missing = missingFeatures();
  if (missing.length > 0) {
    throw new KdequantError(
      'environment',
      `this browser lacks ${missing.join(' and ')}; use a newer one (Chrome 95, Firefox 100, Safari 16.4 or later)`,
    );
  }
  if (build === 'simd128') return engineOf('simd128');
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

/** The picture decoder, loaded at the first call. */
export function loadDecoder(): Promise<DecoderModule> {
  decoder ??= instantiate(import('./kdequant-decode.mjs'), new URL('./kdequant-decode.wasm', import.meta.url));
  decoder.catch(() => (decoder = undefined));
  return decoder;
}

function engineOf(build: Build): Promise<Engine> {
  let engine = engines.get(build);
  if (!engine) {
    engine = (build === 'relaxed' ? relaxedModule() : simd128Module()).then((native) => ({ build, native }));
    engines.set(build, engine);
    // A failed download may be tried again.
    engine.catch(() => engines.delete(build));
  }
  return engine;
}

// Spelled out twice, because bundlers look for the literal `new URL(..., import.meta.url)`.
function simd128Module(): Promise<EngineModule> {
  return instantiate(import('./kdequant-simd128.mjs'), new URL('./kdequant-simd128.wasm', import.meta.url));
}

function relaxedModule(): Promise<EngineModule> {
  return instantiate(import('./kdequant-relaxed.mjs'), new URL('./kdequant-relaxed.wasm', import.meta.url));
}

/** Fetches script and WebAssembly at the same time, and compiles the latter while it arrives. */
async function instantiate<M>(script: Promise<{ default: ModuleFactory<M> }>, url: URL): Promise<M> {
  const [{ default: factory }, module] = await Promise.all([script, compile(url)]);
  return new Promise((resolve, reject) => {
    factory({
      instantiateWasm(imports, receive) {
        WebAssembly.instantiate(module, imports).then((instance) => {
          receive(instance, module);
        }, reject);
        return {};
      },
    }).then(resolve, reject);
  });
}

async function compile(url: URL): Promise<WebAssembly.Module> {
  try {
    if (isNode && url.protocol === 'file:') {
      const { readFile } = await nodeModule<typeof import('node:fs/promises')>('node:fs/promises');
      return await WebAssembly.compile(await readFile(url));
    }
    const response = await fetch(url);
    if (!response.ok) throw new Error(`HTTP status ${response.status}`);
    // compileStreaming insists on the right media type, which not every static server sends.
    return response.headers.get('content-type')?.startsWith('application/wasm')
      ? await WebAssembly.compileStreaming(response)
      : await WebAssembly.compile(await response.arrayBuffer());
  } catch (error) {
    throw new KdequantError(
      'cannot-read',
      `cannot load the engine from ${url.href} (${describe(error)}); check that the package's .wasm files are served`,
      undefined,
      { cause: error },
    );
  }
}
