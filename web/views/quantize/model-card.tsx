// The first card: which network, how large, and a way to bring one's own.
import { clearAlert, showAlert } from '../../app/alerts.js';
import {
  cancelLoad,
  chosen,
  isOwn,
  loadFile,
  loadFirst,
  loadOffered,
  network,
  offered,
  weightLayers,
} from '../../app/network.js';
import { small } from '../../app/quantization.js';
import { SizeSquares } from '../../charts/size-squares.js';
import { Facts } from '../../ui/facts.js';
import { FileButton } from '../../ui/fields.js';
import { formatBytes, formatCount } from '../../ui/format.js';
import { Progress } from '../../ui/progress.js';
import { LayerTable } from './layer-table.js';
import { PreparationPanel } from './preparation-panel.js';

export function ModelCard() {
  return (
    <section class="card" id="model-card" aria-labelledby="model-heading">
      <h2 id="model-heading">
        <span class="card__step">1</span>A network
      </h2>
      <Chooser />
      <div class="model-card__state">
        <State />
      </div>
      <LayerTable />
      <PreparationPanel />
    </section>
  );
}

function Chooser() {
  return (
    <div class="row" role="group" aria-label="Networks">
      {offered.value.map((one) => (
        <button
          key={one.id}
          type="button"
          class="button button--choice"
          aria-pressed={!isOwn.value && chosen.value === one.id}
          title={one.about}
          onClick={() => {
            start(() => loadOffered(one));
          }}
        >
          {one.name}
        </button>
      ))}
      <FileButton
        id="model-file"
        text="Your ONNX file…"
        class="button--choice"
        accept=".onnx"
        onFiles={([file]) => {
          if (file !== undefined) start(() => loadFile(file));
        }}
      />
    </div>
  );
}

function State() {
  const state = network.value;
  switch (state.kind) {
    case 'idle':
      return null;
    case 'loading': {
      const { fraction, stage, loaded, total } = state.progress;
      const bytes =
        loaded === undefined || total === undefined ? '' : ` ${formatBytes(loaded)} of ${formatBytes(total)}`;
      return (
        <>
          <Progress label="Loading the network" fraction={fraction} words={`${state.name}: ${stage}${bytes}`} />
          <button type="button" class="button button--small" onClick={cancelLoad}>
            Stop
          </button>
        </>
      );
    }
    case 'failed':
      return (
        <div class="row">
          <p>There is no network yet.</p>
          <button
            type="button"
            class="button"
            onClick={() => {
              start(loadFirst);
            }}
          >
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
              ['layers with weights', String(weightLayers.value.length)],
              ['knows', `${formatCount(model.summary.output.shape.at(-1) ?? 0)} classes`],
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
