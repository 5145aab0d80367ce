// Pictures of numbers. Each has a text beside it or in it that says the same.
import { type LayerReport } from 'kdequant';

import { element, svg } from './dom.js';
import { formatBytes } from './format.js';

/** Two bars, float over 4-bit, as long as the files are large. */
export function sizeBars(floatBytes: number, smallBytes: number): HTMLElement {
  const bar = (name: string, bytes: number, modifier: string): HTMLElement => {
    const fill = element('div', { class: `size-bar__fill size-bar__fill--${modifier}` });
    fill.style.setProperty('--share', String(bytes / floatBytes));
    return element('div', {
      class: 'size-bar',
      children: [
        element('span', { class: 'size-bar__name', text: name }),
        element('div', { class: 'size-bar__track', children: [fill] }),
        element('span', { class: 'size-bar__value', text: formatBytes(bytes) }),
      ],
    });
  };
  return element('div', {
    class: 'size-bars',
    children: [bar('float', floatBytes, 'float'), bar('4-bit', smallBytes, 'small')],
  });
}

const STRIP_WIDTH = 320;
const STRIP_HEIGHT = 36;

/** The 16 levels of a layer as ticks on a line from the lowest to the highest, zero marked. */
export function levelStrip(layer: LayerReport): SVGSVGElement {
  const reach = Math.max(...layer.levels.map(Math.abs), Number.MIN_VALUE);
  const x = (level: number): number => STRIP_WIDTH / 2 + (level / reach) * (STRIP_WIDTH / 2 - 6);
  const ticks = layer.levels.map((level) =>
    svg('line', {
      attributes: { x1: x(level), x2: x(level), y1: 4, y2: STRIP_HEIGHT - 10, class: 'level-strip__level' },
    }),
  );
  const zero = svg('line', {
    attributes: { x1: x(0), x2: x(0), y1: STRIP_HEIGHT - 12, y2: STRIP_HEIGHT - 2, class: 'level-strip__zero' },
  });
  const axis = svg('line', {
    attributes: { x1: 0, x2: STRIP_WIDTH, y1: STRIP_HEIGHT - 8, y2: STRIP_HEIGHT - 8, class: 'level-strip__axis' },
  });
  return svg('svg', {
    class: 'level-strip',
    attributes: {
      viewBox: `0 0 ${String(STRIP_WIDTH)} ${String(STRIP_HEIGHT)}`,
      role: 'img',
      'aria-label': `The ${String(layer.levels.length)} levels of ${layer.name}`,
    },
    children: [axis, zero, ...ticks],
  });
}

const CHART_HEIGHT = 72;
const BAR_WIDTH = 8;
const BEST_DB = 50;

/** One bar a layer: how far the weights stand above their rounding error, in decibels. */
export function sqnrChart(layers: readonly LayerReport[], expectedCount: number): SVGSVGElement {
  const width = Math.max(layers.length, expectedCount) * BAR_WIDTH;
  const bars = layers.map((layer, index) => {
    const share = Math.min(Math.max((layer.sqnrDb ?? BEST_DB) / BEST_DB, 0), 1);
    const height = Math.max(share * CHART_HEIGHT, 1);
    const sqnr = layer.sqnrDb === null ? 'exact' : `${layer.sqnrDb.toFixed(1)} dB`;
    return svg('rect', {
      class: `sqnr-chart__bar sqnr-chart__bar--${String(layer.bits)}`,
      attributes: { x: index * BAR_WIDTH + 1, y: CHART_HEIGHT - height, width: BAR_WIDTH - 2, height, rx: 1.5 },
      children: [svg('title', { text: `${layer.name}: ${sqnr}, ${String(layer.bits)} bits` })],
    });
  });
  return svg('svg', {
    class: 'sqnr-chart',
    attributes: {
      viewBox: `0 0 ${String(width)} ${String(CHART_HEIGHT)}`,
      preserveAspectRatio: 'none',
      role: 'img',
      'aria-label': `Signal to quantization noise of ${String(layers.length)} layers`,
    },
    children: bars,
  });
}
