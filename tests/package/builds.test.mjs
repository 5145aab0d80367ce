// The builds against each other and against the native command: same files, and the same logits bit for bit.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { availableBuilds, loadModel, prepare } from 'kdequant';
import { connect } from 'kdequant/worker-client';
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

for (const build of ['relaxed', 'threads']) {
  test(`the ${build} build makes the same file and the same logits`, async (t) => {
    let float;
    try {
      float = await loadModel(networkPath, { build });
    } catch (error) {
      assert.equal(error.code, 'environment');
      assert.ok(!(await availableBuilds()).includes(build));
      t.skip(error.message);
      return;
    }
    assert.equal(float.build, build);
    const { model } = await float.quantize();
    assert.deepEqual(model.toOnnx(), file);
    const session = await model.createSession();
    assert.equal(session.info.build, build);
    assert.ok(sameBits(await session.logits(await cat()), logits));
    // In float these builds may round a product and a sum together.
    const fused = await (await float.createSession()).logits(await cat());
    const largest = Math.max(...floatLogits.map(Math.abs));
    const difference = Math.max(...fused.map((value, i) => Math.abs(value - floatLogits[i])));
    assert.ok(difference < 1e-5 * largest, `${difference} of ${largest}`);
  });
}

test('an engine that was prepared is the one that networks are loaded into', async () => {
  const build = (await availableBuilds()).at(-1);
  assert.equal(await prepare({ tools: true }), build);
  assert.equal(await prepare({ build: 'simd128' }), 'simd128');
  const engine = await connect();
  try {
    assert.equal(await engine.prepare(), build);
    assert.equal((await engine.loadModel(file)).build, build);
  } finally {
    engine.dispose();
  }
});

test('any number of threads gives the same logits, in float too, and in a worker', async (t) => {
  if (!(await availableBuilds()).includes('threads')) {
    const session = await (await loadModel(file)).createSession({ threads: 3 });
    assert.equal(session.info.threads, 1);
    assert.match(session.info.noThreads, /relaxed SIMD|one processor/);
    t.skip(session.info.noThreads);
    return;
  }
  const model = await loadModel(file, { build: 'threads' });
  const picture = await cat();
  const alone = await (await model.createSession({ precision: 'f32', threads: 1 })).logits(picture);
  for (const threads of [1, 2, 3]) {
    const four = await model.createSession({ threads });
    assert.equal(four.info.threads, threads);
    assert.equal(four.info.noThreads, undefined);
    for (let run = 0; run < 5; ++run) assert.ok(sameBits(await four.logits(picture), logits), `${threads} threads`);
    const float = await model.createSession({ precision: 'f32', threads });
    assert.ok(sameBits(await float.logits(picture), alone), `${threads} threads, float`);
  }
  const engine = await connect();
  t.after(() => engine.terminate());
  const remote = await engine.loadModel(file);
  assert.equal(remote.build, 'threads');
  const session = await remote.createSession({ threads: 2 });
  assert.equal(session.info.threads, 2);
  assert.ok(sameBits(await session.logits(picture), logits));
});

test('a number of threads that makes no sense is refused', async () => {
  const model = await loadModel(file, { build: 'simd128' });
  for (const threads of [0, 1.5, 65]) {
    await assert.rejects(model.createSession({ threads }), { code: 'usage', message: /threads/ });
  }
  const session = await model.createSession({ threads: 2 });
  assert.equal(session.info.threads, 1);
});

test('the build is chosen by itself and computes rightly', async () => {
  const model = await loadModel(file);
  assert.equal(model.build, (await availableBuilds()).at(-1));
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
