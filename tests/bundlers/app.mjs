// What a user's page might be made of.
import { loadModel } from 'kdequant';
import { connect } from 'kdequant/worker-client';

/** The answers to one picture, in the page and in a worker. */
globalThis.ask = async (threads) => {
  const data = Uint8Array.from({ length: 3 * 300 * 300 }, (_, i) => (i * 7919) % 256);
  const worker = await connect();
  const answers = [];
  for (const engine of [{ loadModel }, worker]) {
    const model = await engine.loadModel('small.onnx');
    const session = await model.createSession({ threads });
    const { predictions } = await session.classify({ data, width: 300, height: 300 });
    answers.push({ build: model.build, threads: session.info.threads, predictions });
  }
  worker.terminate();
  return answers;
};
