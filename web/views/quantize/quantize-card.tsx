// The second card: make the network 4-bit, watch it happen, and what came of it.
import { showAlert } from '../../app/alerts.js';
import { layer } from '../../app/layer.js';
import { network, weightLayers } from '../../app/network.js';
import { cancelQuantize, isQuantizing, job, quantize, small } from '../../app/quantization.js';
import { downloadRun, sqnrOf } from '../../app/run-export.js';
import { reports, shape } from '../../app/stage.js';
import { LayerFigure } from '../../charts/layer-figure.js';
import { SqnrChart } from '../../charts/sqnr-chart.js';
import { formatBytes, formatCount, formatDecibels, formatMilliseconds } from '../../ui/format.js';
import { Progress } from '../../ui/progress.js';
import { MainSettings, MoreSettings } from './settings-form.js';

export function QuantizeCard() {
  return (
    <section class="card" id="quantize-card" aria-labelledby="quantize-heading">
      <h2 id="quantize-heading">
        <span class="card__step">2</span>Make it 4-bit
      </h2>
      <div class="quantize">
        <form
          class="stack quantize__form"
          onSubmit={(event) => {
            event.preventDefault();
            void quantize();
          }}
        >
          <p>
            Each channel of a layer keeps 16 values, and for every weight the number of the nearest one. Where they
            stand is worked out from a small sample of the weights.
          </p>
          <MainSettings />
          <Start />
          <Work />
        </form>
        <Stage />
      </div>
      <MoreSettings />
      <Result />
    </section>
  );
}

function Start() {
  const running = isQuantizing.value;
  return (
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
  );
}

function Work() {
  const state = job.value;
  return (
    <div class="quantize__work">
      {state.kind === 'failed' && <p class="alert">{state.message}</p>}
      {state.kind === 'running' && (
        <Progress
          label="Quantizing"
          fraction={state.progress.fraction}
          words={
            state.progress.layer === undefined
              ? state.progress.stage
              : `${state.progress.stage}: ${state.progress.layer}`
          }
        />
      )}
    </div>
  );
}

function Stage() {
  const shown = shape.value;
  const layers = reports.value;
  const count = weightLayers.value.length;
  return (
    <div class="stage">
      <figure class="figure">
        <LayerFigure shape={shown} />
        <figcaption>{shown === undefined ? 'The weights of a layer' : <StageCaption />}</figcaption>
      </figure>
      <figure class="figure">
        <SqnrChart
          layers={layers}
          count={count}
          chosen={shown?.name}
          onChoose={(name) => {
            layer.value = name;
          }}
        />
        <figcaption>
          {layers.length === 0
            ? 'How well each layer is rounded will stand here, a bar a layer.'
            : `Signal over rounding error, ${layers.length} of ${count} layers. Faint bars: layers kept in 8 bits. Choose one to see it.`}
        </figcaption>
      </figure>
    </div>
  );
}

function StageCaption() {
  const shown = shape.value;
  if (shown === undefined) return null;
  const weights = weightLayers.value.find(({ name }) => name === shown.name)?.weights ?? 0;
  const report = reports.value.find(({ name }) => name === shown.name);
  const levels = report?.levels.length ?? 0;
  const codebooks = report?.codebooks ?? 0;
  return (
    <>
      <strong>{shown.name}</strong>: {formatCount(weights)} weights
      {levels > 0 && (
        <>
          {' '}
          as bars, <span class="legend legend--levels">{levels} levels</span>
          {codebooks > 1 && ` (the first of ${codebooks} codebooks)`}
        </>
      )}
      {shown.density !== undefined && (
        <>
          , <span class="legend legend--density">density</span> from {formatCount(shown.samples ?? 0)} of them
        </>
      )}
      {levels === 0 && ', most of them near zero. Which 16 values stand for them best?'}
    </>
  );
}

function Result() {
  const now = small.value;
  const float = network.value.kind === 'ready' ? network.value.model : undefined;
  const report = now?.report;
  const sqnr = now && sqnrOf(now.run);
  return (
    <div class="result-strip" aria-live="polite">
      <div class="result-strip__main">
        {report === undefined ? (
          <p class="headline headline--waiting">
            {float === undefined
              ? 'Waiting for the network…'
              : `${formatBytes(float.bytes)} now. How small will it be?`}
          </p>
        ) : (
          <p class="headline">
            <strong>{(report.bytesIn / report.bytesOut).toFixed(1)} times smaller</strong>:{' '}
            {formatBytes(report.bytesIn)} became <span class="together">{formatBytes(report.bytesOut)}</span> in{' '}
            <span class="together">{formatMilliseconds(1000 * report.seconds)}.</span>
          </p>
        )}
        <p class="hint">
          {report === undefined
            ? 'Nothing leaves your machine.'
            : `${formatCount(report.weightsSampled)} weights sampled for the densities, ${formatCount(report.weightsScanned)} read once for ranges and scales, of ${formatCount(float?.summary.weights ?? 0)}. ${sqnr === undefined ? '' : `Signal over rounding error: ${formatDecibels(sqnr)} on average.`}`}
        </p>
      </div>
      <button
        type="button"
        class="button"
        disabled={now === undefined}
        onClick={() => {
          if (now !== undefined) downloadRun(now.run).catch(showAlert);
        }}
      >
        Download the 4-bit ONNX file
      </button>
    </div>
  );
}
