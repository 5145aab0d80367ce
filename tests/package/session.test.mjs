import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { deadLeaves, decodePicture, loadModel } from 'kdequant';
import { tinyNetwork } from './onnx.mjs';
import { cat, networkPath, patternPicture, sameBits } from './support.mjs';

let model;
before(async () => {
  model = await loadModel(tinyNetwork());
});

test('a picture gives the same answer as a file, as RGBA and as RGB', async () => {
  const session = await (await loadModel(networkPath)).createSession();
  const rgba = await decodePicture(await cat());
  const rgb = { ...rgba, data: rgba.data.filter((_, i) => i % 4 < 3) };
  const expected = await session.logits(new Blob([await cat()]));
  for (const picture of [rgba, rgb, await cat()]) assert.ok(sameBits(await session.logits(picture), expected));
});

test('transparency is laid over white', async () => {
  const session = await model.createSession();
  const size = { width: 20, height: 20 };
  const clear = { data: new Uint8Array(1600), ...size };
  const white = { data: new Uint8Array(1200).fill(255), ...size };
  assert.ok(sameBits(await session.logits(clear), await session.logits(white)));
});

test('crop shows the square that the network sees', async () => {
  const session = await model.createSession();
  const { data, width, height } = await session.crop(patternPicture());
  assert.deepEqual([width, height, data.length], [16, 16, 1024]);
});

test('run takes the input as it is, and refuses another length and a NaN', async () => {
  const session = await model.createSession();
  const zeros = await session.run(new Float32Array(768));
  assert.deepEqual([...zeros], new Array(10).fill(0), 'no biases: nothing in, nothing out');
  await assert.rejects(session.run(new Float32Array(7)), { code: 'usage', message: /7 numbers.*768/ });
  await assert.rejects(session.run(new Float32Array(768).fill(NaN)), { code: 'not-finite' });
});

test('the reference kernels agree with the fast ones: closely in f32, exactly in w4a8', async () => {
  const { model: quantized } = await model.quantize({ effort: 'fast' });
  const { model: plain } = await model.quantize({ effort: 'plain' }); // ranges of activations are measured on every picture
  const picture = patternPicture();
  for (const [network, precision] of [
    [model, 'f32'],
    [quantized, 'w4a8'],
    [plain, 'w4a8'],
  ]) {
    const fast = await (await network.createSession({ precision })).logits(picture);
    const slow = await (await network.createSession({ precision, kernels: 'reference' })).logits(picture);
    if (precision === 'w4a8') assert.ok(sameBits(fast, slow));
    else fast.forEach((value, i) => assert.ok(Math.abs(value - slow[i]) < 1e-4 * (1 + Math.abs(value))));
  }
});

test('labels come from the options, stay in the file and default to numbers', async () => {
  const plain = await (await model.createSession()).classify(patternPicture(), { top: 20 });
  assert.equal(plain.predictions.length, 10, 'there are no more than ten classes');
  assert.match(plain.predictions[0].label, /^class \d$/);
  const sum = plain.predictions.reduce((total, { probability }) => total + probability, 0);
  assert.ok(Math.abs(sum - 1) < 1e-6);

  const labels = Array.from('abcdefghij');
  const named = await loadModel(tinyNetwork(), { labels });
  const again = await loadModel(named.toOnnx());
  const { predictions } = await (await again.createSession()).classify(patternPicture());
  assert.equal(predictions[0].label, labels[predictions[0].classIndex]);
});

test('profile times every step', async () => {
  const steps = await (await model.createSession()).profile(patternPicture());
  assert.ok(steps.some(({ op }) => op === 'Conv') && steps.some(({ op }) => op === 'Gemm'));
});

test('what is no picture is refused with a sentence', async () => {
  const session = await model.createSession();
  await assert.rejects(session.classify('cat.jpg'), { code: 'usage', message: /Blob/ });
  await assert.rejects(session.classify(new Blob(['text'])), { code: 'bad-input' });
  await assert.rejects(session.classify({ data: new Uint8Array(7), width: 2, height: 2 }), { code: 'usage' });
  await assert.rejects(session.classify({ data: new Uint8Array(), width: 0, height: 0 }), { code: 'usage' });
  await assert.rejects(session.classify(patternPicture(), { top: 0 }), { code: 'usage' });
  await assert.rejects(model.createSession({ precision: 'int3' }), { code: 'usage', message: /int3/ });
});

test('a session lives on without its model and ends on its own', async () => {
  const own = await loadModel(tinyNetwork());
  const session = await own.createSession();
  own.dispose();
  assert.equal((await session.classify(patternPicture())).predictions.length, 5);
  session.dispose();
  await assert.rejects(session.classify(patternPicture()), { code: 'usage', message: /disposed/ });
});

test('many sessions made and disposed of do not grow the memory without end', async () => {
  const big = await loadModel(networkPath);
  for (let i = 0; i < 60; ++i) (await big.createSession()).dispose();
});

test('synthetic pictures depend on the seed alone', async () => {
  const [a, b, c] = await Promise.all([deadLeaves(64, 1), deadLeaves(64, 1), deadLeaves(64, 2)]);
  assert.equal(a.data.length, 4 * 64 * 64);
  assert.deepEqual(a.data, b.data);
  assert.notDeepEqual(a.data, c.data);
  await assert.rejects(deadLeaves(1, 1), { code: 'usage' });
});
