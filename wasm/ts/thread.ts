// The script of a thread: a worker that computes in the engine's memory. `threads.ts` starts it.
import { ownPort } from './remote/own-port.js';
import { type FromThread, type ThreadStart } from './threads.js';

const port = await ownPort<FromThread, ThreadStart>('kdequant/thread');
port.receive((start) => {
  void run(start);
});

async function run({ module, memory, stack, setStack, serve, pool, thread }: ThreadStart): Promise<void> {
  // Kernels call nothing outside: the other imports are the engine's own affair.
  const imports: WebAssembly.Imports = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    const names = (imports[from] ??= {});
    names[name] = kind === 'memory' ? memory : unexpected;
  }
  const { exports } = await WebAssembly.instantiate(module, imports);
  const table = Object.values(exports).find((value) => value instanceof WebAssembly.Table);
  if (!table) throw new Error('the engine exports no table');
  const at = (index: number): ((...args: number[]) => void) => table.get(index) as (...args: number[]) => void;
  at(setStack)(stack);
  port.send('ready', []);
  at(serve)(pool, thread); // until the worker is terminated
}

function unexpected(): never {
  throw new Error('a thread called out of the engine');
}
