// The second card: make the network 4-bit, watch it happen, take the result away.
import { type LayerReport, type QuantizeReport } from 'kdequant';

import { messageOf, showAlert } from '../alerts.js';
import { type App, type QuantizeSettings, type QuantizeState } from '../app.js';
import { levelStrip, sizeBars, sqnrChart } from '../charts.js';
import { byId, element } from '../dom.js';
import { formatBytes, formatCount, formatMilliseconds } from '../format.js';

import { progressBar } from './progress-bar.js';

interface Choice<K extends keyof QuantizeSettings> {
  readonly key: K;
  readonly label: string;
  readonly hint: string;
  readonly values: readonly { readonly value: NonNullable<QuantizeSettings[K]>; readonly text: string }[];
}

const METHOD: Choice<'method'> = {
  key: 'method',
  label: 'Levels',
  hint: 'How the 16 values are chosen that every weight is rounded to.',
  values: [
    { value: 'kde-lm', text: 'Lloyd-Max on an estimated density (KDE-LM)' },
    { value: 'kde-km', text: 'k-means on an estimated density (KDE-KM)' },
    { value: 'lloyd-max', text: 'Lloyd-Max on all weights' },
    { value: 'k-means', text: 'k-means on all weights' },
    { value: 'optimal', text: 'the optimum, by dynamic programming' },
    { value: 'uniform-mse', text: 'equally spaced, smallest error' },
    { value: 'uniform-minmax', text: 'equally spaced, whole range' },
    { value: 'nf4', text: 'a fixed table (NF4)' },
  ],
};

const GRANULARITY: Choice<'granularity'> = {
  key: 'granularity',
  label: 'Shared by',
  hint: 'Channels of a layer differ in strength; a scale for each keeps weak ones.',
  values: [
    { value: 'channel-scale', text: 'a layer, with a scale per channel' },
    { value: 'tensor', text: 'a layer' },
    { value: 'channel', text: 'a channel' },
  ],
};

const EFFORT: Choice<'effort'> = {
  key: 'effort',
  label: 'Calibration',
  hint: 'Synthetic pictures show what each layer sees, so that later weights can make up for the errors of earlier ones; no photo is needed.',
  values: [
    { value: 'default', text: '64 synthetic pictures, errors compensated' },
    { value: 'best', text: '256 synthetic pictures, errors compensated' },
    { value: 'fast', text: '16 synthetic pictures: ranges and bias only' },
    { value: 'plain', text: 'none: only the weights' },
  ],
};

export function mountQuantizeCard(app: App): void {
  const method = choiceField(METHOD);
  const granularity = choiceField(GRANULARITY);
  const effort = choiceField(EFFORT);
  const start = element('button', {
    class: 'button button--primary',
    text: 'Quantize',
    attributes: { type: 'submit', disabled: true },
  });
  const cancel = element('button', { class: 'button', text: 'Cancel', attributes: { type: 'button', hidden: true } });
  const bar = progressBar('Quantizing');
  const picture = element('div', { class: 'quantize__picture' });
  const result = element('div', { class: 'quantize__result', attributes: { 'aria-live': 'polite' } });
  const form = element('form', {
    children: [
      element('div', { class: 'fields', children: [method.root, granularity.root, effort.root] }),
      element('div', { class: 'row', children: [start, cancel] }),
    ],
  });
  byId('quantize-card').append(
    element('h2', { text: '2. Make it 4-bit', attributes: { id: 'quantize-heading' } }),
    element('p', {
      text: 'Each layer keeps 16 values and, for every weight, the 4-bit number of the nearest one. The values come from a density estimated on 1,024 of the layer’s weights.',
    }),
    form,
    bar.root,
    picture,
    result,
  );

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void app.quantize({ method: method.value(), granularity: granularity.value(), effort: effort.value() });
  });
  cancel.addEventListener('click', () => {
    app.cancelQuantize();
  });

  let shown: QuantizeState | undefined;
  app.subscribe(() => {
    const state = app.quantized;
    start.disabled = app.model.kind !== 'ready' || state.kind === 'running';
    cancel.hidden = state.kind !== 'running';
    bar.root.hidden = state.kind !== 'running';
    if (state === shown) return;
    shown = state;
    switch (state.kind) {
      case 'idle':
        picture.replaceChildren();
        result.replaceChildren();
        break;
      case 'running': {
        const { fraction, stage, layer } = state.progress;
        bar.show(fraction, layer === undefined ? stage : `${stage}: ${layer}`);
        if (state.layers.length > 0) drawLayers(picture, state.layers, layerCount(app));
        break;
      }
      case 'ready':
        drawLayers(picture, state.report.layers, state.report.layers.length);
        result.replaceChildren(resultSummary(state.report), downloadButton(app));
        break;
      case 'failed':
        showAlert(state.message);
        break;
    }
  });
}

