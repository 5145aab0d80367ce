// The package in pages that bundlers made: scripts, WebAssembly, workers and threads are found where they put them.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { loadModel } from 'kdequant';
import { build } from 'vite';
import { ISOLATING, openPage } from '../page/browser.mjs';
import { networkPath } from '../package/support.mjs';

const here = fileURLToPath(new URL('./', import.meta.url));
const script = (address) =>
  `<!doctype html><html lang="en"><link rel="icon" href="data:," /><title>Bundled</title><script type="module" src="${address}"></script></html>`;

let folder;
let network;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kdequant-bundlers-'));
  const { model } = await (await loadModel(networkPath)).quantize({ effort: 'fast' });
  network = model.toOnnx();
});
after(() => rm(folder, { recursive: true }));

/** Each puts a page with app.mjs in it into a folder, as its own documentation says. */
const bundlers = {
  async vite(source, target) {
    await writeFile(join(source, 'index.html'), script('./app.mjs'));
    await build({ root: source, base: './', logLevel: 'error', build: { outDir: target }, worker: { format: 'es' } });
  },
  async webpack(source, target) {
    if (!existsSync(join(here, 'node_modules/webpack')))
      execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--silent'], { cwd: here, stdio: 'inherit' });
    const webpack = createRequire(import.meta.url)('webpack');
    const config = {
      mode: 'production',
      context: source,
      entry: './app.mjs',
      output: { path: target },
      performance: false,
    };
    const result = await promisify(webpack)(config);
    assert.ok(!result.hasErrors(), result.toString({ all: false, errors: true }));
    await writeFile(join(target, 'index.html'), script('./main.js'));
  },
};

for (const [name, bundle] of Object.entries(bundlers)) {
  test(`a page made by ${name} runs a 4-bit network, in a worker and on threads too`, async () => {
    const source = join(folder, name);
    const target = join(folder, `${name}-page`);
    await mkdir(join(source, 'node_modules/kdequant'), { recursive: true });
    await cp(join(here, 'app.mjs'), join(source, 'app.mjs'));
    for (const part of ['package.json', 'dist'])
      await cp(join(here, '../../wasm', part), join(source, 'node_modules/kdequant', part), { recursive: true });
    await bundle(source, target);
    await writeFile(join(target, 'small.onnx'), network);
    const seen = [];
    for (const headers of [{}, ISOLATING]) {
      const { page, problems, close } = await openPage({ folder: target, headers });
      try {
        await page.waitForFunction(() => 'ask' in globalThis);
        const answers = await page.evaluate(() => globalThis.ask(2));
        const isolated = headers === ISOLATING;
        for (const answer of answers) {
          assert.equal(answer.build, isolated ? 'threads' : 'relaxed');
          assert.equal(answer.threads, isolated ? 2 : 1);
          assert.ok(answer.predictions[0].label.length > 0);
        }
        seen.push(...answers.map(({ predictions }) => predictions));
        assert.deepEqual(problems, []);
      } finally {
        await close();
      }
    }
    for (const predictions of seen) assert.deepEqual(predictions, seen[0]);
  });
}
