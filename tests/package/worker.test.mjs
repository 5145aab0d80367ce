import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { deadLeaves, loadModel } from 'kdequant';
import { connect, KdequantError } from 'kdequant/worker-client';
import { tinyNetwork } from './onnx.mjs';
import { cat, isCat, networkPath, patternPicture, sameBits } from './support.mjs';

let engine;
before(async () => {
  engine = await connect();
});
after(() => engine.terminate());

test('a worker loads, quantizes with progress and classifies as this thread does', async () => {
  const float = await engine.loadModel(networkPath);
  const here = await loadModel(networkPath);
  assert.deepEqual(float.summary, here.summary);
  const steps = [];
  const layers = [];
  const options = { effort: 'fast' };
  const { model, report } = await float.quantize({
    ...options,
    onProgress: (step) => steps.push(step),
    onLayer: (layer) => layers.push(layer),
  });
  assert.deepEqual(layers, report.layers);
  assert.equal(steps.at(-1).fraction, 1);
  assert.deepEqual(await model.toOnnx(), (await here.quantize(options)).model.toOnnx());
  const session = await model.createSession();
  const { predictions } = await session.classify(await cat());
  assert.ok(isCat(predictions[0]));
});

test('calls on a worker session answer as those of this thread', async () => {
  const far = await (await engine.loadModel(tinyNetwork())).createSession();
  const near = await (await loadModel(tinyNetwork())).createSession();
  const picture = patternPicture();
  assert.ok(sameBits(await far.logits(picture), await near.logits(picture)));
  assert.ok(sameBits(await far.run(new Float32Array(768)), await near.run(new Float32Array(768))));
  assert.deepEqual(await far.crop(picture), await near.crop(picture));
  assert.deepEqual(far.info, near.info);
  const [farModel, nearModel] = [await engine.loadModel(tinyNetwork()), await loadModel(tinyNetwork())];
  assert.deepEqual(await farModel.layerHistogram('conv', { bins: 20 }), nearModel.layerHistogram('conv', { bins: 20 }));
  assert.deepEqual(await farModel.layerSample('conv', { samples: 30 }), nearModel.layerSample('conv', { samples: 30 }));
  assert.equal(picture.data.length, 3 * 64 * 64, 'the picture is still ours');
  assert.deepEqual((await engine.deadLeaves(32, 5)).data, (await deadLeaves(32, 5)).data);
});

test('an error keeps its code, message and layer', async () => {
  await assert.rejects(engine.loadModel(tinyNetwork({ op: 'NonZero' })), (error) => {
    assert.ok(error instanceof KdequantError);
    assert.equal(error.code, 'unsupported');
    assert.match(error.message, /NonZero/);
    return true;
  });
  const model = await engine.loadModel(tinyNetwork());
  await assert.rejects(model.layerWeights('nowhere'), { code: 'usage', layer: 'nowhere' });
});

test('an abort reaches the worker at once, which then goes on with other work', async () => {
  const float = await engine.loadModel(networkPath);
  const controller = new AbortController();
  const onProgress = ({ fraction }) => {
    if (fraction > 0.05) controller.abort();
  };
  await assert.rejects(float.quantize({ onProgress, signal: controller.signal }), { name: 'AbortError' });
  const start = performance.now();
  await engine.deadLeaves(16, 1);
  assert.ok(performance.now() - start < 1000, 'the worker is still at work');
  await assert.rejects(float.quantize({ signal: AbortSignal.abort(new Error('no')) }), { message: 'no' });
});

test('what was disposed of is gone in the worker too', async () => {
  const model = await engine.loadModel(tinyNetwork());
  model.dispose();
  await assert.rejects(model.createSession(), { code: 'usage', message: /disposed/ });
});

test('terminating rejects what was under way', async () => {
  const other = await connect();
  const float = await other.loadModel(networkPath);
  const work = float.quantize();
  setTimeout(() => other.terminate(), 20);
  await assert.rejects(work, { code: 'cancelled' });
  await assert.rejects(other.loadModel(networkPath), { code: 'cancelled' });
});

test('an idle worker lets the program end', (t) => {
  const program = `
    import { connect } from 'kdequant/worker-client';
    const engine = await connect();
    await engine.deadLeaves(16, 1);`;
  // A file, because a worker inherits --input-type, which Node refuses for a script of its own.
  const path = join(import.meta.dirname, `idle-worker-${process.pid}.mjs`);
  writeFileSync(path, program);
  t.after(() => {
    rmSync(path);
  });
  execFileSync(process.execPath, [path], { timeout: 20_000 });
});
