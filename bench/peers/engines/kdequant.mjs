// This project's package, as it is published. Variants: w4a8, f32. Builds: relaxed (with more than one
// thread: its twin that has them), simd128.
import { loadModel } from '/kdequant/index.js';

export async function create({ variant, build, model, input, threads }) {
  const file = variant === 'f32' ? `/build/models/random/${model}.onnx` : `/build/bench/peers/${model}/w4a8.onnx`;
  const network = await loadModel(file, { build: threads > 1 && build === 'relaxed' ? 'threads' : build });
  const session = await network.createSession({ precision: variant, threads });
  return { run: () => session.run(input), files: [file] };
}
