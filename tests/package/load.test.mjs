import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { KdequantError, loadModel } from 'kdequant';
import { tinyNetwork } from './onnx.mjs';
import { networkPath } from './support.mjs';

const refuses = (promise, code, ...words) =>
  assert.rejects(promise, (error) => {
    assert.ok(error instanceof KdequantError, `${error.name}: ${error.message}`);
    assert.equal(error.code, code);
    for (const word of words) assert.match(error.message, word);
    return true;
  });

test('a model loads from bytes, buffer, blob, response, path and file URL, with the same layers', async () => {
  const file = await readFile(networkPath);
  const sources = [
    new Uint8Array(file),
    new Uint8Array(file).buffer,
    new Blob([file]),
    new Response(file),
    networkPath,
    pathToFileURL(networkPath),
    pathToFileURL(networkPath).href,
  ];
  const summaries = [];
  for (const source of sources) {
    const model = await loadModel(source);
    assert.equal(model.bytes, file.length);
    summaries.push(JSON.stringify(model.summary));
    model.dispose();
  }
  assert.equal(new Set(summaries).size, 1);
});

test('a download reports its bytes and its end, also when the server does not say how long it is', async (t) => {
  const file = await readFile(networkPath);
  const server = createServer((request, response) => {
    if (request.url === '/known') response.setHeader('content-length', file.length);
    // In one call, `end` would say the length by itself.
    response.write(file);
    response.end();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  for (const name of ['known', 'unknown']) {
    const heard = [];
    const model = await loadModel(`http://127.0.0.1:${server.address().port}/${name}`, {
      onProgress: (progress) => heard.push(progress),
    });
    assert.equal(model.bytes, file.length);
    const last = heard.filter(({ stage }) => stage === 'downloading').at(-1);
    assert.equal(last.loaded, file.length);
    assert.equal(last.total, name === 'known' ? file.length : undefined);
    assert.equal(heard.at(-1).fraction, 1);
    model.dispose();
  }
});

test('the summary of EfficientNet-Lite0 has its layers, weights and operations', async () => {
  const { summary, layers } = await loadModel(networkPath);
  assert.deepEqual(summary.input.shape, [1, 3, 224, 224]);
  assert.deepEqual(summary.output.shape, [1, 1000]);
  assert.equal(summary.quantized, false);
  assert.equal(layers.filter(({ depthwise }) => depthwise).length, 16);
  assert.equal(layers.filter(({ op }) => op === 'Conv' || op === 'Gemm').length, 50);
  // 4,652,008 parameters are published, biases and what batch normalization folds into included.
  assert.ok(summary.weights > 4.5e6 && summary.weights < 4.66e6, `${summary.weights} weights`);
  assert.ok(summary.macs > 380e6 && summary.macs < 420e6, `${summary.macs} operations`);
});

test('layerWeights gives a layer as it is in the file', async () => {
  const model = await loadModel(tinyNetwork());
  const weights = model.layerWeights('conv');
  assert.equal(weights.length, 32 * 27);
  assert.equal(weights[0], Math.fround(Math.sin(1)));
  assert.throws(() => model.layerWeights('nowhere'), { code: 'usage', layer: 'nowhere' });
});

test('layerHistogram counts every weight of a layer, with its moments', async () => {
  const model = await loadModel(tinyNetwork());
  const weights = model.layerWeights('conv');
  const histogram = model.layerHistogram('conv', { granularity: 'tensor', bins: 50 });
  assert.equal(histogram.moments.length, 150);
  assert.equal(histogram.weights, weights.length);
  assert.equal(histogram.min, Math.min(...weights));
  assert.equal(histogram.max, Math.max(...weights));
  const counts = new Array(50).fill(0);
  for (const w of weights) ++counts[Math.min(Math.floor((w - histogram.low) / histogram.step), 49)];
  assert.deepEqual(
    counts,
    counts.map((_, bin) => histogram.moments[3 * bin]),
  );
  const total = (moment) => histogram.moments.reduce((sum, x, i) => (i % 3 === moment ? sum + x : sum), 0);
  assert.ok(Math.abs(total(1) - weights.reduce((sum, w) => sum + w, 0)) < 1e-9);
  assert.ok(Math.abs(total(2) - weights.reduce((sum, w) => sum + w * w, 0)) < 1e-9);
  // In units of its channel's root mean square every channel has a mean square of 1, and so has the layer.
  const scaled = model.layerHistogram('conv');
  assert.equal(scaled.moments.length, 3 * 4096);
  const square = scaled.moments.reduce((sum, x, i) => (i % 3 === 2 ? sum + x : sum), 0) / scaled.weights;
  assert.ok(Math.abs(square - 1) < 1e-6, `${square}`);
  assert.throws(() => model.layerHistogram('nowhere'), { code: 'usage', layer: 'nowhere' });
  assert.throws(() => model.layerHistogram('conv', { bins: 0 }), { code: 'usage', message: /bins/ });
  assert.throws(() => model.layerHistogram('conv', { granularity: 'channel' }), { code: 'usage', message: /channel/ });
});

test('layerSample gives the weights that a quantization designs on', async () => {
  const model = await loadModel(networkPath);
  const name = model.layers.find(({ op, depthwise }) => op === 'Conv' && !depthwise).name;
  const options = { granularity: 'tensor', samples: 100 };
  const { values, importances, ...facts } = model.layerSample(name, options);
  const weights = model.layerWeights(name);
  assert.equal(values.length, 100);
  assert.equal(facts.weights, weights.length);
  assert.equal(facts.scanned, weights.length);
  assert.equal(facts.max, Math.max(...weights));
  assert.deepEqual(values, values.toSorted());
  const known = new Set(weights);
  assert.ok(values.every((value) => known.has(value)));
  assert.ok(Math.abs(importances.reduce((sum, x) => sum + x) - weights.length) < 1e-6);
  assert.deepEqual(model.layerSample(name, options).values, values);
  assert.notDeepEqual(model.layerSample(name, { ...options, seed: 2 }).values, values);
  assert.notDeepEqual(model.layerSample(name, { ...options, granularity: 'channel-scale' }).values, values);
  const random = model.layerSample(name, { ...options, sampling: 'random' });
  assert.equal(random.scanned, 100);
  assert.ok(random.importances.every((importance) => importance === weights.length / 100));
  assert.equal(model.layerSample(name, { samples: 'all' }).values.length, weights.length);
  assert.throws(() => model.layerSample(name, { sampling: 'lucky' }), { code: 'usage', message: /lucky/ });
});

test('random bytes, nothing, half a file and a wrong argument are refused with a sentence', async () => {
  const noise = Uint8Array.from({ length: 4096 }, (_, i) => (i * 197 + 13) % 256);
  await refuses(loadModel(noise), 'bad-input');
  await refuses(loadModel(new Uint8Array()), 'bad-input', /empty/);
  const file = await readFile(networkPath);
  await refuses(loadModel(file.subarray(0, file.length / 2)), 'bad-input');
  await refuses(loadModel(42), 'usage');
  await refuses(loadModel('no-such-file.onnx'), 'cannot-read', /no-such-file\.onnx/);
  await refuses(loadModel('http://127.0.0.1:9/model.onnx'), 'cannot-read', /127\.0\.0\.1/);
  await refuses(loadModel(new Response('', { status: 404 })), 'cannot-read', /404/);
  await refuses(loadModel(tinyNetwork(), { preprocess: 'rainbow' }), 'usage', /rainbow/);
});

test('an unsupported operator is named with its node', async () => {
  await refuses(loadModel(tinyNetwork({ op: 'NonZero' })), 'unsupported', /NonZero/, /act/);
});

test('the model is asked for while the engine is still on its way', async (t) => {
  const asked = t.mock.method(globalThis, 'fetch', () => Promise.resolve(new Response(tinyNetwork())));
  const loading = loadModel('http://127.0.0.1:9/model.onnx');
  // Nothing has been awaited yet, so the engine cannot be there.
  assert.equal(asked.mock.callCount(), 1);
  (await loading).dispose();
});

test('what was opened for an engine that does not come is given up', async (t) => {
  const canceled = t.mock.fn();
  const endless = new globalThis.ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(1)),
    cancel: canceled,
  });
  t.mock.method(WebAssembly, 'validate', () => false);
  await refuses(loadModel(new Response(endless)), 'environment', /SIMD/);
  assert.equal(canceled.mock.callCount(), 1);
});

test('an aborted load rejects with the reason of its signal', async () => {
  await assert.rejects(loadModel(networkPath, { signal: AbortSignal.abort() }), { name: 'AbortError' });
  const controller = new AbortController();
  const onProgress = () => controller.abort(new Error('enough'));
  await assert.rejects(loadModel(networkPath, { onProgress, signal: controller.signal }), { message: 'enough' });
});

test('a model that was disposed of says so', async () => {
  const model = await loadModel(tinyNetwork());
  model.dispose();
  model.dispose();
  assert.throws(() => model.toOnnx(), { code: 'usage', message: /disposed/ });
  await refuses(model.createSession(), 'usage', /disposed/);
});
