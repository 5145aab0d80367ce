// What an engine's module imports in place of functions that are in the tools' module (scripts/split.mjs): each fetches the tools, which
// put themselves where the engine looks for them, and goes on with the call. The engine calls none where it loads and runs a 4-bit network
// of the usual layers; what else there is awaits the tools beforehand wherever it can, because here everything else waits.

const namespace = 'p';
/** How the names of an engine's exports begin that are there for the tools. */
const forTools = '%';

type Numbers = (...args: (number | bigint)[]) => unknown;

/** `exports` are those of the engine's instance, once it is there. `addTools` returns when the tools are instantiated. */
export function placeholderImports(
  module: WebAssembly.Module,
  exports: () => WebAssembly.Exports,
  addTools: () => void,
): WebAssembly.Imports {
  const places = WebAssembly.Module.imports(module).filter((wanted) => wanted.module === namespace);
  if (places.length === 0) return {};
  const placeholder =
    (place: number): Numbers =>
    (...args) => {
      addTools();
      const table = findTable(exports(), (name) => name.startsWith(forTools));
      return (table.get(place) as Numbers)(...args);
    };
  // The name is the function's place in the table that the tools fill.
  return { [namespace]: Object.fromEntries(places.map(({ name }) => [name, placeholder(Number(name))])) };
}

/** The table of functions that the engine calls by pointers. */
export function pointerTable(exports: WebAssembly.Exports): WebAssembly.Table {
  return findTable(exports, (name) => !name.startsWith(forTools));
}

function findTable(exports: WebAssembly.Exports, isWanted: (name: string) => boolean): WebAssembly.Table {
  const found = Object.entries(exports).find(([name, value]) => isWanted(name) && value instanceof WebAssembly.Table);
  if (!found) throw new Error('the engine exports no such table');
  return found[1] as WebAssembly.Table;
}
