// The first card: which network, how large, and a way to bring one's own.
import { clearAlert, showAlert } from '../../app/alerts.js';
import { loadBundled, loadFile, network } from '../../app/network.js';
import { small } from '../../app/quantization.js';
import { SizeSquares } from '../../charts/size-squares.js';
import { Facts } from '../../ui/facts.js';
import { FileButton } from '../../ui/fields.js';
import { formatBytes, formatCount, formatPercent } from '../../ui/format.js';
import { Progress } from '../../ui/progress.js';

export function ModelCard() {
  return (
    <section class="card" id="model-card" aria-labelledby="model-heading">
      <h2 id="model-heading">
        <span class="card__step">1</span>A network
      </h2>
      <Contents />
      <div class="row">
        <FileButton
          id="model-file"
          text="Use your own ONNX file…"
          accept=".onnx"
          onFiles={([file]) => {
            if (file !== undefined) start(() => loadFile(file));
          }}
        />
      </div>
    </section>
  );
}

function Contents() {
  const state = network.value;
  switch (state.kind) {
    case 'idle':
      return null;
    case 'loading': {
      const { fraction, stage, loaded } = state.progress;
      const bytes = loaded === undefined ? '' : `, ${formatBytes(loaded)}`;
      return (
        <Progress
          label="Loading the network"
          fraction={fraction}
          words={`${state.name}: ${stage}${bytes} (${formatPercent(fraction)})`}
        />
      );
    }
    case 'failed':
      return (
        <div class="row">
          <p>There is no network yet.</p>
          <button type="button" class="button" onClick={() => start(loadBundled)}>
            Try again
          </button>
        </div>
      );
    case 'ready': {
      const { model, name } = state;
      return (
        <>
          <SizeSquares floatBytes={model.bytes} smallBytes={small.value?.report.bytesOut} />
          <Facts
            facts={[
              ['network', name],
              ['weights', formatCount(model.summary.weights)],
              ['layers with weights', String(model.layers.filter(({ weights }) => weights > 0).length)],
              ['input', model.summary.input.shape.join(' × ')],
            ]}
          />
        </>
      );
    }
  }
}

function start(load: () => Promise<void>): void {
  clearAlert();
  load().catch(showAlert);
}
