// The layer whose weights the quantize card draws: the latest one while a network is made, later the one that is chosen.
import { computed, effect, signal } from '@preact/signals';
import { type LayerReport } from 'kdequant';

import { type LayerShape, layerShape } from './layer-shape.js';
import { layer } from './layer.js';
import { network, weightLayers } from './network.js';
import { job, small } from './quantization.js';
import { runSettings } from './settings.js';

export const shape = signal<LayerShape | undefined>(undefined);

/** The layers done so far, or those of the network at hand. */
export const reports = computed<readonly LayerReport[]>(() =>
  job.value.kind === 'running' ? job.value.layers : (small.value?.report.layers ?? []),
);

const wanted = computed<{ name: string; report: LayerReport | undefined } | undefined>(() => {
  const done = reports.value;
  const hasLevels = done.filter(({ levels }) => levels.length > 0);
  const latest = hasLevels.at(-1);
  if (job.value.kind === 'running') return latest && { name: latest.name, report: latest };
  const chosen = done.find(({ name }) => name === layer.value);
  if (chosen !== undefined) return { name: chosen.name, report: chosen };
  const first = hasLevels.find(({ weights, bits }) => weights > 4096 && bits <= 4) ?? latest;
  if (first !== undefined) return { name: first.name, report: first };
  const plain =
    weightLayers.value.find(({ name }) => name === layer.value) ??
    weightLayers.value.find(({ weights, depthwise }) => weights > 4096 && !depthwise);
  return plain && { name: plain.name, report: undefined };
});

// Slow enough for an eye to follow.
const DRAW_EVERY_MS = 120;

let drawing = false;
let again = false;

/** Asks the worker for the shape of the wanted layer; while one is on its way, only the last wish counts. */
async function draw(): Promise<void> {
  if (drawing) {
    again = true;
    return;
  }
  drawing = true;
  do {
    again = false;
    const wish = wanted.peek();
    const float = network.peek();
    if (wish === undefined || float.kind !== 'ready') break;
    try {
      const settings = job.peek().kind === 'running' ? runSettings() : (small.peek()?.run.settings ?? runSettings());
      shape.value = await layerShape(float.model, wish.name, settings, wish.report);
    } catch {
      // Another network took this one's place meanwhile, and asks again.
    }
    await new Promise((resolve) => setTimeout(resolve, DRAW_EVERY_MS));
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- set by another call while this one waited
  } while (again);
  drawing = false;
}

effect(() => {
  if (network.value.kind !== 'ready' || wanted.value === undefined) return;
  void draw();
});
