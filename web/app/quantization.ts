// The 4-bit network at hand, and the job that makes one.
import { computed, signal } from '@preact/signals';
import { type LayerReport, type Progress, type QuantizeReport } from 'kdequant';

import { isAbort, messageOf } from './alerts.js';
import { type Answering, network, onNetworkReplaced } from './network.js';
import { quantizeOptions } from './settings.js';
import { warmSession } from './warm-session.js';

export interface Small extends Answering {
  readonly report: QuantizeReport;
}

export type JobState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'running'; readonly progress: Progress; readonly layers: readonly LayerReport[] }
  | { readonly kind: 'failed'; readonly message: string };

/** The 4-bit network that answers beside the float one; undefined until one has been made. */
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
  let layers: readonly LayerReport[] = [];
  const show = (progress: Progress): void => {
    if (running === controller) job.value = { kind: 'running', progress, layers };
  };
  show({ fraction: 0, stage: 'starting' });
  try {
    const { model, report } = await float.model.quantize({
      ...quantizeOptions(),
      signal: controller.signal,
      onProgress: show,
      onLayer: (layer) => {
        layers = [...layers, layer];
      },
    });
    const session = await warmSession(model);
    if (running !== controller) return;
    dispose();
    small.value = { name: `${float.name}, 4-bit`, model, session, report };
    job.value = { kind: 'idle' };
  } catch (error) {
    if (running !== controller) return;
    job.value = isAbort(error) ? { kind: 'idle' } : { kind: 'failed', message: messageOf(error) };
  } finally {
    if (running === controller) running = undefined;
  }
}

export function cancelQuantize(): void {
  running?.abort();
}

function dispose(): void {
  const before = small.peek();
  small.value = undefined;
  before?.session.dispose();
  before?.model.dispose();
}

onNetworkReplaced(() => {
  cancelQuantize();
  dispose();
});
