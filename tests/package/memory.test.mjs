import assert from 'node:assert/strict';
import { test } from 'node:test';

// Before the package makes its memory: it never shrinks, so that what it is in the end is what it was at most.
let memory;
const { grow } = WebAssembly.Memory.prototype;
WebAssembly.Memory.prototype.grow = function (pages) {
  memory = this;
  return grow.call(this, pages);
};
const { loadModel } = await import('kdequant');
const { largeNetwork } = await import('./onnx.mjs');

test('quantizing a network that is one large layer takes no more memory than loading it', async () => {
  const { chunks, length } = largeNetwork(1, 64);
  const file = new Uint8Array(length);
  const values = new DataView(file.buffer);
  const start = chunks.at(-1).at + chunks.at(-1).bytes.length;
  for (let at = start, i = 0; at < length; at += 4, ++i) values.setFloat32(at, ((i * 7919) % 1009) / 1009 - 0.5, true);
  for (const { at, bytes } of chunks) file.set(bytes, at);

  const model = await loadModel(file);
  // The file, and the weights made of it.
  const loaded = memory.buffer.byteLength;
  assert.ok(loaded > 2 * length && loaded < 2.3 * length, `${loaded} bytes for a file of ${length}`);
  for (const effort of ['plain', 'fast']) {
    const { model: quantized } = await model.quantize({ effort, pictures: 2 });
    assert.ok(quantized.toOnnx().length < length / 6);
    quantized.dispose();
    const most = memory.buffer.byteLength;
    assert.ok(most < loaded + 0.2 * length, `effort ${effort}: ${most} bytes where loading took ${loaded}`);
  }
});
