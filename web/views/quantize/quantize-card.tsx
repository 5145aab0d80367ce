// The second card: make the network 4-bit, watch it happen, take the result away.
import { type LayerReport } from 'kdequant';

import { showAlert } from '../../app/alerts.js';
import { network } from '../../app/network.js';
import { cancelQuantize, isQuantizing, job, quantize, small } from '../../app/quantization.js';
import { settings } from '../../app/settings.js';
import { LevelStrip } from '../../charts/level-strip.js';
import { SqnrChart } from '../../charts/sqnr-chart.js';
import { SelectField } from '../../ui/fields.js';
import { formatBytes, formatCount, formatMilliseconds } from '../../ui/format.js';
import { Progress } from '../../ui/progress.js';
import { saveFile } from '../../ui/save-file.js';

export function QuantizeCard() {
  const running = isQuantizing.value;
  return (
    <section class="card" id="quantize-card" aria-labelledby="quantize-heading">
      <h2 id="quantize-heading">
        <span class="card__step">2</span>Make it 4-bit
      </h2>
      <p>
        Each layer keeps 16 values and, for every weight, the 4-bit number of the nearest one. The values come from a
        density estimated on {formatCount(settings.samples.value)} of the layer’s weights.
      </p>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void quantize();
        }}
      >
        <SelectField
          label="Levels"
          hint="How the 16 values are chosen that every weight is rounded to."
          value={settings.method}
          options={[
            ['kde-lm', 'Lloyd-Max on an estimated density (KDE-LM)'],
            ['kde-km', 'k-means on an estimated density (KDE-KM)'],
            ['lloyd-max', 'Lloyd-Max on all weights'],
            ['k-means', 'k-means on all weights'],
            ['optimal', 'the optimum, by dynamic programming'],
            ['uniform-mse', 'equally spaced, smallest error'],
            ['uniform-minmax', 'equally spaced, whole range'],
            ['nf4', 'a fixed table (NF4)'],
          ]}
        />
        <div class="row">
          <button
            type="submit"
            class="button button--primary button--large"
            disabled={network.value.kind !== 'ready' || running}
          >
            Quantize
          </button>
          {running && (
            <button type="button" class="button" onClick={cancelQuantize}>
              Cancel
            </button>
          )}
        </div>
      </form>
      <Work />
      <div class="stack" aria-live="polite">
        {!running && <Result />}
      </div>
    </section>
  );
}

function Work() {
  const state = job.value;
  if (state.kind === 'failed') return <p class="alert">{state.message}</p>;
  if (state.kind === 'idle') return null;
  const { fraction, stage, layer } = state.progress;
  const count =
    network.value.kind === 'ready' ? network.value.model.layers.filter(({ weights }) => weights > 0).length : 0;
  return (
    <>
      <Progress label="Quantizing" fraction={fraction} words={layer === undefined ? stage : `${stage}: ${layer}`} />
      <Layers layers={state.layers} count={count} />
    </>
  );
}

function Layers({ layers, count }: { readonly layers: readonly LayerReport[]; readonly count: number }) {
  const latest = layers.findLast((layer) => layer.levels.length > 0);
  if (latest === undefined) return null;
  return (
    <>
      <figure class="figure">
        <LevelStrip layer={latest} />
        <figcaption>The 16 levels of {latest.name}</figcaption>
      </figure>
      <figure class="figure">
        <SqnrChart layers={layers} count={count} />
        <figcaption>
          Signal over rounding error, layer by layer ({layers.length} of {count}); light bars are depthwise layers, kept
          in 8 bits
        </figcaption>
      </figure>
    </>
  );
}

function Result() {
  if (small.value === undefined) return null;
  const { report, model } = small.value;
  return (
    <>
      <p class="headline">
        <strong>{(report.bytesIn / report.bytesOut).toFixed(1)} times smaller</strong>: {formatBytes(report.bytesIn)}{' '}
        became {formatBytes(report.bytesOut)} in {formatMilliseconds(1000 * report.seconds)}.
      </p>
      <Layers layers={report.layers} count={report.layers.length} />
      <p class="hint">
        Densities were estimated from {formatCount(report.weightsSampled)} sampled weights;{' '}
        {formatCount(report.weightsScanned)} were read once for ranges and scales.
      </p>
      <div class="row">
        <button
          type="button"
          class="button"
          onClick={() => {
            model
              .toOnnx()
              .then((bytes) => {
                saveFile(bytes, `${stem()}.4bit.onnx`, 'application/octet-stream');
              })
              .catch(showAlert);
          }}
        >
          Download the 4-bit ONNX file
        </button>
      </div>
    </>
  );
}

function stem(): string {
  return network.value.kind === 'ready' ? network.value.name.replace(/\.onnx$/i, '').toLowerCase() : 'model';
}
