// Splits the WebAssembly of an engine in two: what loads and runs 4-bit networks, and all the rest, its tools, which are fetched when
// they are wanted. They share memory and table, and no function is in both.
//
// Which functions the first part needs is measured: it runs small networks (training-networks.mjs), and what is never called goes.
// Where it calls such a function all the same, it calls an import instead (ts/placeholders.ts), which fetches the tools in the middle of
// the call: slower that one time, and never wrong.
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { moveData } from './data.mjs';
import { order } from './order.mjs';

/** What the modules use, which Binaryen wants to be told. */
const features = [
  'bulk-memory',
  'exception-handling',
  'mutable-globals',
  'nontrapping-float-to-int',
  'reference-types',
  'relaxed-simd',
  'sign-ext',
  'simd',
  'threads',
].map((feature) => `--enable-${feature}`);

/**
 * Kept whatever the training says: the kernels for bytes, of which those run that are fastest on a machine and for a layer of its size,
 * and their plan; what only threads call, and only if they must wait, for they better never wait for a download; and numbers, texts
 * and files of all lengths.
 */
const kernels = /w4a8|^_ZNK?8kdequant7runtime12WinogradPlan/;
const threads = /10ThreadPool3RunI|5ServeE|_GLOBAL__N_15SleepE|_emscripten_stack_restore/;
const lengths = /__itoa|_BitScanForward|^_ZNSt3__212basic_stringIc.*__grow_by|^_ZNSt3__26vectorIN8kdequant6BufferIh/;
/** But not those that end in floats, as few layers do, unless they were called, or are the same for another arithmetic. */
const floatOutput = /FloatOutput/;
const arithmetic = /13AddArithmetic|14TwinArithmetic/g;
/** Or are of products of one pixel, with which most networks end: for each arithmetic other parts of them may be inlined. */
const onePixel = /3AnyI/;
/** Nor those that only run if a session asks for other kernels than the build's best, or measures ranges. */
const onDemand = /RunPlain|w4a87RangeOf|QuantizeElements/;
const onDemandBesideRelaxed = /PairArithmetic/;

/** Quantizes the training networks by a whole engine, into a folder. */
export async function quantizeTraining(engine, folder) {
  await rm(folder, { recursive: true, force: true });
  const [script, whole] = engine;
  train('quantize', script, whole, folder);
}

/**
 * `engine`: the script of a whole engine, its WebAssembly with the names of its functions, and the linker's map. `training`: a folder
 * of quantized networks. Returns the bytes of both modules.
 */
export async function split(engine, training, environment) {
  const [script, whole, map] = engine;
  const folder = await mkdtemp(join(tmpdir(), 'kdequant-split-'));
  const file = (name) => join(folder, name);
  const binaryen = execFileSync('em-config', ['BINARYEN_ROOT'], { env: environment, encoding: 'utf8' }).trim();
  const run = (tool, ...args) =>
    execFileSync(join(binaryen, 'bin', tool), [...features, ...args], { encoding: 'utf8', maxBuffer: 2 ** 28 });
  try {
    run('wasm-split', '--instrument', whole, '-o', file('instrumented.wasm'));
    train('profile', script, file('instrumented.wasm'), training, file('profile'));
    const called = calledFunctions(run('wasm-split', whole, `--print-profile=${file('profile')}`));
    await writeFile(file('kept'), [...keptFunctions(run('wasm-dis', whole), called)].join('\n'));
    const names = ['--import-namespace=engine', '--export-prefix=%', '--placeholder-namespace=p'];
    run('wasm-split', whole, `--keep-funcs=@${file('kept')}`, ...names, '-o1', file('engine'), '-o2', file('tools'));
    const text = {};
    for (const name of ['engine', 'tools']) {
      run('wasm-opt', file(name), '--strip-debug', '--strip-producers', '-o', file(name));
      text[name] = run('wasm-dis', file(name));
    }
    checkPlaceholders(text.engine);
    const modules = {};
    for (const [name, moved] of Object.entries(moveData({ ...text, map: await readFile(map, 'utf8') }))) {
      await writeFile(file('text'), order(moved));
      run('wasm-as', file('text'), '-o', file(name));
      modules[name] = await readFile(file(name));
    }
    return modules;
  } finally {
    await rm(folder, { recursive: true });
  }
}

function train(...args) {
  execFileSync(process.execPath, [fileURLToPath(new URL('train.mjs', import.meta.url)), ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

/** Binaryen lists what was called with a plus before it. */
function calledFunctions(text) {
  return text.split('\n').flatMap((line) => /^\+ (\S+)/.exec(line)?.[1] ?? []);
}

/** The names of functions to keep, of those in a module's text. */
function keptFunctions(text, called) {
  const kept = new Set(called);
  const anyArithmetic = (name) => name.replace(arithmetic, '');
  const likely = new Set(called.filter((name) => floatOutput.test(name)).map(anyArithmetic));
  const isRelaxed = text.search(arithmetic) >= 0;
  const isOnDemand = (name) => onDemand.test(name) || (isRelaxed && onDemandBesideRelaxed.test(name));
  for (const [, name, rest] of text.matchAll(/^ \(func \$(\S+)(.*)$/gm)) {
    const wanted = kernels.test(name)
      ? !isOnDemand(name) && (!floatOutput.test(name) || onePixel.test(name) || likely.has(anyArithmetic(name)))
      : threads.test(name) || lengths.test(name);
    // JavaScript, and so a placeholder, cannot hand vectors on.
    if (wanted || rest.includes('v128')) kept.add(name);
  }
  return kept;
}

/** Every placeholder must be one that ts/placeholders.ts can serve: a number, the function's place in the table. */
function checkPlaceholders(text) {
  for (const [line, name] of text.matchAll(/^ \(import "p" "(.*?)".*$/gm))
    if (!/^\d+$/.test(name) || line.includes('v128')) throw new Error(`no placeholder can do ${line.trim()}`);
}
