// The 4-bit network at hand, and the job that makes one.
import { computed, signal } from '@preact/signals';
import { type LayerReport, type Progress, type QuantizeReport, type RemoteModel } from 'kdequant';

import { isAbort, messageOf } from './alerts.js';
import { noteFailure, startEngine } from './engine.js';
import { type Answering, network, onNetworkReplaced } from './network.js';
import { type Run } from './run-store.js';
import { addRun, fileOf } from './runs.js';
import { describeSettings, quantizeOptions, runSettings } from './settings.js';
import { warmSession } from './warm-session.js';

export interface Small extends Answering {
  readonly report: QuantizeReport;
  /** The run that it came from. */
  readonly run: Run;
}

export type JobState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'running'; readonly progress: Progress; readonly layers: readonly LayerReport[] }
  | { readonly kind: 'failed'; readonly message: string };

/** The 4-bit network that answers beside the float one; undefined until one has been made or chosen. */
export const small = signal<Small | undefined>(undefined);

export const job = signal<JobState>({ kind: 'idle' });

/** Changes at start and end only, not with every step of progress. */
export const isQuantizing = computed(() => job.value.kind === 'running');

let running: AbortController | undefined;

/** Makes a 4-bit network; the one before stays until the new one is ready, and also if this fails or is cancelled. */
export async function quantize(): Promise<void> {
  const float = network.peek();
  if (float.kind !== 'ready') return;
  running?.abort();
  const controller = new AbortController();
  running = controller;
  const options = quantizeOptions();
  const settings = runSettings();
  let layers: readonly LayerReport[] = [];
  const show = (progress: Progress): void => {
    if (running === controller) job.value = { kind: 'running', progress, layers };
  };
  show({ fraction: 0, stage: 'starting' });
  try {
    const { model, report } = await float.model.quantize({
      ...options,
      signal: controller.signal,
      onProgress: show,
      onLayer: (layer) => {
        layers = [...layers, layer];
      },
    });
    const file = await model.toOnnx();
    const run: Run = {
      id: Date.now(),
      title: describeSettings(settings),
      network: float.name,
      made: new Date().toISOString(),
      settings,
      report,
    };
    if (await take(model, run, () => running === controller)) void addRun(run, file.buffer);
    if (running === controller) job.value = { kind: 'idle' };
  } catch (error) {
    if (running !== controller) return;
    job.value = isAbort(error) || noteFailure(error) ? { kind: 'idle' } : { kind: 'failed', message: messageOf(error) };
  } finally {
    if (running === controller) running = undefined;
  }
}

export function cancelQuantize(): void {
  running?.abort();
}

/** Lets the network of an earlier run answer. The float network it was made of must be at hand. */
export async function chooseRun(run: Run): Promise<void> {
  const engine = await startEngine();
  const model = await engine.loadModel(await fileOf(run));
  await take(model, run, () => isOfNetwork(run));
}

/** Whether a run was made of the network at hand. */
export function isOfNetwork({ network: name, report }: Run): boolean {
  const float = network.value;
  return float.kind === 'ready' && float.name === name && float.model.bytes === report.bytesIn;
}

/** Whether the network was wanted until its session was ready, and is now the one at hand. */
async function take(model: RemoteModel, run: Run, isWanted: () => boolean): Promise<boolean> {
  const session = await warmSession(model);
  if (!isWanted()) {
    session.dispose();
    model.dispose();
    return false;
  }
  const before = small.peek();
  small.value = { name: `${run.network}, ${run.title}`, model, session, report: run.report, run };
  before?.session.dispose();
  before?.model.dispose();
  return true;
}

onNetworkReplaced(() => {
  cancelQuantize();
  const before = small.peek();
  small.value = undefined;
  before?.session.dispose();
  before?.model.dispose();
});
