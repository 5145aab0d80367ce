// How fast both networks answer here, in every build that this browser computes rightly with.
import { signal } from '@preact/signals';
import { type Build, type Precision, type RemoteModel, type Session } from 'kdequant';
import { type RemoteEngine } from 'kdequant/worker-client';

import { isAbort, messageOf } from '../../app/alerts.js';
import { startEngine } from '../../app/engine.js';
import { type Answering, network, onNetworkReplaced } from '../../app/network.js';
import { type Small, small } from '../../app/quantization.js';

export interface Variant {
  readonly build: Build;
  readonly precision: Precision;
  readonly threads: number;
}

export interface Measured extends Variant {
  /** Of one picture, the network alone. */
  readonly median: number;
  readonly best: number;
  readonly runs: number;
}

export type SpeedState =
  | { readonly kind: 'idle' }
  | {
      readonly kind: 'running';
      readonly words: string;
      readonly fraction: number;
      readonly measured: readonly Measured[];
    }
  | {
      readonly kind: 'done';
      readonly measured: readonly Measured[];
      readonly facts: readonly Fact[];
      readonly note?: string;
    }
  | { readonly kind: 'failed'; readonly message: string };

export type Fact = readonly [name: string, value: string];

export const speed = signal<SpeedState>({ kind: 'idle' });

/** Runs that let the browser's compiler see the kernels busy; not counted. */
const WARM_UP = 4;
const ROUNDS = 15;

/** A network above this is not read a second time for a second build: a tab's memory holds it once. */
const MAX_SECOND_BYTES = 150e6;

let running: AbortController | undefined;

interface Contender extends Variant {
  readonly session: Session;
  readonly times: number[];
}

export async function measure(): Promise<void> {
  const float = network.peek();
  const four = small.peek();
  if (float.kind !== 'ready' || four === undefined) return;
  running?.abort();
  const controller = new AbortController();
  running = controller;
  const { signal } = controller;
  const own: { dispose(): void }[] = [];
  const show = (words: string, fraction: number, measured: readonly Measured[] = []): void => {
    if (running === controller) speed.value = { kind: 'running', words, fraction, measured };
  };
  show('getting ready', 0);
  try {
    const engine = await startEngine();
    const { contenders, note } = await line(engine, float, four, own, signal);
    const rounds = WARM_UP + ROUNDS;
    for (let round = 0; round < rounds; ++round) {
      show(
        round < WARM_UP ? 'warming up' : `round ${round - WARM_UP + 1} of ${ROUNDS}`,
        round / rounds,
        contenders.map(summarize),
      );
      const times = await runRound(contenders, round, signal);
      if (round >= WARM_UP) contenders.forEach((contender, i) => contender.times.push(times[i] ?? 0));
    }
    if (running !== controller) return;
    speed.value = {
      kind: 'done',
      measured: contenders.map(summarize),
      facts: await facts(engine, float, four),
      ...(note === undefined ? {} : { note }),
    };
  } catch (error) {
    if (running === controller)
      speed.value = isAbort(error) ? { kind: 'idle' } : { kind: 'failed', message: messageOf(error) };
  } finally {
    for (const object of own) object.dispose();
    if (running === controller) running = undefined;
  }
}

export function stopMeasuring(): void {
  running?.abort();
}

function forget(): void {
  stopMeasuring();
  running = undefined;
  speed.value = { kind: 'idle' };
}

onNetworkReplaced(forget);
// Figures of another 4-bit network than the one at hand would mislead.
small.subscribe(forget);

/** Every build and precision; what is loaded for it goes into `own`. */
async function line(
  engine: RemoteEngine,
  float: Answering,
  four: Answering,
  own: { dispose(): void }[],
  signal: AbortSignal,
): Promise<{ contenders: Contender[]; note: string | undefined }> {
  const contenders: Contender[] = [];
  let note: string | undefined;
  const enter = async (model: RemoteModel, precision: Precision): Promise<void> => {
    const session = await model.createSession({ precision });
    own.push(session);
    contenders.push({ build: model.build, precision, threads: session.info.threads, session, times: [] });
  };
  for (const build of await engine.availableBuilds()) {
    for (const [{ model }, precision] of [
      [float, 'f32'],
      [four, 'w4a8'],
    ] as const) {
      signal.throwIfAborted();
      if (model.build === build) {
        await enter(model, precision);
      } else if (model.bytes > MAX_SECOND_BYTES) {
        note = `The float network is too large to be loaded once more for the build ${build}.`;
      } else {
        const again = await engine.loadModel(await model.toOnnx(), { build, signal });
        own.push(again);
        await enter(again, precision);
      }
    }
  }
  return { contenders, note };
}

