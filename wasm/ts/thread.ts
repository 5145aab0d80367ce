// The script of a thread: a worker that computes in the engine's memory. `threads.ts` starts it.
import { fetchModuleNow, prepareFetchNow } from './fetch-module.js';
import { placeholderImports, pointerTable } from './placeholders.js';
import { ownPort } from './remote/own-port.js';
import { type FromThread, type ThreadStart } from './threads.js';

const port = await ownPort<FromThread, ThreadStart>('kdequant/thread');
port.receive((start) => {
  void run(start);
});

async function run({ module, memory, tools, stack, setStack, serve, pool, thread }: ThreadStart): Promise<void> {
  // Kernels call nothing outside: the other imports are the engine's own affair.
  const imports: WebAssembly.Imports = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    const names = (imports[from] ??= {});
    names[name] = kind === 'memory' ? memory : unexpected;
  }
  await prepareFetchNow();
  const placeholders = placeholderImports(module, () => exports, addTools);
  const { exports } = await WebAssembly.instantiate(module, { ...imports, ...placeholders });
  if (tools.module) addTools();
  const at = (index: number): ((...args: number[]) => void) =>
    pointerTable(exports).get(index) as (...args: number[]) => void;
  at(setStack)(stack);
  port.send('ready', []);
  at(serve)(pool, thread); // until the worker is terminated

  // A thread has a table of its own, and, once it serves, no turn in which to be handed a module.
  function addTools(): void {
    const compiled = tools.module ?? fetchModuleNow(new URL(tools.url));
    new WebAssembly.Instance(compiled, { engine: exports });
  }
}

function unexpected(): never {
  throw new Error('a thread called out of the engine');
}
