import { type RemoteModel, type Session } from 'kdequant';

// The browser's baseline compiler runs the kernels several times slower until it has seen them busy.
const WARM_UP_RUNS = 2;

/** A session whose first answer is already as quick as the later ones. */
export async function warmSession(model: RemoteModel): Promise<Session> {
  const session = await model.createSession();
  const length = session.info.inputShape.reduce((product, dimension) => product * dimension, 1);
  for (let run = 0; run < WARM_UP_RUNS; ++run) await session.run(new Float32Array(length));
  return session;
}
