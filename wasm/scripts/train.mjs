// Runs in a process of its own, which the engine's script and V8's flags change:
//
//   node scripts/train.mjs quantize SCRIPT WASM FOLDER              quantizes the training networks into a folder
//   node scripts/train.mjs profile SCRIPT INSTRUMENTED FOLDER FILE  runs them by an instrumented engine, and writes what it counted
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { trainingNetworks } from './training-networks.mjs';

const [task, script, wasm, folder, file] = process.argv.slice(2);
if (!isMainThread) await serve(workerData);
else if (task === 'quantize') await quantize();
else if (task === 'profile') await profile();
else throw new Error(`unknown task ${task}`);

async function quantize() {
  const { native } = await load();
  native.addTools();
  await mkdir(folder, { recursive: true });
  for (const [i, { network, labels, labelSet, options }] of trainingNetworks().entries()) {
    const model = read(native, network, 'imagenet', labels, labelSet);
    const job = ask(native.Quantization.create(model, JSON.stringify(options)));
    while (!ask(job.step(1000)).done);
    await writeFile(join(folder, `${i}.onnx`), ask(native.toOnnx(ask(job.finish()).model)));
  }
}

async function profile() {
  const { native, module, exports, memory } = await load();
  native.selfTest(1);
  const threads = native.prepareThread ? 2 : 1;
  if (threads === 2) {
    await startThread({ module, memory, ...ask(native.prepareThread()) });
    native.admitThreads(threads, true);
  }
  for (const name of (await readdir(folder)).sort()) {
    const model = read(native, await readFile(join(folder, name)), '', '', '');
    const { layers } = JSON.parse(model.summary());
    model.fileBytes();
    for (const { name: layer, op } of layers) if (['Conv', 'Gemm'].includes(op)) ask(model.layerWeights(layer));
    for (const count of new Set([1, threads])) run(ask(native.Session.create(model, 'w4a8', 'best', false, count)));
    model.delete();
  }
  // Where it lies does not matter any more.
  const start = 1024;
  const length = exports.__write_profile(start, 2 ** 21);
  await writeFile(file, new Uint8Array(memory.buffer, start, length));
  process.exit(); // The thread serves for ever.
}

/** What it calls is counted in its instance alone, but it is given what the first thread does, too. */
async function startThread(start) {
  const worker = new Worker(new URL(import.meta.url), { workerData: start });
  await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
}

/** As ts/thread.ts does. */
async function serve({ module, memory, stack, setStack, serve, pool }) {
  const imports = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module))
    (imports[from] ??= {})[name] = kind === 'memory' ? memory : () => {};
  const { exports } = await WebAssembly.instantiate(module, imports);
  const table = Object.values(exports).find((value) => value instanceof WebAssembly.Table);
  table.get(setStack)(stack);
  parentPort.postMessage('ready');
  table.get(serve)(pool, 1);
}

function run(session) {
  session.info();
  for (const question of [() => session.classify(5), () => session.crop(), () => session.logits()]) {
    for (const [width, height, channels] of [
      [300, 280, 3],
      [40, 90, 4],
    ]) {
      const pixels = ask(session.reserve(width, height, channels));
      for (let i = 0; i < pixels.length; ++i) pixels[i] = (i * 7919) & 255;
      ask(question());
    }
  }
  ask(session.input());
  ask(session.run());
  session.delete();
}

function read(native, bytes, preprocess, labels, labelSet) {
  const memory = ask(native.Bytes.create(bytes.length));
  memory.view(0, bytes.length).set(bytes);
  const model = ask(native.Model.load(memory, bytes.length, preprocess, labels, labelSet));
  memory.delete();
  return model;
}

function ask(answer) {
  if (answer?.failure) throw new Error(`a training network fails: ${answer.failure.message}`);
  return answer;
}

/** The engine, as the package starts it (ts/engine.ts). */
async function load() {
  const bytes = await readFile(wasm);
  // Node 20 has it behind this flag, newer ones without.
  if (!WebAssembly.validate(bytes)) setFlagsFromString('--experimental-wasm-relaxed-simd');
  const module = await WebAssembly.compile(bytes);
  globalThis.self ??= globalThis; // The script is one for pages and their workers.
  const { default: factory } = await import(pathToFileURL(script));
  let exports;
  let memory;
  const native = await factory({
    instantiateWasm(imports, receive) {
      WebAssembly.instantiate(module, imports).then((instance) => {
        ({ exports } = instance);
        const all = [...Object.values(imports).flatMap((names) => Object.values(names)), ...Object.values(exports)];
        memory = all.find((value) => value instanceof WebAssembly.Memory);
        receive(instance, module);
      });
      return {};
    },
  });
  return { native, module, exports, memory };
}
