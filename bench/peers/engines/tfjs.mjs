// TensorFlow.js on its WebAssembly backend. Variant: f32. Build: simd128.
const script = (address) =>
  new Promise((resolve, reject) => {
    const element = globalThis.document.createElement('script');
    element.src = address;
    element.onload = resolve;
    element.onerror = () => reject(new Error(`cannot load ${address}`));
    globalThis.document.head.append(element);
  });

export async function create({ model, threads, input }) {
  const backend = '/node_modules/@tensorflow/tfjs-backend-wasm/dist/';
  await script('/node_modules/@tensorflow/tfjs/dist/tf.min.js');
  await script(`${backend}tf-backend-wasm.min.js`);
  const { tf } = globalThis;
  tf.wasm.setWasmPaths(backend);
  tf.wasm.setThreadsCount(threads);
  if (threads === 1) tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
  await tf.setBackend('wasm');
  await tf.ready();
  const folder = `/build/bench/peers/${model}/tfjs/`;
  const network = await tf.loadGraphModel(`${folder}model.json`);
  const side = Math.sqrt(input.length / 3);
  const x = tf.tidy(() => tf.tensor(input, [1, 3, side, side]).transpose([0, 2, 3, 1]));
  const run = async () => {
    const y = network.predict(x);
    const logits = await y.data();
    y.dispose();
    return logits;
  };
  return { run, files: [`${folder}model.json`, `${folder}weights.bin`] };
}
