// What the canvas shows, in words.
import { Facts } from '../../ui/facts.js';
import { formatCount } from '../../ui/format.js';
import { figures, settings } from './experiment.js';
import { layer } from './layers.js';
import { type Figures } from './module.js';
import { METHOD_NAMES } from './names.js';

const decibels = (value: number): string => (Number.isFinite(value) ? `${value.toFixed(2)} dB` : 'exact');

const short = (value: number): string => (value === 0 ? '0' : value.toPrecision(4));

/** "0.03 dB below full Lloyd-Max". */
function compared(sqnrDb: number, best: number | null, name: string): string {
  if (best === null || !Number.isFinite(best) || !Number.isFinite(sqnrDb)) return '';
  const difference = sqnrDb - best;
  if (Math.abs(difference) < 0.005) return `as good as ${name}`;
  return `${Math.abs(difference).toFixed(2)} dB ${difference < 0 ? 'below' : 'above'} ${name}`;
}

/** The summary that a screen reader hears after a change. */
export function sentence(now: Figures): string {
  if (now.error !== '') return now.error;
  const from =
    now.bandwidth > 0
      ? `from ${formatCount(now.samples)} of ${formatCount(now.weights)} weights`
      : `on all ${formatCount(now.weights)} weights`;
  const where =
    now.frames > 0
      ? `Step ${now.frame} of ${now.frames - 1} of Lloyd’s iteration`
      : `${now.levels.length} levels by ${METHOD_NAMES[settings.method.value]}, designed ${from}`;
  const parts = [
    compared(now.sqnrDb, now.lloydMaxDb, 'Lloyd-Max on all weights'),
    compared(now.sqnrDb, now.optimalDb, 'the optimum'),
  ].filter((part) => part !== '');
  const than = parts.length > 0 ? `, ${parts.join(' and ')}` : '';
  return `${where}: ${decibels(now.sqnrDb)} signal over rounding error${than}.`;
}

export function FigureText() {
  const now = figures.value;
  if (now === undefined) return <p class="hint">Waiting for the layer’s weights…</p>;
  const reference = (best: number | null): string =>
    best === null ? 'being computed' : `${decibels(best)}${difference(now.sqnrDb, best)}`;
  return (
    <section aria-label="Figures">
      <h2 class="laboratory__heading">In figures</h2>
      <Facts
        facts={[
          ['Signal over rounding error (SQNR)', decibels(now.sqnrDb)],
          ['Lloyd-Max on all weights', reference(now.lloydMaxDb)],
          ['Optimum', reference(now.optimalDb)],
          ['Mean squared error', now.mse.toExponential(3)],
          ['Largest error', short(now.maxError)],
          ['Entropy of the indices', `${now.entropyBits.toFixed(2)} bits a weight`],
          ['Bandwidth', now.bandwidth > 0 ? short(now.bandwidth) : 'no density'],
          ['Weights sampled', now.bandwidth > 0 ? `${formatCount(now.samples)} of ${formatCount(now.weights)}` : 'all'],
          ['Weights scanned', formatCount(now.bandwidth > 0 ? now.scanned : now.weights)],
          ['Designed and measured in', `${now.milliseconds.toFixed(2)} ms`],
          ['Film', now.frames > 0 ? `step ${now.frame} of ${now.frames - 1}` : 'off'],
        ]}
      />
    </section>
  );
}

function difference(sqnrDb: number, best: number): string {
  if (!Number.isFinite(sqnrDb) || !Number.isFinite(best)) return '';
  const value = sqnrDb - best;
  return ` (${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)})`;
}

export function Levels() {
  const now = figures.value;
  if (now === undefined) return null;
  return (
    <section class="laboratory__levels" aria-label="Levels">
      <h2 class="laboratory__heading">
        The {now.levels.length} levels{layer.value === undefined ? '' : ` of ${layer.value.name}`}
      </h2>
      <div class="table-frame laboratory__scroll" tabIndex={0} role="region" aria-label="Table of levels">
        <table class="table laboratory__table">
          <thead>
            <tr>
              <th scope="col">Level</th>
              <th scope="col">Value</th>
              <th scope="col">Weights up to</th>
              <th scope="col">Share</th>
            </tr>
          </thead>
          <tbody>
            {Array.from(now.levels, (level, index) => {
              const threshold = now.thresholds[index];
              return (
                <tr key={index}>
                  <th scope="row">{index + 1}</th>
                  <td>{short(level)}</td>
                  <td>{threshold === undefined ? 'the largest' : short(threshold)}</td>
                  <td>{(100 * (now.shares[index] ?? 0)).toFixed(1)} %</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </section>
  );
}
