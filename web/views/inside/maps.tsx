// What a layer finds in the photo: its channels, float beside 4-bit.
import { useMemo } from 'preact/hooks';
import { type FeatureMaps, type LayerSummary } from 'kdequant';

import { addressed, integerBetween } from '../../app/address.js';
import { type Answering } from '../../app/network.js';
import { photos } from '../../app/photos.js';
import { type Small } from '../../app/quantization.js';
import { colourOf, DIFFERENCE, HEAT, Legend, type Mosaic, MosaicCanvas } from '../../ui/pixels.js';
import { useAnswer } from '../../ui/use-answer.js';

/** Maps shown at a time: four by four. */
const PAGE = 16;
const COLUMNS = 4;

/** Small maps are drawn larger, so that the gaps between them are thin. */
const MIN_DRAWN = 56;

/** What full colour means in the differences: a quarter of a map's own range. */
const FULL_DIFFERENCE = 0.25;

const firstChannel = addressed('channel', integerBetween(0, 65535), 0);

interface MapsProps {
  readonly float: Answering;
  readonly small: Small | undefined;
  readonly layer: LayerSummary;
}

export function Maps({ float, small, layer }: MapsProps) {
  const photo = photos.value[0];
  const channels = layer.outputShape.length === 4 ? (layer.outputShape[1] ?? 1) : 1;
  const first = Math.min(Math.floor(firstChannel.value / PAGE) * PAGE, Math.floor((channels - 1) / PAGE) * PAGE);
  const answer = useAnswer(() => {
    if (photo === undefined) return undefined;
    return (async () => {
      const before = await float.session.featureMaps(photo.blob, layer.name, { first, count: PAGE });
      const after = await small?.session.featureMaps(photo.blob, layer.name, {
        first,
        count: PAGE,
        ranges: before.ranges,
      });
      return { before, after };
    })();
  }, [float.session, small?.session, layer, photo, first]);
  return (
    <section class="card" aria-labelledby="maps-heading" aria-busy={answer.pending}>
      <header class="row">
        <h2 id="maps-heading">{photo === undefined ? 'Feature maps' : `What it finds in “${photo.name}”`}</h2>
        {channels > PAGE && (
          <div class="row maps__pages">
            <button
              type="button"
              class="button button--small"
              disabled={first === 0}
              onClick={() => (firstChannel.value = first - PAGE)}
            >
              <span aria-hidden="true">←</span>
              <span class="visually-hidden">Channels before</span>
            </button>
            <span class="maps__range">{`channels ${first + 1}–${Math.min(first + PAGE, channels)} of ${channels}`}</span>
            <button
              type="button"
              class="button button--small"
              disabled={first + PAGE >= channels}
              onClick={() => (firstChannel.value = first + PAGE)}
            >
              <span aria-hidden="true">→</span>
              <span class="visually-hidden">Next channels</span>
            </button>
          </div>
        )}
      </header>
      {photo === undefined && <p class="hint">Choose a photo above.</p>}
      {answer.failure !== undefined && <p class="alert">{answer.failure}</p>}
      {answer.value === undefined && answer.pending && <p class="hint">Running the network…</p>}
      {answer.value !== undefined && <Panels {...answer.value} />}
    </section>
  );
}

interface PanelsProps {
  readonly before: FeatureMaps;
  readonly after: FeatureMaps | undefined;
}

function Panels({ before, after }: PanelsProps) {
  const pictures = useMemo(
    () => ({
      before: mosaic(before, (i) => colourOf(HEAT, (before.data[i] ?? 0) / 255)),
      after: after && mosaic(after, (i) => colourOf(HEAT, (after.data[i] ?? 0) / 255)),
      difference: after && mosaic(before, (i) => differenceColour(before, after, i)),
      words: after && differenceInWords(before, after),
    }),
    [before, after],
  );
  const what = `${before.count} maps of ${before.width} × ${before.height}`;
  return (
    <>
      <div class="panels">
        <figure class="panel">
          <figcaption class="panel__title panel__title--float">float</figcaption>
          <MosaicCanvas mosaic={pictures.before} label={`${what} of the float network`} />
        </figure>
        {pictures.after !== undefined && pictures.difference !== undefined && (
          <>
            <figure class="panel">
              <figcaption class="panel__title panel__title--small">4-bit</figcaption>
              <MosaicCanvas mosaic={pictures.after} label={`${what} of the 4-bit network`} />
            </figure>
            <figure class="panel">
              <figcaption class="panel__title">difference</figcaption>
              <MosaicCanvas mosaic={pictures.difference} label={`Differences. ${pictures.words ?? ''}`} />
            </figure>
          </>
        )}
      </div>
      <div class="row">
        <Legend colours={HEAT} low="a map’s lowest" high="its highest" />
        {after !== undefined && <Legend colours={DIFFERENCE} low="−25 % of its range" high="+25 %" />}
      </div>
      {pictures.words !== undefined && <p aria-live="polite">{pictures.words}</p>}
    </>
  );
}

function mosaic({ width, height, count, data }: FeatureMaps, colour: (index: number) => number): Mosaic {
  // What is no picture, the answers of a fully connected layer, is one row: folded into a square it can be seen.
  const side = height === 1 && width > 64 ? Math.ceil(Math.sqrt(width)) : 0;
  const pixels = new Uint32Array(side > 0 ? side * side : data.length);
  for (let i = 0; i < data.length; ++i) pixels[i] = colour(i);
  if (side > 0) return { width: side, height: side, count: 1, columns: 1, scale: 1, gap: 0, pixels };
  const columns = Math.min(COLUMNS, count);
  const scale = Math.ceil(MIN_DRAWN / width);
  return { width, height, count, columns, scale, gap: Math.max(1, Math.round((scale * width) / 28)), pixels };
}

function differenceColour(before: FeatureMaps, after: FeatureMaps, index: number): number {
  const difference = ((after.data[index] ?? 0) - (before.data[index] ?? 0)) / 255;
  return colourOf(DIFFERENCE, 0.5 + difference / (2 * FULL_DIFFERENCE));
}

function differenceInWords(before: FeatureMaps, after: FeatureMaps): string {
  const area = before.width * before.height;
  const means = Array.from({ length: before.count }, (_, map) => {
    let sum = 0;
    for (let i = map * area; i < (map + 1) * area; ++i) sum += Math.abs((after.data[i] ?? 0) - (before.data[i] ?? 0));
    return sum / (255 * area);
  });
  const mean = means.reduce((sum, value) => sum + value, 0) / Math.max(1, means.length);
  const worst = means.indexOf(Math.max(...means));
  const most = means.length > 1 ? `, most in channel ${before.first + worst + 1} (${percent(means[worst] ?? 0)})` : '';
  return `On average a point differs by ${percent(mean)} of its map’s range${most}.`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
