// Times a network's steps in this runtime, a page or Node, beside the ceiling of the instructions they are made of.
import { ceilingOf, loadCeiling } from './ceiling.mjs';

const WARM_UP_MS = 500;

/** Noise, the same every time: times do not depend on what a picture shows. */
function picture(side) {
  const data = new Uint8ClampedArray(4 * side * side);
  let state = 1;
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    data[i] = state >>> 24;
  }
  return { data, width: side, height: side };
}

/** What sort of work a layer is; the groups of the tables. */
function kindOf({ op, shape, depthwise }) {
  if (depthwise) return `depthwise ${shape[2]}x${shape[3]}`;
  if (op === 'Conv') return `${shape[2]}x${shape[3]}`;
  return op;
}

/**
 * @param {{loadModel: Function, ceiling: BufferSource, model: Uint8Array | string, precision?: string, build: string, runs: number,
 *   seconds: number}} options `loadModel` is the package's
 * @returns {Promise<{precision: string, build: string, kernels: string, ceiling: number,
 *   steps: {layer: string, op: string, kind: string, shape: number[], macs: number, milliseconds: number}[]}>}
 * each step's least time of at least `runs` runs and `seconds`: whatever else the machine does can only add to it
 */
export async function profile({ loadModel, ceiling, model, precision, build, runs, seconds }) {
  const network = await loadModel(model, { build });
  const session = await network.createSession(precision ? { precision } : {});
  try {
    const noise = picture(session.info.inputShape.at(-1));
    const { measure } = await loadCeiling(ceiling);
    const before = measure();
    const warm = performance.now() + WARM_UP_MS;
    do await session.profile(noise);
    while (performance.now() < warm);
    const least = [];
    const start = performance.now();
    for (let run = 0; run < runs || performance.now() - start < 1000 * seconds; run++) {
      for (const [i, { milliseconds }] of (await session.profile(noise)).entries()) {
        least[i] = Math.min(least[i] ?? Infinity, milliseconds);
      }
    }
    const after = measure();
    const summaries = new Map(network.layers.map((layer) => [layer.name, layer]));
    const steps = (await session.profile(noise)).map(({ layer, op }, i) => {
      const summary = summaries.get(layer);
      // A step that only moves or converts what a layer needs does none of its multiplications.
      const works = summary !== undefined && summary.op === op;
      return {
        layer,
        op,
        kind: works && summary.macs > 0 ? kindOf(summary) : op,
        shape: works ? summary.shape : [],
        macs: works ? summary.macs : 0,
        milliseconds: least[i],
      };
    });
    return {
      precision: session.info.precision,
      build: session.info.build,
      kernels: session.info.kernels,
      ceiling: Math.max(
        ceilingOf(before, session.info.precision, build),
        ceilingOf(after, session.info.precision, build),
      ),
      steps,
    };
  } finally {
    session.dispose();
    network.dispose();
  }
}
