// What is more than loading and running 4-bit networks: a WebAssembly module of its own, in the engine's memory.
import { type EngineModule, type EngineTools } from './engine-module.js';
import { fetchModule, fetchModuleNow } from './fetch-module.js';

export class Tools {
  readonly #native: EngineModule;
  readonly #exports: WebAssembly.Exports;
  readonly url: URL;
  #added: EngineTools | undefined;
  #fetching: Promise<WebAssembly.Module> | undefined;
  #module: WebAssembly.Module | undefined;

  /** `exports` are those of the engine's module, which the tools import. */
  constructor(native: EngineModule, exports: WebAssembly.Exports, url: URL) {
    this.#native = native;
    this.#exports = exports;
    this.url = url;
  }

  /** What has arrived of them. */
  get module(): WebAssembly.Module | undefined {
    return this.#module;
  }

  /** Begins to fetch them, for later. */
  prefetch(): void {
    this.fetch().catch(() => undefined);
  }

  /** Without adding them to the engine. */
  fetch(): Promise<WebAssembly.Module> {
    if (!this.#fetching) {
      this.#fetching = fetchModule(this.url).then((module) => (this.#module = module));
      // A failed download may be tried again.
      this.#fetching.catch(() => (this.#fetching = undefined));
    }
    return this.#fetching;
  }

  async get(): Promise<EngineTools> {
    if (this.#added) return this.#added;
    await WebAssembly.instantiate(await this.fetch(), this.#imports());
    return this.#add();
  }

  /** For what is not asynchronous. Better to have awaited `get` before: the first time, everything else waits. */
  now(): EngineTools {
    if (this.#added) return this.#added;
    this.#module ??= fetchModuleNow(this.url);
    new WebAssembly.Instance(this.#module, this.#imports());
    return this.#add();
  }

  #imports(): WebAssembly.Imports {
    return { engine: this.#exports };
  }

  /** An instance has put its functions into the engine's table. Another one would put the same there. */
  #add(): EngineTools {
    if (!this.#added) {
      this.#native.addTools();
      this.#added = this.#native as EngineModule & EngineTools;
    }
    return this.#added;
  }
}
