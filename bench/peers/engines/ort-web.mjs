// ONNX Runtime Web. Variants: f32, int8. Builds: simd128 (its only one for the CPU), webgpu.
export async function create({ variant, build, model, threads, input }) {
  const file = variant === 'f32' ? `/build/models/random/${model}.onnx` : `/build/bench/peers/${model}/int8.onnx`;
  const bundle = build === 'webgpu' ? 'ort.webgpu.min.mjs' : 'ort.wasm.min.mjs';
  const ort = await import(`/node_modules/onnxruntime-web/dist/${bundle}`);
  ort.env.wasm.wasmPaths = '/node_modules/onnxruntime-web/dist/';
  ort.env.wasm.numThreads = threads;
  ort.env.logLevel = 'error';
  const session = await ort.InferenceSession.create(file, {
    executionProviders: [build === 'webgpu' ? 'webgpu' : 'wasm'],
    graphOptimizationLevel: 'all',
  });
  const side = Math.sqrt(input.length / 3);
  const feeds = { [session.inputNames[0]]: new ort.Tensor('float32', input, [1, 3, side, side]) };
  const run = async () => (await session.run(feeds))[session.outputNames[0]].data;
  return { run, files: [file] };
}
