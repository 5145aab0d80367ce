// The first card: which network, how large, and a way to bring one's own.
import { type App } from '../app.js';
import { clearAlerts, messageOf, showAlert } from '../alerts.js';
import { byId, element } from '../dom.js';
import { formatBytes, formatCount, formatPercent } from '../format.js';

import { progressBar } from './progress-bar.js';

export function mountModelCard(app: App): void {
  const file = element('input', {
    class: 'visually-hidden',
    attributes: { type: 'file', id: 'model-file', accept: '.onnx' },
  });
  const bar = progressBar('Loading the network');
  const facts = element('dl', { class: 'facts' });
  const retry = element('button', { class: 'button', text: 'Try again', attributes: { type: 'button', hidden: true } });
  byId('model-card').append(
    element('h2', { text: '1. A network', attributes: { id: 'model-heading' } }),
    element('p', {
      text: 'A neural network that names what is in a photo. It knows 1,000 things, and every one of its weights takes 32 bits.',
    }),
    bar.root,
    facts,
    retry,
    element('div', {
      class: 'row',
      children: [
        file,
        element('label', {
          class: 'button button--quiet',
          text: 'Use your own ONNX file…',
          attributes: { for: 'model-file' },
        }),
      ],
    }),
  );

  const load = (start: () => Promise<void>): void => {
    clearAlerts();
    start().catch((error: unknown) => {
      showAlert(messageOf(error));
    });
  };
  file.addEventListener('change', () => {
    const chosen = file.files?.[0];
    if (chosen !== undefined) load(() => app.loadFile(chosen));
    file.value = '';
  });
  retry.addEventListener('click', () => {
    load(() => app.loadBundled());
  });

  app.subscribe(() => {
    const state = app.model;
    retry.hidden = state.kind !== 'failed';
    bar.root.hidden = state.kind !== 'loading';
    facts.hidden = state.kind !== 'ready';
    if (state.kind === 'loading') {
      const { fraction, stage, loaded } = state.progress;
      bar.show(
        fraction,
        `${state.name}: ${stage}${loaded === undefined ? '' : `, ${formatBytes(loaded)}`} (${formatPercent(fraction)})`,
      );
    } else if (state.kind === 'ready') {
      const { summary } = state.model;
      showFacts(facts, [
        ['network', state.name],
        ['file', formatBytes(state.model.bytes)],
        ['weights', formatCount(summary.weights)],
        ['layers with weights', String(summary.layers.filter((layer) => layer.weights > 0).length)],
        ['input', summary.input.shape.join(' × ')],
      ]);
    }
  });
  load(() => app.loadBundled());
}

function showFacts(list: HTMLElement, facts: readonly (readonly [string, string])[]): void {
  list.replaceChildren(
    ...facts.map(([name, value]) =>
      element('div', {
        class: 'facts__item',
        children: [element('dt', { text: name }), element('dd', { text: value })],
      }),
    ),
  );
}
