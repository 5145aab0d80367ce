// A layer's weights as a histogram, the density estimated from a few of them as a curve, and the levels as ticks.
import { type LayerShape } from '../app/layer-shape.js';

const WIDTH = 640;
const HEIGHT = 220;
const BASE = HEIGHT - 34;
const CROWDED = 64; // Levels: more would be one block of ink.

export function LayerFigure({ shape }: { readonly shape: LayerShape | undefined }) {
  return (
    <svg
      class="layer-figure"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={
        shape === undefined
          ? 'No layer yet'
          : `Histogram of the weights of ${shape.name}${shape.levels.length > 0 ? `, and its ${shape.levels.length} levels` : ''}`
      }
    >
      <line class="layer-figure__axis" x1={0} x2={WIDTH} y1={BASE} y2={BASE} />
      {shape !== undefined && <Curves shape={shape} />}
    </svg>
  );
}

function Curves({ shape: { low, high, bars, density, levels } }: { readonly shape: LayerShape }) {
  const x = (value: number): number => ((value - low) / (high - low)) * WIDTH;
  // The tallest bar may be a heap of zeros: what is above the picture is cut off.
  const top = Math.max(Number.MIN_VALUE, ...(density ?? smoothed(bars))) * 1.12;
  const y = (value: number): number => BASE - Math.min(value / top, 1) * (BASE - 8);
  const step = WIDTH / bars.length;
  const outline = Array.from(bars, (bar, bin) => `V${y(bar).toFixed(1)}H${((bin + 1) * step).toFixed(1)}`).join('');
  const points =
    density &&
    Array.from(
      density,
      (value, index) => `${((index / (density.length - 1)) * WIDTH).toFixed(1)},${y(value).toFixed(1)}`,
    ).join(' ');
  const levelClass =
    levels.length > CROWDED ? 'layer-figure__level layer-figure__level--crowded' : 'layer-figure__level';
  return (
    <>
      <path class="layer-figure__bars" d={`M0 ${BASE}${outline}V${BASE}Z`} />
      {points !== undefined && <polyline class="layer-figure__density" points={points} />}
      {levels.map((level, index) => (
        <g key={index} class={levelClass} style={{ transform: `translateX(${x(level).toFixed(1)}px)` }}>
          <line class="layer-figure__reach" x1={0} x2={0} y1={12} y2={BASE} />
          <line class="layer-figure__tick" x1={0} x2={0} y1={BASE - 12} y2={BASE + 8} />
        </g>
      ))}
      <text class="layer-figure__label" x={x(0)} y={HEIGHT - 6} text-anchor="middle">
        0
      </text>
    </>
  );
}

function smoothed(bars: Float64Array): Float64Array {
  return bars.map((bar, bin) => ((bars[bin - 1] ?? bar) + bar + (bars[bin + 1] ?? bar)) / 3);
}
