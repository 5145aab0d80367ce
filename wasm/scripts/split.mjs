// Splits the WebAssembly of an engine in two: what loads and runs networks, and the tools (bindings/tools.h), which need the first
// and are fetched when they are wanted. They share memory and table, and no function is in both.
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What the modules use, which Binaryen wants to be told. */
const features = [
  'bulk-memory',
  'exception-handling',
  'mutable-globals',
  'reference-types',
  'relaxed-simd',
  'sign-ext',
  'simd',
  'threads',
].map((feature) => `--enable-${feature}`);

/**
 * `whole` and `engine` are files with the names of their functions: the engine with its tools, and the same linked without them. What
 * is not in the second, and is not called by what is, belongs to the tools. Returns the bytes of both modules.
 */
export async function split(whole, engine, environment) {
  const folder = await mkdtemp(join(tmpdir(), 'kdequant-split-'));
  const made = { engine: join(folder, 'engine.wasm'), tools: join(folder, 'tools.wasm') };
  const binaryen = execFileSync('em-config', ['BINARYEN_ROOT'], { env: environment, encoding: 'utf8' }).trim();
  const run = (tool, ...args) =>
    execFileSync(join(binaryen, 'bin', tool), [...features, ...args], { encoding: 'utf8', maxBuffer: 2 ** 28 });
  try {
    const alone = readFunctions(run('wasm-dis', engine));
    checkImports(alone);
    const list = join(folder, 'functions');
    await writeFile(list, toolFunctions(readFunctions(run('wasm-dis', whole)), alone).join('\n'));
    // No placeholders: the engine calls its tools through the table alone, which they fill when they are instantiated.
    const options = ['--no-placeholders', '--import-namespace=engine', '--export-prefix=%'];
    run('wasm-split', whole, `--split-funcs=@${list}`, ...options, '-o1', made.engine, '-o2', made.tools);
    for (const file of Object.values(made)) run('wasm-opt', file, '--strip-debug', '--strip-producers', '-o', file);
    return { engine: await readFile(made.engine), tools: await readFile(made.tools) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The linker makes imports of what it does not find: it may be the entry of the tools, and nothing else of C++. */
function checkImports({ imported }) {
  const unknown = imported.filter((name) => name.startsWith('_Z') && !name.includes('AddTools'));
  if (unknown.length > 0) throw new Error(`the engine uses ${unknown.join(', ')} of its tools: see bindings/tools.h`);
}

/** A module's functions, each with those it calls by name; those it exports; those in its table; and the names of what it imports. */
function readFunctions(text) {
  const calls = new Map();
  const exported = [];
  const imported = [];
  const table = [];
  let called = [];
  for (const line of text.split('\n')) {
    const name = /^ \(func \$(\S+?)[ )]/.exec(`${line} `)?.[1];
    if (name !== undefined) calls.set(name, (called = []));
    const target = /^ \(export .*\(func \$(\S+?)\)/.exec(line)?.[1];
    if (target !== undefined) exported.push(target);
    const source = /^ \(import "[^"]*" "([^"]*)"/.exec(line)?.[1];
    if (source !== undefined) imported.push(source);
    if (line.startsWith(' (elem ')) for (const [, entry] of line.matchAll(/ \$(\S+?)(?=[ )])/g)) table.push(entry);
    for (const [, callee] of `${line} `.matchAll(/\((?:return_)?call \$(\S+?)[ )]/g)) called.push(callee);
  }
  return { calls, exported, imported, table };
}

function toolFunctions({ calls, exported, table }, alone) {
  const kept = new Set();
  // Binaryen makes one of functions that are alike: what is more than once in the table may stand for one of the engine's.
  const waiting = [...exported, ...table.filter((name, i) => table.indexOf(name) !== i)];
  // Binaryen numbers functions of the same name.
  for (const name of calls.keys())
    if (alone.calls.has(name) || alone.calls.has(name.replace(/_\d+$/, ''))) waiting.push(name);
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (kept.has(name) || !calls.has(name)) continue;
    kept.add(name);
    waiting.push(...calls.get(name));
  }
  return [...calls.keys()].filter((name) => !kept.has(name));
}
