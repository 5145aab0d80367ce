// What is more than loading and running networks: a WebAssembly module of its own, in the engine's memory.
import { type EngineModule, type EngineTools } from './engine-module.js';
import { fetchModule, fetchModuleNow } from './fetch-module.js';

export class Tools {
  readonly #native: EngineModule;
  readonly #exports: WebAssembly.Exports;
  readonly #url: URL;
  #added: EngineTools | undefined;
  #module: Promise<WebAssembly.Module> | undefined;

  /** `exports` are those of the engine's module, which the tools import. */
  constructor(native: EngineModule, exports: WebAssembly.Exports, url: URL) {
    this.#native = native;
    this.#exports = exports;
    this.#url = url;
  }

  /** Begins to fetch them, for later. */
  prefetch(): void {
    this.#fetch().catch(() => undefined);
  }

  async get(): Promise<EngineTools> {
    if (this.#added) return this.#added;
    await WebAssembly.instantiate(await this.#fetch(), this.#imports());
    return this.#add();
  }

  /** For what is not asynchronous. Better to have awaited `get` before: the first time, everything else waits. */
  now(): EngineTools {
    if (this.#added) return this.#added;
    new WebAssembly.Instance(fetchModuleNow(this.#url), this.#imports());
    return this.#add();
  }

  #fetch(): Promise<WebAssembly.Module> {
    if (!this.#module) {
      this.#module = fetchModule(this.#url);
      // A failed download may be tried again.
      this.#module.catch(() => (this.#module = undefined));
    }
    return this.#module;
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
