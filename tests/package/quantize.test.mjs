import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { deadLeaves, loadModel } from 'kdequant';
import { tinyNetwork } from './onnx.mjs';
import { cat, isCat, networkPath, patternPicture, sameBits } from './support.mjs';

let float;
let quantized;
let report;
const progress = [];
const layers = [];
before(async () => {
  float = await loadModel(networkPath);
  ({ model: quantized, report } = await float.quantize({
    effort: 'fast',
    onProgress: (step) => progress.push(step),
    onLayer: (layer) => layers.push(layer),
  }));
});

test('quantizing EfficientNet-Lite0 makes a file a seventh of its size and reports every layer', () => {
  assert.equal(report.bytesIn, float.bytes);
  assert.equal(report.bytesOut, quantized.bytes);
  assert.ok(report.bytesOut < report.bytesIn / 6.5, `${report.bytesOut} bytes`);
  assert.equal(report.layers.length, 50);
  assert.equal(report.layers.filter(({ bits }) => bits === 8).length, 16, 'depthwise layers stay in 8 bits');
  for (const layer of report.layers.filter(({ bits }) => bits === 4)) {
    assert.equal(layer.levels.length, 16);
    assert.ok(layer.sqnrDb > 15 && layer.sqnrDb < 60, `${layer.name}: ${layer.sqnrDb} dB`);
  }
  assert.ok(report.weightsSampled > 0 && report.weightsSampled < report.weightsScanned);
});

test('progress rises from 0 to 1 in many steps, and layers are told as they are finished', () => {
  assert.ok(progress.length > 10, `${progress.length} steps`);
  for (let i = 1; i < progress.length; ++i) assert.ok(progress[i].fraction >= progress[i - 1].fraction);
  assert.equal(progress.at(-1).fraction, 1);
  assert.deepEqual(layers, report.layers);
});

test('the float model sees a cat in the photo of one, and so does its 4-bit copy', async () => {
  for (const model of [float, quantized]) {
    const session = await model.createSession();
    assert.equal(session.info.precision, model === float ? 'f32' : 'w4a8');
    const { predictions, milliseconds } = await session.classify(await cat());
    assert.equal(predictions.length, 5);
    assert.ok(isCat(predictions[0]), JSON.stringify(predictions));
    assert.match(predictions[0].label, /cat|tabby/i);
    assert.ok(milliseconds > 0);
    session.dispose();
  }
});

test('the file reads back as the same network: same levels, same logits, same file', async () => {
  const file = quantized.toOnnx();
  assert.equal(file.length, quantized.bytes);
  const again = await loadModel(file);
  assert.deepEqual(again.layers, quantized.layers);
  assert.deepEqual(again.toOnnx(), file);
  const [one, other] = await Promise.all([quantized, again].map((model) => model.createSession()));
  const picture = await cat();
  assert.ok(sameBits(await one.logits(picture), await other.logits(picture)));
});

test('the same seed gives the same file', async () => {
  const model = await loadModel(tinyNetwork());
  const files = [];
  for (const seed of [1, 1, 2]) {
    const result = await model.quantize({ effort: 'fast', sampling: 'random', samples: 200, seed });
    files.push(Buffer.from(result.model.toOnnx()).toString('base64'));
  }
  assert.equal(files[0], files[1]);
  assert.notEqual(files[0], files[2]);
});

test('an abort rejects soon with the reason of the signal and leaves the model as it was', async () => {
  const controller = new AbortController();
  let aborted;
  const onProgress = ({ fraction }) => {
    if (fraction < 0.1 || aborted !== undefined) return;
    aborted = performance.now();
    controller.abort();
  };
  await assert.rejects(float.quantize({ onProgress, signal: controller.signal }), { name: 'AbortError' });
  assert.ok(performance.now() - aborted < 500, `${performance.now() - aborted} ms`);
  assert.equal(float.summary.quantized, false);
  const session = await float.createSession();
  assert.ok(isCat((await session.classify(await cat(), { top: 1 })).predictions[0]));
});

test('the event loop turns while a model is quantized', async () => {
  let turns = 0;
  const timer = setInterval(() => ++turns, 1);
  await float.quantize({ effort: 'plain' });
  clearInterval(timer);
  assert.ok(turns >= 5, `${turns} turns`);
});

test('own pictures calibrate, and too few or broken ones are refused', async () => {
  const model = await loadModel(tinyNetwork());
  const { report: ours } = await model.quantize({ calibration: [patternPicture(), patternPicture(40)] });
  assert.equal(ours.pictures, 2);
  await assert.rejects(model.quantize({ calibration: [] }), { code: 'usage' });
  await assert.rejects(model.quantize({ calibration: [{ ...patternPicture(), width: 7 }] }), { code: 'usage' });
  await assert.rejects(model.quantize({ calibration: [new Blob(['no picture'])] }), { code: 'bad-input' });
});

test('a wrong option is refused by name with what is allowed', async () => {
  const refuses = (options, ...words) =>
    assert.rejects(float.quantize(options), (error) => {
      assert.equal(error.code, 'usage');
      for (const word of words) assert.match(error.message, word);
      return true;
    });
  await refuses({ method: 'magic' }, /magic/, /kde-lm/);
  await refuses({ granularity: 'galaxy' }, /galaxy/, /channel-scale/);
  await refuses({ sample: 12 }, /sample/, /samples/);
  await refuses({ samples: 0.5 }, /samples/);
  await refuses({ calibration: 'photos' }, /calibration/, /synthetic/);
});

test('a quantized model is not quantized again', async () => {
  await assert.rejects(quantized.quantize(), { code: 'unsupported' });
});

test('a layer may have options of its own, and a wrong one is told where it stands', async () => {
  const model = await loadModel(tinyNetwork());
  const { report: mixed } = await model.quantize({ effort: 'plain', overrides: { 'f*': { bits: 8 } } });
  assert.deepEqual(
    mixed.layers.map(({ bits }) => bits),
    [4, 8],
  );
  const { report: narrow } = await model.quantize({ effort: 'plain', bits: 3 });
  assert.ok(narrow.layers.every(({ levels }) => levels.length === 8));
  await assert.rejects(model.quantize({ overrides: { fc: { bits: 9 } } }), /overrides\["fc"\]\.bits/);
  await assert.rejects(model.quantize({ overrides: { fd: { bits: 8 } } }), /no layer "fd"/);
  await assert.rejects(model.quantize({ bits: 1 }), /from 2 to 8/);
});

test('an excluded layer keeps its floats', async () => {
  const model = await loadModel(tinyNetwork());
  const { model: mixed, report: mixedReport } = await model.quantize({ exclude: ['f*'] });
  assert.deepEqual(
    mixedReport.layers.map(({ name, bits }) => [name, bits]),
    [
      ['conv', 4],
      ['fc', 32],
    ],
  );
  assert.deepEqual(mixed.layerWeights('fc'), model.layerWeights('fc'));
});

test('the synthetic pictures that are shown are those that a quantization draws', async () => {
  const model = await loadModel(tinyNetwork(), { preprocess: 'tf,resize=0' });
  const shown = await Promise.all([0, 1, 2].map((index) => deadLeaves(16, 7, index)));
  const drawn = await model.quantize({ seed: 7, pictures: 3 });
  const given = await model.quantize({ seed: 7, calibration: shown });
  assert.equal(
    given.model.summary.metadata['kdequant.ranges'],
    drawn.model.summary.metadata['kdequant.ranges'],
    'ranges are measured on the pictures',
  );
  assert.ok(sameBits(given.model.layerWeights('fc'), drawn.model.layerWeights('fc')));
});
