// The tools are a module of their own: without it 4-bit networks run, and what needs it says which file is missing.
import assert from 'node:assert/strict';
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { availableBuilds, loadModel } from 'kdequant';
import { tinyNetwork, wideNetwork } from './onnx.mjs';
import { cat, networkPath, patternPicture, sameBits } from './support.mjs';

const dist = new URL('../../wasm/dist/', import.meta.url);
const builds = await availableBuilds();

/** Quantized by the whole package. */
const files = {};
const logits = {};
before(async () => {
  const fast = { effort: 'fast' };
  const networks = {
    usual: [networkPath, fast],
    wide: [wideNetwork(), fast],
    // Its small layers in 8 bits, the others with several codebooks.
    mixed: [wideNetwork(), { pictures: 2, widen: 0.2 }],
    unusual: [tinyNetwork({ op: 'Sigmoid' }), fast],
  };
  for (const [name, [network, options]] of Object.entries(networks)) {
    const { model } = await (await loadModel(network)).quantize(options);
    if (name === 'mixed')
      assert.ok(
        model.summary.layers.some(({ bits }) => bits === 8) &&
          model.summary.layers.some(({ codebooks }) => codebooks > 1),
      );
    files[name] = model.toOnnx();
    logits[name] = await (await model.createSession()).logits(await cat());
  }
});

/** A package of its own, without the tools. */
async function packageWithoutTools(t) {
  const folder = await mkdtemp(join(tmpdir(), 'kdequant-tools-'));
  t.after(() => rm(folder, { recursive: true }));
  await cp(dist, folder, { recursive: true, filter: (name) => !name.endsWith('-tools.wasm') });
  assert.ok(!(await readdir(folder)).some((name) => name.includes('tools.wasm')));
  return { folder, ...(await import(pathToFileURL(join(folder, 'index.js')))) };
}

for (const build of builds) {
  const missing = { code: 'cannot-read', message: new RegExp(`kdequant-${build}-tools\\.wasm`) };

  test(`a 4-bit network runs without the tools, and what needs them names the file that is missing (${build})`, async (t) => {
    const { folder, loadModel } = await packageWithoutTools(t);
    const model = await loadModel(files.usual, { build });
    assert.equal(model.summary.quantized, true);
    assert.ok(model.layerWeights(model.layers[0].name).length > 0);
    for (const threads of [1, 2]) {
      const session = await model.createSession({ threads });
      assert.ok(sameBits(await session.logits(await cat()), logits.usual), `${threads} threads`);
      assert.equal((await session.classify(patternPicture())).predictions.length, 5);
      assert.ok((await session.crop(patternPicture())).width > 0);
    }
    assert.throws(() => model.toOnnx(), missing);
    await assert.rejects(model.createSession({ precision: 'f32' }), missing);
    await assert.rejects(loadModel(networkPath, { build }), missing);

    // The download is tried again, and what is not asynchronous waits for it.
    const file = `kdequant-${build}-tools.wasm`;
    await cp(new URL(file, dist), join(folder, file));
    assert.ok(model.toOnnx().length > 0);
    const float = await loadModel(networkPath, { build });
    const { model: quantized } = await float.quantize({ effort: 'plain' });
    assert.equal(quantized.summary.quantized, true);
  });

  test(`layers of many channels, in 4 bits and in 8, run without the tools, too (${build})`, async (t) => {
    const { loadModel } = await packageWithoutTools(t);
    for (const name of ['wide', 'mixed']) {
      const model = await loadModel(files[name], { build });
      for (const threads of [1, 2]) {
        const session = await model.createSession({ threads });
        assert.ok(sameBits(await session.logits(await cat()), logits[name]), `${name}, ${threads} threads`);
      }
    }
  });

  test(`a layer that is rare in 4-bit networks fetches the tools in the middle of its work (${build})`, async (t) => {
    const { folder, loadModel } = await packageWithoutTools(t);
    const run = async () => {
      const model = await loadModel(files.unusual, { build });
      const session = await model.createSession({ threads: Math.min(2, builds.indexOf(build) + 1) });
      return session.logits(await cat());
    };
    await assert.rejects(run(), missing);
    const file = `kdequant-${build}-tools.wasm`;
    await cp(new URL(file, dist), join(folder, file));
    assert.ok(sameBits(await run(), logits.unusual));
  });
}
