// Weights, density and levels where there is no WebGL: the same curves, drawn by the browser.
import { type Experiment, figures } from './experiment.js';
import { layer } from './layers.js';

const WIDTH = 960;
const HEIGHT = 280;
const BARS = 240;

export function Plot({ experiment }: { readonly experiment: Experiment }) {
  const now = figures.value;
  const first = now?.levels[0];
  const last = now?.levels.at(-1);
  if (now === undefined || first === undefined || last === undefined) return null;
  const reach = Math.max(last - first, Number.MIN_VALUE);
  const low = first - 0.12 * reach;
  const high = last + 0.12 * reach;
  const { barLow, barWidth, bars, densityLow, densityStep, density } = experiment.laboratory.curves(low, high, BARS);
  const top = Math.max(...bars, ...density, Number.MIN_VALUE);
  const x = (value: number): number => ((value - low) / (high - low)) * WIDTH;
  const y = (value: number): number => HEIGHT * (1 - (0.95 * value) / top);
  const steps = Array.from(bars, (bar, i) => `V${y(bar)}H${x(barLow + (i + 1) * barWidth)}`);
  const line = Array.from(density, (value, i) => `${x(densityLow + (i + 0.5) * densityStep)},${y(value)}`);
  return (
    <svg
      class="laboratory__plot"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={`Weights, density and ${now.levels.length} levels of ${layer.value?.name ?? 'the layer'}`}
    >
      <path class="laboratory__bars" d={`M${x(barLow)},${HEIGHT}${steps.join('')}V${HEIGHT}Z`} />
      {line.length > 0 && <polyline class="laboratory__density" points={line.join(' ')} />}
      {Array.from(now.levels, (level, index) => (
        <line key={index} class="laboratory__level" x1={x(level)} x2={x(level)} y1={0} y2={HEIGHT} />
      ))}
    </svg>
  );
}
