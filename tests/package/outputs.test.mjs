// What a network computes on its way to the answer.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { loadModel } from 'kdequant';
import { connect } from 'kdequant/worker-client';
import { tinyNetwork } from './onnx.mjs';
import { cat, networkPath, patternPicture } from './support.mjs';

let float;
let quantized;
before(async () => {
  float = await loadModel(tinyNetwork());
  quantized = (await float.quantize({ effort: 'fast' })).model;
});

test('feature maps show some channels of a layer, each from its lowest value to its highest', async () => {
  const session = await float.createSession();
  const maps = await session.featureMaps(patternPicture(), 'conv', { first: 3, count: 5 });
  assert.deepEqual(
    [maps.layer, maps.channels, maps.first, maps.count, maps.width, maps.height],
    ['conv', 32, 3, 5, 16, 16],
  );
  assert.equal(maps.data.length, 5 * 256);
  assert.equal(maps.ranges.length, 10);
  for (let i = 0; i < 5; ++i) {
    const map = maps.data.subarray(256 * i, 256 * (i + 1));
    if (maps.ranges[2 * i] === maps.ranges[2 * i + 1]) continue;
    assert.equal(Math.min(...map), 0);
    assert.equal(Math.max(...map), 255);
  }
  const rest = await session.featureMaps(patternPicture(), 'conv', { first: 30, count: 16 });
  assert.equal(rest.count, 2, 'there are only 32 channels');
});

test('maps of the 4-bit network in the float ranges are close to the float ones, and not the same', async () => {
  const picture = patternPicture();
  const a = await (await float.createSession()).featureMaps(picture, 'conv', { count: 32 });
  const b = await (await quantized.createSession()).featureMaps(picture, 'conv', { count: 32, ranges: a.ranges });
  assert.deepEqual(b.ranges, a.ranges);
  const differences = a.data.map((pixel, i) => Math.abs(pixel - b.data[i]));
  const mean = differences.reduce((sum, difference) => sum + difference, 0) / differences.length;
  assert.ok(mean > 0.1 && mean < 20, `mean difference ${mean} of 255`);
});

test('a layer or a channel that is not there is refused by name', async () => {
  const session = await float.createSession();
  await assert.rejects(session.featureMaps(patternPicture(), 'nowhere'), { code: 'usage', layer: 'nowhere' });
  await assert.rejects(session.featureMaps(patternPicture(), 'conv', { first: 32 }), {
    code: 'usage',
    message: /32 channels/,
  });
  await assert.rejects(session.featureMaps(patternPicture(), 'conv', { count: -1 }), { code: 'usage' });
});

test('compareOutputs finds no error between equal sessions, and more where the network is 4-bit', async () => {
  const picture = patternPicture();
  const reference = await float.createSession();
  const same = await (await float.createSession()).compareOutputs(picture, reference);
  assert.deepEqual(
    same.map(({ layer }) => layer),
    float.layers.map(({ name }) => name),
  );
  assert.ok(same.every(({ sqnrDb }) => sqnrDb === null));
  const errors = await (await quantized.createSession()).compareOutputs(picture, reference);
  const last = errors.at(-1);
  assert.equal(last.op, 'Gemm');
  assert.ok(last.sqnrDb > 5 && last.sqnrDb < 60, `${last.sqnrDb} dB`);
});

test('the last SQNR of EfficientNet-Lite0 is that of its logits', async () => {
  const model = await loadModel(networkPath);
  const { model: small } = await model.quantize({ effort: 'fast' });
  const [reference, session] = [await model.createSession(), await small.createSession()];
  const picture = await cat();
  const errors = await session.compareOutputs(picture, reference);
  assert.equal(errors.length, model.layers.length);
  const [x, q] = [await reference.logits(picture), await session.logits(picture)];
  let signal = 0;
  let error = 0;
  x.forEach((value, i) => {
    signal += value ** 2;
    error += (value - q[i]) ** 2;
  });
  assert.ok(Math.abs(errors.at(-1).sqnrDb - 10 * Math.log10(signal / error)) < 1e-6);
});

test('a reference from elsewhere is refused', async () => {
  const here = await float.createSession();
  const other = await (await loadModel(tinyNetwork(), { build: 'simd128' })).createSession();
  // Where there is no relaxed build, both are of one engine.
  if (other.info.build !== here.info.build)
    await assert.rejects(here.compareOutputs(patternPicture(), other), { code: 'usage', message: /same engine/ });
  await assert.rejects(here.compareOutputs(patternPicture(), {}), { code: 'usage' });
});

test('two calls at once with pictures of their own do not mix them up', async () => {
  const session = await float.createSession();
  const [a, b] = [patternPicture(64), patternPicture(96)];
  const alone = [await session.logits(a), await session.logits(b)];
  assert.deepEqual(await Promise.all([session.logits(a), session.logits(b)]), alone);
  const file = await cat();
  const expected = await session.logits(file);
  const both = await Promise.all([session.logits(file), session.logits(b), session.logits(file)]);
  assert.deepEqual(both, [expected, alone[1], expected]);
});

let engine;
after(() => engine?.terminate());

test('a worker gives the same maps and errors', async () => {
  engine = await connect();
  const far = await engine.loadModel(tinyNetwork());
  const { model } = await far.quantize({ effort: 'fast' });
  const picture = patternPicture();
  const [x, q] = [await far.createSession(), await model.createSession()];
  const near = await quantized.createSession();
  assert.deepEqual(await q.featureMaps(picture, 'conv'), await near.featureMaps(picture, 'conv'));
  assert.deepEqual(await q.compareOutputs(picture, x), await near.compareOutputs(picture, await float.createSession()));
  await assert.rejects(q.compareOutputs(picture, near), { code: 'usage', message: /same worker/ });
});
