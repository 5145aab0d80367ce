// The error's way through the network: how far each layer's output stands above the error that 4 bits have brought until there.
import { useMemo, useRef } from 'preact/hooks';
import { type OutputError } from 'kdequant';

import { type Answering } from '../../app/network.js';
import { photos } from '../../app/photos.js';
import { type Small } from '../../app/quantization.js';
import { formatDecibels } from '../../ui/format.js';
import { useAnswer } from '../../ui/use-answer.js';
import { type Size, useSize } from '../../ui/use-size.js';
import { chooseLayer, layer, weightLayers } from './layers.js';

interface ErrorPathProps {
  readonly float: Answering;
  readonly small: Small | undefined;
}

export function ErrorPath({ float, small }: ErrorPathProps) {
  const photo = photos.value[0];
  const answer = useAnswer(() => {
    if (photo === undefined || small === undefined) return undefined;
    return small.session.compareOutputs(photo.blob, float.session);
  }, [float.session, small?.session, photo]);
  // Only layers with weights: what lies between them moves numbers about.
  const points = useMemo(() => {
    const known = new Set(weightLayers.value.map(({ name }) => name));
    return answer.value?.filter((output) => known.has(output.layer)) ?? [];
  }, [answer.value, weightLayers.value]);
  if (photo === undefined) return <p class="hint">Choose a photo above.</p>;
  if (small === undefined) return null;
  return (
    <>
      <p class="hint">
        {`For “${photo.name}”: how many decibels the output of each layer stands above its error. Every 6 dB are half the error. Choose a point to look at its layer below.`}
      </p>
      {answer.failure !== undefined && <p class="alert">{answer.failure}</p>}
      {points.length === 0 && answer.pending && <p class="hint error-path__room">Comparing…</p>}
      {points.length > 0 && (
        <>
          <Chart points={points} />
          <p aria-live="polite">{inWords(points)}</p>
          <Table points={points} />
        </>
      )}
    </>
  );
}

const LEFT = 44;
const RIGHT = 16;
const TOP = 12;
const BOTTOM = 34;
const GRID_DB = 10;

function Chart({ points }: { readonly points: readonly OutputError[] }) {
  const frame = useRef<HTMLDivElement>(null);
  const size = useSize(frame);
  return (
    <div ref={frame} class="error-path">
      {size !== undefined && <Drawing points={points} size={size} />}
    </div>
  );
}

function Drawing({ points, size }: { readonly points: readonly OutputError[]; readonly size: Size }) {
  const { width, height } = size;
  const values = points.map(({ sqnrDb }) => sqnrDb ?? Number.NaN).filter((value) => !Number.isNaN(value));
  const high = Math.max(GRID_DB, Math.ceil(Math.max(...values) / GRID_DB) * GRID_DB);
  const low = Math.min(0, Math.floor(Math.min(...values) / GRID_DB) * GRID_DB);
  const x = (index: number): number =>
    LEFT + (points.length > 1 ? (index / (points.length - 1)) * (width - LEFT - RIGHT) : (width - LEFT) / 2);
  const y = (db: number): number => TOP + ((high - db) / (high - low)) * (height - TOP - BOTTOM);
  const grid = Array.from({ length: (high - low) / GRID_DB + 1 }, (_, i) => low + i * GRID_DB);
  // Exact layers stand at the top.
  const at = ({ sqnrDb }: OutputError): number => y(sqnrDb ?? high);
  const line = points.map((point, index) => `${x(index).toFixed(1)},${at(point).toFixed(1)}`).join(' ');
  const chosen = points.findIndex((point) => point.layer === layer.value?.name);
  const step = (width - LEFT - RIGHT) / Math.max(1, points.length - 1);
  return (
    <svg class="error-path__drawing" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={inWords(points)}>
      {grid.map((db) => (
        <g key={db}>
          <line class="error-path__grid" x1={LEFT} x2={width - RIGHT} y1={y(db)} y2={y(db)} />
          <text class="error-path__text" x={LEFT - 8} y={y(db) + 4} text-anchor="end">
            {db}
          </text>
        </g>
      ))}
      <text class="error-path__text" x={LEFT - 8} y={height - 10} text-anchor="end">
        dB
      </text>
      <text class="error-path__text" x={LEFT} y={height - 10}>
        first layer
      </text>
      <text class="error-path__text" x={width - RIGHT} y={height - 10} text-anchor="end">
        answer
      </text>
      {chosen >= 0 && <line class="error-path__chosen" x1={x(chosen)} x2={x(chosen)} y1={TOP} y2={height - BOTTOM} />}
      <polygon class="error-path__area" points={`${LEFT},${y(low)} ${line} ${x(points.length - 1)},${y(low)}`} />
      <polyline class="error-path__line" points={line} />
      {points.map((point, index) => (
        <g
          key={point.layer}
          class="error-path__target"
          onClick={() => {
            chooseLayer(point.layer);
          }}
        >
          <title>{`${point.layer}: ${decibels(point)}`}</title>
          <rect x={x(index) - step / 2} y={TOP} width={step} height={height - TOP - BOTTOM} />
          <circle
            class={index === chosen ? 'error-path__point error-path__point--chosen' : 'error-path__point'}
            cx={x(index)}
            cy={at(point)}
            r={index === chosen ? 6 : 3.5}
          />
        </g>
      ))}
    </svg>
  );
}

function Table({ points }: { readonly points: readonly OutputError[] }) {
  return (
    <details class="fold">
      <summary>As a table</summary>
      <div class="error-path__table" tabIndex={0} role="region" aria-label="Decibels by layer">
        <table class="plain-table">
          <thead>
            <tr>
              <th scope="col">layer</th>
              <th scope="col">above its error</th>
            </tr>
          </thead>
          <tbody>
            {points.map((point) => (
              <tr key={point.layer}>
                <th scope="row">
                  <button
                    type="button"
                    class="link"
                    onClick={() => {
                      chooseLayer(point.layer);
                    }}
                  >
                    {point.layer}
                  </button>
                </th>
                <td>{decibels(point)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

function decibels({ sqnrDb }: OutputError): string {
  return sqnrDb === null ? 'exact' : formatDecibels(sqnrDb);
}

function inWords(points: readonly OutputError[]): string {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined) return '';
  const lowest = points.reduce((low, point) => ((point.sqnrDb ?? Infinity) < (low.sqnrDb ?? Infinity) ? point : low));
  const middle = lowest === last || lowest === first ? '' : `; it is lowest, ${decibels(lowest)}, at ${lowest.layer}`;
  return `The signal stands ${decibels(first)} above its error after the first layer, and ${decibels(last)} in the answer${middle}.`;
}
