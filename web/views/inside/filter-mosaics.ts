// From a layer's weights to pictures of its filters.
import { colourOf, DIFFERENCE, GREY, type Mosaic, pack } from '../../ui/pixels.js';

/** Which weights are shown, and how. */
export interface Shown {
  /** Weights a pixel: 3 for filters over red, green and blue, which are shown in these colours. */
  readonly channels: 1 | 3;
  readonly width: number;
  readonly height: number;
  readonly count: number;
  readonly columns: number;
  readonly scale: number;
  readonly gap: number;
  /** Index of a weight: of picture, pixel and colour. */
  readonly index: (picture: number, pixel: number, channel: number) => number;
  /** Weights of a filter, which stand together. */
  readonly filterSize: number;
  readonly words: string;
}

const MAX_TILES = 144;
const MAX_SIDE = 256;

export function shownFilters(shape: readonly number[]): Shown {
  const [filters = 1, depth = 1, height = 1, width = 1] = shape;
  const area = height * width;
  if (area === 1) return matrix(filters, depth);
  const filterSize = depth * area;
  if (depth === 3) {
    const count = Math.min(filters, MAX_TILES);
    return {
      ...tiles(count, width, height),
      channels: 3,
      filterSize,
      index: (filter, pixel, channel) => (filter * 3 + channel) * area + pixel,
      words: `${some(count, filters)}, ${height} × ${width} pixels each, in the colours that they look for.`,
    };
  }
  if (depth === 1) {
    const count = Math.min(filters, MAX_TILES);
    return {
      ...tiles(count, width, height),
      channels: 1,
      filterSize,
      index: (filter, pixel) => filter * area + pixel,
      words: `${some(count, filters)}, ${height} × ${width} weights each: one a channel.`,
    };
  }
  // A row a filter, a column a channel that it reads.
  const side = Math.floor(Math.sqrt(MAX_TILES));
  const [rows, columns] = [Math.min(filters, side), Math.min(depth, side)];
  return {
    channels: 1,
    width,
    height,
    count: rows * columns,
    columns,
    ...drawnAt(width),
    filterSize,
    index: (tile, pixel) => (Math.floor(tile / columns) * depth + (tile % columns)) * area + pixel,
    words: `${some(rows, filters)}, one a row; ${columns === depth ? `all ${depth}` : `the first ${columns} of ${depth}`} channels that they read, one a column.`,
  };
}

function matrix(filters: number, depth: number): Shown {
  const [rows, columns] = [Math.min(filters, MAX_SIDE), Math.min(depth, MAX_SIDE)];
  return {
    channels: 1,
    width: columns,
    height: rows,
    count: 1,
    columns: 1,
    scale: 1,
    gap: 0,
    filterSize: depth,
    index: (_picture, pixel) => Math.floor(pixel / columns) * depth + (pixel % columns),
    words: `One weight for each pair of channels: ${some(rows, filters)} as rows, ${columns === depth ? `all ${depth}` : `the first ${columns} of ${depth}`} inputs as columns.`,
  };
}

function tiles(
  count: number,
  width: number,
  height: number,
): Omit<Shown, 'channels' | 'index' | 'words' | 'filterSize'> {
  return { count, width, height, columns: Math.ceil(Math.sqrt(count)), ...drawnAt(width) };
}

/** Kernels of a few pixels are drawn larger, so that the gaps between them are thin. */
function drawnAt(width: number): Pick<Shown, 'scale' | 'gap'> {
  return { scale: Math.ceil(20 / width), gap: 3 };
}

function some(count: number, all: number): string {
  return count === all ? `All ${all} filters` : `The first ${count} of ${all} filters`;
}

export interface FilterPictures {
  readonly before: Mosaic;
  readonly after: Mosaic | undefined;
  readonly difference: Mosaic | undefined;
}

/** What full colour means in the differences: a quarter of the largest weight of the filter. */
const FULL_DIFFERENCE = 0.25;

/** Weights below this share of the layer's largest are drawn as nothing: networks hold filters that training has switched off. */
const NOTHING = 1e-3;

/** Each filter by its own largest weight, float or 4-bit: filters differ a hundredfold, and one would outshine the others. */
export function drawFilters(shown: Shown, before: Float32Array, after: Float32Array | undefined): FilterPictures {
  const of = scaleOf(shown, before);
  const weight = (weights: Float32Array, index: number): number => 0.5 + (weights[index] ?? 0) / (2 * of(index));
  return {
    before: draw(shown, GREY, (index) => weight(before, index)),
    after: after && draw(shown, GREY, (index) => weight(after, index)),
    difference:
      after &&
      draw(
        shown,
        DIFFERENCE,
        (index) => 0.5 + ((after[index] ?? 0) - (before[index] ?? 0)) / (2 * FULL_DIFFERENCE * of(index)),
      ),
  };
}

/** The largest weight of the filter that a weight belongs to; only of those that are shown, because a layer has millions. */
function scaleOf({ filterSize }: Shown, weights: Float32Array): (index: number) => number {
  const smallest = NOTHING * largestOf(weights);
  const known: number[] = [];
  return (index) => {
    const filter = Math.floor(index / filterSize);
    return (known[filter] ??= Math.max(
      smallest,
      largestOf(weights.subarray(filter * filterSize, (filter + 1) * filterSize)),
    ));
  };
}

function largestOf(weights: Float32Array): number {
  let largest = 0;
  for (const weight of weights) largest = Math.max(largest, Math.abs(weight));
  return largest || 1; // a layer of zeros is drawn as zeros
}

function draw(shown: Shown, palette: Uint32Array, share: (index: number) => number): Mosaic {
  const { channels, width, height, count, columns, scale, gap, index } = shown;
  const area = width * height;
  const pixels = new Uint32Array(count * area);
  for (let picture = 0; picture < count; ++picture) {
    for (let pixel = 0; pixel < area; ++pixel) {
      const at = (channel: number): number => share(index(picture, pixel, channel));
      const inColour = channels === 3 && palette === GREY;
      pixels[picture * area + pixel] = inColour
        ? pack(byte(at(0)), byte(at(1)), byte(at(2)))
        : colourOf(palette, channels === 3 ? furthest(at(0), at(1), at(2)) : at(0));
    }
  }
  return { width, height, count, columns, scale, gap, pixels };
}

function byte(share: number): number {
  return Math.max(0, Math.min(255, 255 * share));
}

/** Of three differences around a half, the one that is furthest from it. */
function furthest(...shares: readonly number[]): number {
  return shares.reduce((worst, share) => (Math.abs(share - 0.5) > Math.abs(worst - 0.5) ? share : worst), 0.5);
}
