// How a layer's weights are distributed, as a curve over a few hundred points, for drawing.
import { type LayerHistogram, type LayerReport, type LayerSample, type RemoteModel } from 'kdequant';

import { type RunSettings } from './run-store.js';

/** In units of the channels' root mean square where a layer's channels have scales, otherwise in those of the weights. */
export interface LayerShape {
  readonly name: string;
  /** Ends of the range that is drawn: what lies beyond are a few lonely weights. */
  readonly low: number;
  readonly high: number;
  /** Share of the weights per unit, bin by bin. */
  readonly bars: Float64Array;
  /** The estimated density at equal steps from `low` to `high`; absent where none was estimated. */
  readonly density?: Float64Array;
  /** Weights the density was estimated from. */
  readonly samples?: number;
  readonly levels: readonly number[];
}

const BINS = 96;
/** Of the histogram that the engine makes over the whole range, of which the middle is drawn. */
const FINE_BINS = 4096;
const CURVE_POINTS = 241;

type ShapeSettings = Pick<RunSettings, 'granularity' | 'sampling' | 'samples' | 'seed'>;

/** The weights themselves stay in the worker: a layer may have a hundred million. */
export async function layerShape(
  model: RemoteModel,
  name: string,
  settings: ShapeSettings,
  report?: Pick<LayerReport, 'levels' | 'bandwidth'>,
): Promise<LayerShape> {
  const granularity = settings.granularity === 'tensor' ? 'tensor' : 'channel-scale';
  const levels = report?.levels ?? [];
  const bandwidth = report?.bandwidth ?? 0;
  const histogram = await model.layerHistogram(name, { granularity, bins: FINE_BINS });
  const reach = 1.12 * (levels.length > 0 ? Math.max(...levels.map(Math.abs)) : 4 * deviation(histogram));
  const bars = grouped(histogram, reach);
  // Where each channel has a table, there are as many densities.
  if (bandwidth === 0 || settings.granularity === 'channel') return { name, low: -reach, high: reach, bars, levels };
  const { sampling, samples, seed } = settings;
  const sample = await model.layerSample(name, { granularity, sampling, samples, seed });
  return {
    name,
    low: -reach,
    high: reach,
    bars,
    density: estimate(sample, bandwidth, reach),
    samples: sample.values.length,
    levels,
  };
}

function deviation({ moments, weights }: LayerHistogram): number {
  let squares = 0;
  for (let bin = 0; 3 * bin < moments.length; ++bin) squares += moments[3 * bin + 2] ?? 0;
  return Math.sqrt(squares / weights) || 1;
}

/** Share of the weights per unit in `BINS` bars from -reach to reach: each fine bin falls to the bars that it overlaps. */
function grouped({ low, step, weights, moments }: LayerHistogram, reach: number): Float64Array {
  const bars = new Float64Array(BINS);
  const width = (2 * reach) / BINS;
  for (let bin = 0; 3 * bin < moments.length; ++bin) {
    const share = (moments[3 * bin] ?? 0) / (weights * width);
    const from = (low + bin * step + reach) / width;
    const to = from + step / width;
    if (share === 0) continue;
    for (let bar = Math.max(Math.floor(from), 0); bar < Math.min(to, BINS); ++bar) {
      const overlap = Math.min(to, bar + 1) - Math.max(from, bar);
      bars[bar] = (bars[bar] ?? 0) + (share * overlap) / (to - from);
    }
  }
  return bars;
}

/** A bell over each sampled weight, as high as the weights that it stands for; at equal steps from -reach to reach. */
function estimate({ values, importances }: LayerSample, bandwidth: number, reach: number): Float64Array {
  const curve = new Float64Array(CURVE_POINTS);
  const step = (2 * reach) / (CURVE_POINTS - 1);
  // Samples between two points are shared between these, so that the work does not grow with the sample.
  const heights = new Float64Array(CURVE_POINTS);
  let total = 0;
  for (const [index, value] of values.entries()) {
    const importance = importances[index] ?? 0;
    total += importance;
    const place = (value + reach) / step;
    const before = Math.floor(place);
    if (before < 0 || before >= CURVE_POINTS - 1) continue;
    heights[before] = (heights[before] ?? 0) + importance * (before + 1 - place);
    heights[before + 1] = (heights[before + 1] ?? 0) + importance * (place - before);
  }
  const bell = Float64Array.from(curve, (_, points) => Math.exp(-0.5 * ((points * step) / bandwidth) ** 2));
  // Of the bell as it is drawn: one narrower than a step still has its area.
  const area = step * total * (2 * bell.reduce((sum, height) => sum + height, 0) - 1);
  for (let from = 0; from < CURVE_POINTS; ++from) {
    const height = (heights[from] ?? 0) / area;
    if (height === 0) continue;
    for (let to = 0; to < CURVE_POINTS; ++to) curve[to] = (curve[to] ?? 0) + height * (bell[Math.abs(to - from)] ?? 0);
  }
  return curve;
}
