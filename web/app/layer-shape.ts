// How a layer's weights are distributed, as a curve over a few hundred points, for drawing.
import { type LayerReport, type RemoteModel } from 'kdequant';

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
  readonly levels: readonly number[];
}

const BINS = 96;

type ShapeSettings = Pick<RunSettings, 'granularity' | 'sampling' | 'samples' | 'seed'>;

export async function layerShape(
  model: RemoteModel,
  name: string,
  settings: ShapeSettings,
  report?: Pick<LayerReport, 'levels' | 'bandwidth'>,
): Promise<LayerShape> {
  const weights = await model.layerWeights(name);
  const channels = model.layers.find((layer) => layer.name === name)?.shape[0] ?? 1;
  const scaled = settings.granularity === 'tensor' ? weights : perChannel(weights, channels);
  const levels = report?.levels ?? [];
  const reach = 1.12 * (levels.length > 0 ? Math.max(...levels.map(Math.abs)) : 4 * deviation(scaled));
  const bars = new Float64Array(BINS);
  const width = (2 * reach) / BINS;
  for (const weight of scaled) {
    const bin = Math.floor((weight + reach) / width);
    if (bin >= 0 && bin < BINS) bars[bin] = (bars[bin] ?? 0) + 1 / (scaled.length * width);
  }
  return { name, low: -reach, high: reach, bars, levels };
}

function deviation(values: Float32Array): number {
  let squares = 0;
  for (const value of values) squares += value * value;
  return Math.sqrt(squares / values.length);
}

function perChannel(weights: Float32Array, channels: number): Float32Array {
  const columns = weights.length / channels;
  const scaled = new Float32Array(weights.length);
  for (let channel = 0; channel < channels; ++channel) {
    const row = weights.subarray(channel * columns, (channel + 1) * columns);
    const scale = deviation(row) || 1;
    for (let k = 0; k < columns; ++k) scaled[channel * columns + k] = (row[k] ?? 0) / scale;
  }
  return scaled;
}