/**
 * One run of each, beginning with another one each time, so that what slows the machine down for a while slows all down. A round in
 * which the tab was hidden is done again: browsers slow hidden tabs down.
 */
async function runRound(contenders: readonly Contender[], round: number, signal: AbortSignal): Promise<number[]> {
  for (;;) {
    await visible();
    const hidden = new AbortController();
    const note = (): void => {
      hidden.abort();
    };
    document.addEventListener('visibilitychange', note);
    const times: number[] = [];
    try {
      for (let i = 0; i < contenders.length; ++i) {
        const index = (i + round) % contenders.length;
        signal.throwIfAborted();
        const contender = contenders[index];
        if (contender) times[index] = await runOnce(contender.session);
      }
    } finally {
      document.removeEventListener('visibilitychange', note);
    }
    if (!hidden.signal.aborted) return times;
  }
}

// The engine takes the time itself: messages and drawing are not in it.
async function runOnce(session: Session): Promise<number> {
  const { milliseconds } = await session.classify(picture(session), { top: 1 });
  return milliseconds;
}

const pictures = new Map<number, { data: Uint8Array; width: number; height: number }>();

/** A picture of the network's own size; what it shows does not change the time. */
function picture(session: Session): { data: Uint8Array; width: number; height: number } {
  const side = Math.max(1, session.info.inputShape[2] ?? 224);
  let known = pictures.get(side);
  if (!known) {
    const data = Uint8Array.from({ length: 3 * side * side }, (_, i) => (i * 7919) % 256);
    known = { data, width: side, height: side };
    pictures.set(side, known);
  }
  return known;
}

function visible(): Promise<void> {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => {
    const look = (): void => {
      if (document.hidden) return;
      document.removeEventListener('visibilitychange', look);
      resolve();
    };
    document.addEventListener('visibilitychange', look);
  });
}

function summarize({ build, precision, threads, times }: Contender): Measured {
  const sorted = [...times].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
  return { build, precision, threads, median, best: sorted[0] ?? 0, runs: sorted.length };
}

async function facts(engine: RemoteEngine, float: Answering, four: Small): Promise<Fact[]> {
  const builds = await engine.availableBuilds();
  const machine = navigator as { deviceMemory?: number; userAgentData?: { platform?: string } };
  return [
    ['network', `${float.name}, ${(float.model.summary.macs / 1e6).toFixed(0)} million multiplications a picture`],
    ['4-bit network', four.run.title],
    ['input', float.model.summary.input.shape.join(' × ')],
    ['browser', navigator.userAgent],
    ['processors', `${navigator.hardwareConcurrency} (as the browser says)`],
    ...(machine.deviceMemory === undefined ? [] : [['memory', `${machine.deviceMemory} GB or more`] as const]),
    ['WebAssembly SIMD', 'yes'],
    ['relaxed dot product', builds.includes('relaxed') ? 'yes, and it computes rightly' : 'no'],
    ['cross-origin isolated', crossOriginIsolated ? 'yes' : 'no (threads need it)'],
    ['measured', `medians of ${ROUNDS} interleaved runs after ${WARM_UP}, ${new Date().toISOString().slice(0, 10)}`],
  ];
}

/** The result as text, for a message or an issue. */
export function asText(measured: readonly Measured[], facts: readonly Fact[]): string {
  const width = Math.max(...measured.map((entry) => nameOf(entry).length));
  return [
    'kdequant, one picture through the network:',
    ...measured.map(
      (entry) =>
        `  ${nameOf(entry).padEnd(width)}  ${entry.median.toFixed(1).padStart(7)} ms median  ${entry.best.toFixed(1).padStart(7)} ms best`,
    ),
    ...facts.map(([name, value]) => `${name}: ${value}`),
  ].join('\n');
}

export function nameOf({ build, precision, threads }: Variant): string {
  const where = { simd128: 'plain SIMD', relaxed: 'relaxed SIMD', threads: 'relaxed SIMD' }[build];
  const many = threads > 1 ? `, ${threads} threads` : '';
  return `${precision === 'f32' ? 'float' : '4-bit'}, ${where}${many}`;
}
