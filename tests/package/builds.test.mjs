// The builds against each other and against the native command: same files, and the same logits bit for bit.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { loadModel } from 'kdequant';
import { cat, catPath, command, networkPath, sameBits } from './support.mjs';

/** 64-bit checks of this file run on what the simd128 build made. */
let file;
let logits;
let floatLogits;
before(async () => {
  const float = await loadModel(networkPath, { build: 'simd128' });
  assert.equal(float.build, 'simd128');
  floatLogits = await (await float.createSession()).logits(await cat());
  const { model } = await float.quantize();
  file = model.toOnnx();
  logits = await (await model.createSession()).logits(await cat());
});

test('the relaxed build makes the same file and the same logits', async (t) => {
  let float;
  try {
    float = await loadModel(networkPath, { build: 'relaxed' });
  } catch (error) {
    assert.equal(error.code, 'environment');
    t.skip('this runtime has no relaxed SIMD');
    return;
  }
  assert.equal(float.build, 'relaxed');
  const { model } = await float.quantize();
  assert.deepEqual(model.toOnnx(), file);
  const session = await model.createSession();
  assert.equal(session.info.build, 'relaxed');
  assert.ok(sameBits(await session.logits(await cat()), logits));
  // In float the relaxed build may round a product and a sum together.
  const fused = await (await float.createSession()).logits(await cat());
  const largest = Math.max(...floatLogits.map(Math.abs));
  const difference = Math.max(...fused.map((value, i) => Math.abs(value - floatLogits[i])));
  assert.ok(difference < 1e-5 * largest, `${difference} of ${largest}`);
});

test('the build is chosen by itself and computes rightly', async () => {
  const model = await loadModel(file);
  assert.ok(['simd128', 'relaxed'].includes(model.build));
  assert.ok(sameBits(await (await model.createSession()).logits(await cat()), logits));
});

test('the native command gives the same file and the same logits', async (t) => {
  if (!command) {
    t.skip('build/bin/kdequant is not built');
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), 'kdequant-'));
  t.after(() => rm(folder, { recursive: true }));
  const native = join(folder, 'native.onnx');
  execFileSync(command, ['quantize', networkPath, '-o', native], { stdio: 'ignore' });
  assert.ok(Buffer.compare(await readFile(native), Buffer.from(file)) === 0, 'the files differ');
  const ours = join(folder, 'ours.onnx');
  await writeFile(ours, file);
  const output = execFileSync(command, ['logits', ours, catPath, '--precision', 'w4a8', '--json'], {
    encoding: 'utf8',
  });
  assert.ok(sameBits(Float32Array.from(JSON.parse(output).logits), logits));
});
