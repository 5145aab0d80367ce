// A layer's filters before, after, and the difference.
import { useMemo } from 'preact/hooks';
import { type LayerSummary } from 'kdequant';

import { type Answering } from '../../app/network.js';
import { type Small } from '../../app/quantization.js';
import { formatDecibels } from '../../ui/format.js';
import { DIFFERENCE, GREY, Legend, MosaicCanvas } from '../../ui/pixels.js';
import { useAnswer } from '../../ui/use-answer.js';
import { drawFilters, shownFilters } from './filter-mosaics.js';

interface FiltersProps {
  readonly float: Answering;
  readonly small: Small | undefined;
  readonly layer: LayerSummary;
}

export function Filters({ float, small, layer }: FiltersProps) {
  const answer = useAnswer(async () => {
    const before = await float.model.layerWeights(layer.name);
    const after = await small?.model.layerWeights(layer.name);
    return { layer, before, after };
  }, [float.model, small?.model, layer]);
  return (
    <section class="card" aria-labelledby="filters-heading" aria-busy={answer.pending}>
      <h2 id="filters-heading">Filters</h2>
      {answer.failure !== undefined && <p class="alert">{answer.failure}</p>}
      {answer.value !== undefined && <Weights {...answer.value} small={small} />}
      {answer.value === undefined && answer.pending && <p class="hint">Reading the weights…</p>}
    </section>
  );
}

interface WeightsProps {
  readonly layer: LayerSummary;
  readonly before: Float32Array;
  readonly after: Float32Array | undefined;
  readonly small: Small | undefined;
}

function Weights({ layer, before, after, small }: WeightsProps) {
  const shown = useMemo(() => shownFilters(layer.shape), [layer]);
  const words = small && inWords(layer, small);
  const pictures = useMemo(() => drawFilters(shown, before, after), [shown, before, after]);
  return (
    <>
      <p class="hint">{shown.words}</p>
      <div class="panels">
        <figure class="panel">
          <figcaption class="panel__title panel__title--float">before</figcaption>
          <MosaicCanvas mosaic={pictures.before} label={`Filters of ${layer.name} in float`} />
        </figure>
        {pictures.after !== undefined && pictures.difference !== undefined && (
          <>
            <figure class="panel">
              <figcaption class="panel__title panel__title--small">after</figcaption>
              <MosaicCanvas mosaic={pictures.after} label="The same filters in 4 bits" />
            </figure>
            <figure class="panel">
              <figcaption class="panel__title">difference</figcaption>
              <MosaicCanvas mosaic={pictures.difference} label={`The difference of each weight. ${words ?? ''}`} />
            </figure>
          </>
        )}
      </div>
      <div class="row">
        {shown.channels === 1 && <Legend colours={GREY} low="largest weight of the filter, negative" high="positive" />}
        {after !== undefined && <Legend colours={DIFFERENCE} low="25 % of that lower" high="25 % higher" />}
      </div>
      <p aria-live="polite">{words}</p>
    </>
  );
}

function inWords({ name, weights }: LayerSummary, { model, report }: Small): string | undefined {
  const after = model.layers.find((layer) => layer.name === name);
  const sqnr = report.layers.find((layer) => layer.name === name)?.sqnrDb;
  if (after === undefined) return undefined;
  const count = weights.toLocaleString('en');
  const choice = after.levels.length > 0 ? `one of ${after.levels.length} levels` : `${after.bits} bits`;
  if (sqnr === undefined || sqnr === null) return `${count} weights, kept as they are.`;
  return `${count} weights of any value: each is now ${choice}. They stand ${formatDecibels(sqnr)} above their error.`;
}
