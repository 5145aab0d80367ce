// The tools are a module of their own: without it networks run, and what needs it says which file is missing.
import assert from 'node:assert/strict';
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { networkPath } from './support.mjs';

const dist = new URL('../../wasm/dist/', import.meta.url);

test('a network runs without the tools, and quantizing it names the file that is missing', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'kdequant-tools-'));
  t.after(() => rm(folder, { recursive: true }));
  await cp(dist, folder, { recursive: true, filter: (name) => !name.endsWith('-tools.wasm') });
  assert.ok((await readdir(folder)).includes('kdequant-simd128.wasm'));
  const { loadModel } = await import(pathToFileURL(join(folder, 'index.js')));
  const model = await loadModel(networkPath, { build: 'simd128' });
  const session = await model.createSession({ precision: 'f32' });
  const logits = await session.run(new Float32Array(3 * 224 * 224).fill(0.5));
  assert.ok(logits.every(Number.isFinite));
  assert.ok(model.layerWeights(model.layers[0].name).length > 0);
  const missing = { code: 'cannot-read', message: /kdequant-simd128-tools\.wasm/ };
  assert.throws(() => model.toOnnx(), missing);
  await assert.rejects(model.quantize(), missing);

  // The download is tried again, and what is not asynchronous waits for it.
  await cp(new URL('kdequant-simd128-tools.wasm', dist), join(folder, 'kdequant-simd128-tools.wasm'));
  assert.ok(model.toOnnx().length > 0);
  const { model: quantized } = await model.quantize({ effort: 'plain' });
  assert.equal(quantized.summary.quantized, true);
});
