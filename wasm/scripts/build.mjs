// Builds the npm package into wasm/dist: WebAssembly modules by CMake and Emscripten, JavaScript and types by tsc, and of the
// JavaScript as few files as its entries can share, so that a page waits for two requests instead of seven one after the other.
//
//   node scripts/build.mjs            everything that changed
//   node scripts/build.mjs --no-wasm  only JavaScript and types
//   node scripts/build.mjs --pack     everything, and the tarball into dist/npm
import { execFileSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';
import { minifySync } from 'vite';
import { emscriptenEnvironment } from '../../scripts/lib/emscripten.mjs';
import { writeLabels } from './labels.mjs';
import { quantizeTraining, split } from './split.mjs';

const root = new URL('../../', import.meta.url);
const wasm = new URL('wasm/', root);
const dist = new URL('dist/', wasm);
const compiled = new URL('build/package/', root);

/** The budgets, gzipped: of the engine, which is fetched first, with its glue; and of its tools. */
const engineLimit = 148 * 1000;
const toolsLimit = 200 * 1000;

const modules = [
  { preset: 'wasm-simd128', engine: 'kdequant-simd128', decoder: 'kdequant-decode' },
  { preset: 'wasm-relaxed', engine: 'kdequant-relaxed' },
  { preset: 'wasm-threads', engine: 'kdequant-threads' },
];

const options = process.argv.slice(2);
for (const option of options) {
  if (!['--no-wasm', '--pack'].includes(option)) throw new Error(`unknown option ${option}`);
}
await mkdir(dist, { recursive: true });
if (!options.includes('--no-wasm')) await buildModules();
await writeLabels(new URL('assets/imagenet-classes.txt', root), new URL('ts/generated/imagenet-classes.ts', wasm));
compileTypeScript();
await bundle();
if (options.includes('--pack')) await pack();

async function buildModules() {
  const environment = emscriptenEnvironment();
  const training = new URL('build/wasm-training/', root);
  for (const { preset, engine, decoder } of modules) {
    const folder = new URL(`build/${preset}/`, root);
    if (!existsSync(new URL('build.ninja', folder))) run('cmake', ['--preset', preset], environment);
    run('cmake', ['--build', '--preset', preset], environment);
    const built = new URL('wasm/', folder);
    const path = (name) => fileURLToPath(new URL(`${name}.wasm`, built));
    const whole = ['mjs', 'wasm', 'map'].map((kind) => fileURLToPath(new URL(`${engine}.${kind}`, built)));
    // The first build's do for all of them, and the others may compute wrongly in an older Node (bindings/self_test.h).
    if (preset === modules[0].preset) await quantizeTraining(whole, fileURLToPath(training));
    const parts = await split(whole, fileURLToPath(training), environment);
    await install(engine, [await script(built, engine), [`${engine}.wasm`, parts.engine]], engineLimit);
    await install(`${engine}-tools`, [[`${engine}-tools.wasm`, parts.tools]], toolsLimit);
    if (decoder)
      await install(
        decoder,
        [await script(built, decoder), [`${decoder}.wasm`, await readFile(path(decoder))]],
        80 * 1000,
      );
  }
}

async function script(built, name) {
  const file = `${name}.mjs`;
  return [file, minified(file, (await readFile(new URL(file, built))).toString())];
}

/** Writes files into dist/, and counts them against a limit. */
async function install(name, files, limit) {
  let size = 0;
  for (const [file, content] of files) {
    await writeFile(new URL(file, dist), content);
    size += gzipSync(content, { level: 9 }).length;
  }
  console.log(`${name}: ${(size / 1000).toFixed(1)} KB gzipped`);
  if (size > limit)
    throw new Error(`${name} is larger than its ${limit / 1000} KB; see wasm/scripts/split.mjs for what is in it`);
}

/** Emscripten's own threads are never started, but bundlers would follow the address of their script: the module itself. */
function withoutWorkers(file, source) {
  const start = /new Worker\(new URL\("[^"]*", *import\.meta\.url\), *\w+\)/g;
  const found = source.match(start)?.length ?? 0;
  if (found !== (file === 'kdequant-threads.mjs' ? 1 : 0)) throw new Error(`${file} starts workers in ${found} places`);
  return source.replace(start, 'null');
}

/** What its script would do in such a thread, and if it had to fetch the module itself (ts/engine.ts does). */
function withoutDetours(source) {
  return source
    .replace(/var ENVIRONMENT_IS_PTHREAD=[^;]*;/, 'const ENVIRONMENT_IS_PTHREAD=false;')
    .replace(/if\(Module\["instantiateWasm"\]\)\{try\{(return [^}]*)\}catch.*?return\{\}/, '$1');
}

/** Emscripten shortens its glue's names only by a compiler that needs Java. */
function minified(file, source) {
  const { code, errors } = minifySync(file, withoutDetours(withoutWorkers(file, source)), {
    module: true,
    compress: true,
    mangle: { toplevel: true },
  });
  if (errors.length > 0) throw new Error(`${file}: ${errors[0].message}`);
  return code;
}

function compileTypeScript() {
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  run(process.execPath, [tsc, '-p', fileURLToPath(new URL('tsconfig.json', wasm))]);
}

/** The package's entries and what they share. The modules' scripts stay files of their own, which bundlers find by name. */
async function bundle() {
  for (const file of await readdir(dist)) if (file.endsWith('.js')) await rm(new URL(file, dist));
  await bundleEntries(['index', 'worker-client', 'worker']);
  // By itself: what is shared starts it, and bundlers cannot bundle a script that starts itself.
  await bundleEntries(['thread']);
  for (const file of await readdir(dist)) if (file.endsWith('.js')) await quoteAddresses(new URL(file, dist));
}

/** The minifier's strings are templates, in which not every bundler finds addresses. */
async function quoteAddresses(file) {
  const source = await readFile(file, 'utf8');
  await writeFile(file, source.replaceAll(/`(\.\/[\w.-]+)`/g, '"$1"'));
}

async function bundleEntries(names) {
  const bundled = await rolldown({
    input: names.map((name) => fileURLToPath(new URL(`${name}.js`, compiled))),
    external: /kdequant-\w+\.mjs$/,
    platform: 'neutral',
  });
  await bundled.write({
    dir: fileURLToPath(dist),
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
    minify: true,
    codeSplitting: { groups: [{ name: 'shared', minShareCount: 2 }] },
  });
  await bundled.close();
}

async function pack() {
  const target = new URL('dist/npm/', root);
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { recursive: true });
  for (const file of ['LICENSE']) await cp(new URL(file, root), new URL(file, wasm));
  run('npm', ['pack', '--pack-destination', fileURLToPath(target)]);
}

function run(command, args, env = process.env) {
  execFileSync(command, args, {
    cwd: fileURLToPath(command === 'npm' ? wasm : root),
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}
