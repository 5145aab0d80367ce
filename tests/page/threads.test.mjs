// Threads in the browser: the package as it is, in a page and in a worker, and the built page.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { ISOLATING, openPage, openView, quantize, QUICK, waitForModel } from './browser.mjs';

let folder;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kdequant-threads-'));
  await writeFile(
    join(folder, 'index.html'),
    '<!doctype html><html lang="en"><link rel="icon" href="data:," /><title>Threads</title></html>',
  );
});
after(() => rm(folder, { recursive: true }));

/** Quantizes the bundled network and asks sessions with several numbers of threads, in the page itself and in a worker. */
async function answers(headers) {
  const { page, problems, close } = await openPage({
    folder,
    headers,
    mounts: { kdequant: 'wasm/dist', assets: 'build/assets' },
  });
  try {
    const found = await page.evaluate(async () => {
      const { availableBuilds, loadModel } = await import('/kdequant/index.js');
      const { connect } = await import('/kdequant/worker-client.js');
      const float = await loadModel('/assets/efficientnet-lite0.onnx', { build: 'simd128' });
      const { model } = await float.quantize({ effort: 'plain' });
      const file = model.toOnnx();
      const data = Uint8Array.from({ length: 3 * 224 * 224 }, (_, i) => (i * 7919) % 256);
      const picture = { data, width: 224, height: 224 };
      const results = [];
      const ask = async (where, network, threads) => {
        const session = await network.createSession({ threads });
        const logits = await session.logits(picture);
        results.push({ where, asked: threads, info: session.info, logits: [...logits] });
      };
      await ask('page', await loadModel(file, { build: 'simd128' }), 1);
      const own = await loadModel(file);
      for (const threads of [1, 2, 3]) await ask('page', own, threads);
      const engine = await connect();
      const remote = await engine.loadModel(file);
      for (const threads of [1, 2, 3]) await ask('worker', remote, threads);
      const builds = [await availableBuilds(), await engine.availableBuilds()];
      engine.terminate();
      return { results, builds };
    });
    assert.deepEqual(problems, []);
    for (const { where, asked, logits } of found.results)
      assert.deepEqual(logits, found.results[0].logits, `${where}, ${asked} threads`);
    return found;
  } finally {
    await close();
  }
}

/** A network as a page quantizes it, served beside that page. */
async function writeSmallNetwork() {
  const { page, close } = await openPage({ folder, mounts: { kdequant: 'wasm/dist', assets: 'build/assets' } });
  try {
    const file = await page.evaluate(async () => {
      const { loadModel } = await import('/kdequant/index.js');
      const { model } = await (await loadModel('/assets/efficientnet-lite0.onnx')).quantize({ effort: 'fast' });
      return [...model.toOnnx()];
    });
    await writeFile(join(folder, 'small.onnx'), Uint8Array.from(file));
  } finally {
    await close();
  }
}

test('to run a 4-bit network, a page downloads the engine without its tools, on threads too', async () => {
  await writeSmallNetwork();
  for (const headers of [{}, ISOLATING]) {
    const { page, requests, problems, close } = await openPage({ folder, headers, mounts: { kdequant: 'wasm/dist' } });
    try {
      const { build, threads, predictions } = await page.evaluate(async () => {
        const { connect } = await import('/kdequant/worker-client.js');
        const engine = await connect();
        const model = await engine.loadModel('/small.onnx');
        const session = await model.createSession({ threads: 2 });
        const data = Uint8Array.from({ length: 3 * 320 * 240 }, (_, i) => (i * 7919) % 256);
        const { predictions } = await session.classify({ data, width: 320, height: 240 });
        engine.terminate();
        return { build: model.build, threads: session.info.threads, predictions };
      });
      assert.equal(build, headers === ISOLATING ? 'threads' : 'relaxed');
      assert.equal(threads, headers === ISOLATING ? 2 : 1);
      assert.equal(predictions.length, 5);
      const names = requests.map(({ url }) => url.split('/').at(-1));
      assert.ok(names.includes(`kdequant-${build}.wasm`), `asked for ${names}`);
      assert.deepEqual(
        names.filter((name) => name.includes('tools')),
        [],
      );
      assert.deepEqual(problems, []);
    } finally {
      await close();
    }
  }
});

test('an isolated page has threads, in the page and in a worker, and they all answer the same', async () => {
  const { results, builds } = await answers(ISOLATING);
  assert.deepEqual(builds, Array(2).fill(['simd128', 'relaxed', 'threads']));
  for (const { asked, info } of results.slice(1)) {
    assert.equal(info.build, 'threads');
    assert.equal(info.threads, asked);
    assert.equal(info.noThreads, undefined);
  }
});

test('any other page does without, and says why', async () => {
  const { results, builds } = await answers({});
  assert.deepEqual(builds, Array(2).fill(['simd128', 'relaxed']));
  for (const { info } of results.slice(1)) {
    assert.equal(info.build, 'relaxed');
    assert.equal(info.threads, 1);
    assert.equal(info.noThreads, 'the page is not cross-origin isolated');
  }
});

test('the built page uses threads where its server isolates it', async () => {
  const { page, problems, close } = await openPage({ hash: QUICK, headers: ISOLATING });
  try {
    await waitForModel(page);
    await quantize(page);
    await openView(page, 'Speed');
    await page.getByRole('button', { name: 'Measure' }).click();
    await page.getByRole('button', { name: 'Measure again' }).waitFor();
    const names = await page.locator('.speed tbody th').allInnerTexts();
    const several = /^(float|4-bit), relaxed SIMD, [2-4] threads$/;
    assert.equal(names.filter((name) => several.test(name)).length, 2, names.join('; '));
    assert.deepEqual(problems, []);
  } finally {
    await close();
  }
});
