// Times every engine on every network, each in a Chromium process of its own, round by round.
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { PATIENCE_MS, serveBench, withPage } from '../browser.mjs';

const DIGITS = 5;

/** What is compared, in the order in which a network's turn goes: those that are compared with each other stand together. */
export const CONFIGURATIONS = [
  { engine: 'kdequant', variant: 'w4a8', build: 'relaxed' },
  { engine: 'litert', variant: 'int8', build: 'relaxed' },
  { engine: 'kdequant', variant: 'w4a8', build: 'simd128' },
  { engine: 'litert', variant: 'int8', build: 'simd128' },
  { engine: 'kdequant', variant: 'f32', build: 'relaxed' },
  { engine: 'litert', variant: 'f32', build: 'relaxed' },
  { engine: 'ort-web', variant: 'f32', build: 'simd128' },
  { engine: 'ort-web', variant: 'int8', build: 'simd128' },
  { engine: 'tfjs', variant: 'f32', build: 'simd128' },
  { engine: 'ort-web', variant: 'f32', build: 'webgpu' },
];

const serveAll = (peers) => serveBench({ node_modules: join(peers, 'node_modules') });

/** Whether the browser has a graphics processor to offer; a software rasterizer does not count. */
export async function hasGpu(peers) {
  const server = await serveAll(peers);
  try {
    return await withPage(server.url, (page) =>
      page.evaluate(async () => {
        const adapter = await globalThis.navigator.gpu?.requestAdapter();
        return Boolean(adapter) && !(adapter.info?.isFallbackAdapter ?? adapter.isFallbackAdapter);
      }),
    );
  } finally {
    await server.close();
  }
}

const gzipped = new Map();

/** Gzipped bytes of what was fetched that is neither a network nor ours for measuring: the engine. */
async function runtimeBytes(addresses) {
  let sum = 0;
  for (const address of addresses) {
    if (!gzipped.has(address)) {
      const body = Buffer.from(await (await fetch(address)).arrayBuffer());
      gzipped.set(address, gzipSync(body, { level: 9 }).length);
    }
    sum += gzipped.get(address);
  }
  return sum;
}

async function bytesOf(addresses) {
  let sum = 0;
  for (const address of addresses) {
    const response = await fetch(address, { method: 'HEAD' });
    sum += Number(response.headers.get('content-length'));
  }
  return sum;
}

/** Seconds of processor time that the page's own thread has had so far, whatever else the machine was doing. */
async function threadTime(session) {
  const { metrics } = await session.send('Performance.getMetrics');
  return metrics.find(({ name }) => name === 'ThreadTime').value;
}

async function measure(page, task) {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  const call = (name, parameter) =>
    page.evaluate(async ([f, p]) => (await import('/peers/measure.mjs'))[f](p), [name, parameter]);
  const loaded = await call('load', task);
  await call('warmUp');
  const before = await threadTime(session);
  const times = await call('time', task);
  const processor = ((await threadTime(session)) - before) * 1000;
  return {
    ...loaded,
    median_ms: times[times.length >> 1],
    best_ms: times[0],
    // With threads the page's own is one of several, and its time says nothing.
    cpu_ms: task.threads === 1 && task.build !== 'webgpu' ? processor / times.length : null,
  };
}

const rounded = (value) => (value === null ? null : Number(value.toPrecision(DIGITS)));

/** One line of the result: one engine, one network, one process. */
export async function run(server, task) {
  const fetched = new Set();
  const { result, version } = await withPage(server.url, async (page, browser) => {
    page.on('request', (request) => fetched.add(request.url()));
    let timer;
    const timeout = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer in ${PATIENCE_MS / 1000} s`)), PATIENCE_MS);
    });
    try {
      return { result: await Promise.race([measure(page, task), timeout]), version: browser };
    } finally {
      globalThis.clearTimeout(timer);
    }
  });
  const engine = [...fetched].filter((address) => /^\/(node_modules|kdequant)\//.test(new URL(address).pathname));
  return {
    engine: task.engine,
    variant: task.variant,
    build: task.build,
    model: task.model,
    env: `chromium ${version}`,
    threads: task.threads,
    median_ms: rounded(result.median_ms),
    best_ms: rounded(result.best_ms),
    cpu_ms: rounded(result.cpu_ms),
    first_ms: rounded(result.first_ms),
    load_ms: rounded(result.load_ms),
    file_bytes: await bytesOf(result.files.map((file) => new URL(file, server.url).href)),
    runtime_gz_bytes: await runtimeBytes(engine),
    wasm_mb: rounded(result.wasm_mb),
    cosine: rounded(result.cosine),
  };
}

/**
 * @param {{peers: string, models: string[], configurations: object[], rounds: number, seconds: number, runs: number, threads: number[],
 *   onLine: (line: object) => void, onFailure: (task: object, error: Error) => void}} options
 */
export async function sweep({ peers, models, configurations, rounds, seconds, runs, threads, onLine, onFailure }) {
  const server = await serveAll(peers);
  try {
    for (let round = 1; round <= rounds; round++) {
      for (const model of models) {
        for (const configuration of configurations) {
          for (const count of threads) {
            const task = { ...configuration, model, threads: count, seconds, runs };
            try {
              onLine({ ...(await run(server, task)), round });
            } catch (error) {
              onFailure(task, error);
            }
          }
        }
      }
    }
  } finally {
    await server.close();
  }
}
