// LiteRT.js: TensorFlow Lite and XNNPACK. Variants: int8, f32. Builds: relaxed (its default), simd128 (its "compat").
import { loadAndCompile, loadLiteRt, Tensor } from '@litertjs/core';

const WASM = '/node_modules/@litertjs/core/wasm/';

export async function create({ variant, build, model, threads, input }) {
  const file = `/build/bench/peers/${model}/${variant}.tflite`;
  await loadLiteRt(
    build === 'simd128' ? `${WASM}litert_wasm_compat_internal.js` : WASM,
    threads > 1 ? { threads: true } : {},
  );
  const network = await loadAndCompile(file, { accelerator: 'wasm', cpuOptions: { numThreads: threads } });
  if (!network.isFullyAccelerated) throw new Error(`LiteRT.js runs parts of ${file} without XNNPACK`);
  const [channels, pixels] = [3, input.length / 3];
  const channelsLast = new Float32Array(input.length);
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < pixels; i++) channelsLast[i * channels + c] = input[c * pixels + i];
  }
  const side = Math.sqrt(pixels);
  const run = async () => {
    const x = new Tensor(channelsLast, [1, side, side, channels]);
    const outputs = await network.run(x);
    const logits = outputs[0].toTypedArray().slice();
    x.delete();
    for (const output of outputs) output.delete();
    return logits;
  };
  return { run, files: [file] };
}
