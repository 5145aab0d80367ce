// How well each layer was rounded: a bar a layer, which can be chosen to look at.
import { type LayerReport } from 'kdequant';

import { formatDecibels } from '../ui/format.js';

const BEST_DB = 50;

interface SqnrChartProps {
  readonly layers: readonly LayerReport[];
  /** How many there will be. */
  readonly count: number;
  /** The name of the layer that is looked at. */
  readonly chosen: string | undefined;
  readonly onChoose: (name: string) => void;
}

/** Signal over rounding error of the weights, in decibels. One bar is in the tab order; the arrow keys go on from it. */
export function SqnrChart({ layers, count, chosen, onChoose }: SqnrChartProps) {
  const places = Math.max(layers.length, count, 1);
  const current = layers.some(({ name }) => name === chosen) ? chosen : layers[0]?.name;
  const move = (event: KeyboardEvent, index: number): void => {
    const next = layers[index + (event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0)];
    if (next === undefined || next === layers[index]) return;
    event.preventDefault();
    onChoose(next.name);
    const bars = (event.currentTarget as HTMLElement).parentElement?.children;
    (bars?.[layers.indexOf(next)] as HTMLElement | undefined)?.focus();
  };
  return (
    <div
      class="sqnr-chart"
      role="group"
      aria-label="Signal over rounding error of every layer, in decibels"
      style={{ '--places': places }}
    >
      {layers.map((layer, index) => (
        <button
          key={layer.name}
          type="button"
          class={`sqnr-chart__bar sqnr-chart__bar--${layer.bits}`}
          tabIndex={layer.name === current ? 0 : -1}
          aria-pressed={layer.name === chosen}
          aria-label={describeLayer(layer)}
          title={describeLayer(layer)}
          style={{ '--share': Math.min(Math.max((layer.sqnrDb ?? BEST_DB) / BEST_DB, 0.02), 1) }}
          onClick={() => {
            onChoose(layer.name);
          }}
          onKeyDown={(event) => {
            move(event, index);
          }}
        />
      ))}
    </div>
  );
}

export function describeLayer({ name, sqnrDb, bits }: LayerReport): string {
  return `${name}: ${sqnrDb === null ? 'exact' : formatDecibels(sqnrDb)}, ${bits} bits`;
}