function layerCount(app: App): number {
  return app.model.kind === 'ready' ? app.model.model.layers.filter((layer) => layer.weights > 0).length : 0;
}

function drawLayers(target: HTMLElement, layers: readonly LayerReport[], count: number): void {
  const latest = layers.findLast((layer) => layer.levels.length > 0);
  const figure = element('figure', {
    class: 'figure',
    children: [
      ...(latest === undefined ? [] : [levelStrip(latest)]),
      element('figcaption', { text: latest === undefined ? 'Levels' : `The 16 levels of ${latest.name}` }),
      sqnrChart(layers, count),
      element('figcaption', {
        text: `Signal over rounding error, layer by layer (${layers.length} of ${count}); light bars are depthwise layers, kept in 8 bits`,
      }),
    ],
  });
  target.replaceChildren(figure);
}

function resultSummary(report: QuantizeReport): HTMLElement {
  const ratio = (report.bytesIn / report.bytesOut).toFixed(1);
  const sampled = formatCount(report.weightsSampled);
  const scanned = formatCount(report.weightsScanned);
  return element('div', {
    children: [
      element('p', {
        class: 'headline',
        text: `${ratio} times smaller: ${formatBytes(report.bytesIn)} became ${formatBytes(report.bytesOut)} in ${formatMilliseconds(1000 * report.seconds)}.`,
      }),
      sizeBars(report.bytesIn, report.bytesOut),
      element('p', {
        class: 'hint',
        text: `Densities were estimated from ${sampled} sampled weights; ${scanned} were read once for ranges and scales.`,
      }),
    ],
  });
}

function downloadButton(app: App): HTMLElement {
  const button = element('button', {
    class: 'button',
    text: 'Download the 4-bit ONNX file',
    attributes: { type: 'button' },
  });
  button.addEventListener('click', () => {
    download(app).catch((error: unknown) => {
      showAlert(messageOf(error));
    });
  });
  return button;
}

async function download(app: App): Promise<void> {
  const state = app.quantized;
  if (state.kind !== 'ready') return;
  const bytes = await state.model.toOnnx();
  const url = URL.createObjectURL(new Blob([bytes], { type: 'application/octet-stream' }));
  const stem = app.model.kind === 'ready' ? app.model.name.replace(/\.onnx$/i, '').toLowerCase() : 'model';
  element('a', { attributes: { href: url, download: `${stem}.4bit.onnx` } }).click();
  // The browser has taken the file's reference by the next task; the memory is freed when it has saved it.
  setTimeout(() => {
    URL.revokeObjectURL(url);
  }, 60_000);
}

function choiceField<K extends keyof QuantizeSettings>(
  choice: Choice<K>,
): { readonly root: HTMLElement; value(): NonNullable<QuantizeSettings[K]> } {
  const id = `setting-${choice.key}`;
  const select = element('select', {
    attributes: { id, 'aria-describedby': `${id}-hint` },
    children: choice.values.map(({ text }, index) => element('option', { text, attributes: { value: index } })),
  });
  const root = element('div', {
    class: 'field',
    children: [
      element('label', { text: choice.label, attributes: { for: id } }),
      select,
      element('p', { class: 'hint', text: choice.hint, attributes: { id: `${id}-hint` } }),
    ],
  });
  return {
    root,
    value() {
      const chosen = choice.values[select.selectedIndex] ?? choice.values[0];
      if (chosen === undefined) throw new Error(`the setting "${choice.key}" has no values`);
      return chosen.value;
    },
  };
}
