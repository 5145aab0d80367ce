// The threads of the engine: workers that share its memory, started once and kept.
import { type EngineModule, type ThreadStack } from './engine-module.js';
import { ask, describe, KdequantError } from './errors.js';
import { type WorkerPort } from './remote/line.js';
import { nodeWorkerPort, webWorkerPort } from './remote/ports.js';
import { type Tools } from './tools.js';

/** More than this is not worth its memory in a browser, whose machine has other things to do. */
const mostByDefault = 4;
const most = 64; // ThreadPool::kMostThreads

/** What a thread is told. */
export interface ThreadStart extends ThreadStack {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** The module only where it has arrived: a thread seldom needs them, and then fetches them itself. */
  readonly tools: { readonly url: string; readonly module: WebAssembly.Module | undefined };
  /** Its number, from 1: the engine's own thread is number 0. */
  readonly thread: number;
}

/** What it answers before it computes. */
export type FromThread = 'ready';

/** What the browser says, which may be less than there are. */
export function processors(): number {
  return typeof navigator === 'object' ? navigator.hardwareConcurrency : 1;
}

export function defaultThreads(): number {
  return Math.min(processors(), mostByDefault);
}

export function checkThreads(threads: number): number {
  if (Number.isInteger(threads) && threads >= 1 && threads <= most) return threads;
  throw new KdequantError('usage', `threads must be an integer from 1 to ${most}, not ${threads}`);
}

/** Grows, and never shrinks. */
export class ThreadTeam {
  readonly #native: EngineModule;
  readonly #module: WebAssembly.Module;
  readonly #memory: WebAssembly.Memory;
  readonly #tools: Tools;
  #size = 1;
  #growing: Promise<unknown> = Promise.resolve();

  constructor(native: EngineModule, module: WebAssembly.Module, memory: WebAssembly.Memory, tools: Tools) {
    this.#native = native;
    this.#module = module;
    this.#memory = memory;
    this.#tools = tools;
  }

  /** Sees to it that there are that many threads, the engine's own included. */
  async grow(size: number): Promise<void> {
    const grown = this.#growing.then(() => this.#growTo(size));
    this.#growing = grown.catch(() => undefined);
    await grown;
  }

  async #growTo(size: number): Promise<void> {
    const starting = Array.from({ length: Math.max(0, size - this.#size) }, (_, i) => this.#start(this.#size + i));
    const started = await Promise.allSettled(starting);
    const failure = started.find((thread) => thread.status === 'rejected');
    if (failure) {
      for (const thread of started) if (thread.status === 'fulfilled') thread.value.terminate();
      throw new KdequantError('environment', `no more threads can be started (${describe(failure.reason)})`);
    }
    this.#size = Math.max(size, this.#size);
    this.#native.admitThreads?.(this.#size, maySleep());
  }

  async #start(thread: number): Promise<{ terminate(): void }> {
    const stack = ask(() => this.#native.prepareThread?.() ?? noThreads);
    // While a page's own thread looks on, not every browser lets another one fetch anything.
    if (!maySleep()) await this.#tools.fetch();
    const tools = { url: this.#tools.url.href, module: this.#tools.module };
    const worker = await startThread();
    await new Promise<void>((resolve, reject) => {
      worker.receive(() => {
        resolve();
      });
      worker.onDeath((reason) => {
        reject(new Error(reason));
      });
      worker.send({ module: this.#module, memory: this.#memory, tools, thread, ...stack }, []);
    });
    worker.keepAlive(false);
    return worker;
  }
}

/** A worker that waits to become a thread of the engine. */
async function startThread(): Promise<WorkerPort<ThreadStart, FromThread>> {
  if (typeof Worker === 'function')
    return webWorkerPort(
      new Worker(new URL('./thread.js', import.meta.url), { type: 'module', name: 'kdequant-thread' }),
    );
  return nodeWorkerPort('./thread.js', import.meta.url);
}

/** A page's own thread may not, a worker's and Node's may. */
function maySleep(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1, 0); // The value is another: returns at once.
    return true;
  } catch {
    return false;
  }
}

const noThreads = { failure: { code: 'internal', message: 'this build has no threads', layer: '' } } as const;
