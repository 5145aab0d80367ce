// The laboratory: one layer's weights, the density estimated from a few of them, and the levels designed on it, under your hands.
import './laboratory.css';

import { useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import noticeUrl from 'kdequant-lab/NOTICE.txt?url';

import { messageOf } from '../../app/alerts.js';
import { ViewHeader } from '../../ui/view-header.js';
import { Controls } from './controls.js';
import { type Experiment, figures, startExperiment } from './experiment.js';
import { FigureText, Levels, sentence } from './figures.js';
import { layer, LayerPicker } from './layers.js';
import { loadFont } from './module.js';
import { Plot } from './plot.js';
import { Stage } from './stage.js';

const CANVAS_ID = 'laboratory-canvas';

/** What a person needs to hear once the hand rests, not with every pixel of a drag. */
const ANNOUNCE_AFTER_MS = 800;

type State =
  | { readonly kind: 'loading' }
  | { readonly kind: 'ready'; readonly experiment: Experiment; readonly hasCanvas: boolean }
  | { readonly kind: 'failed'; readonly message: string };

export function View() {
  return (
    <>
      <ViewHeader title="Laboratory">
        Sixteen values stand for all the weights of a layer. Move the sliders, drag a level, play the film: the levels
        are designed anew while you do, and the figure says how much of the signal is left.
      </ViewHeader>
      <Bench />
      <p class="hint">
        Drawn with Dear ImGui and ImPlot, lettered in Roboto (<a href={noticeUrl}>their licences</a>). It computes with
        the very code that quantizes the network.
      </p>
    </>
  );
}

function Bench() {
  const state = useSignal<State>({ kind: 'loading' });
  const canvas = useRef<HTMLCanvasElement>(null);
  const start = (): void => {
    state.value = { kind: 'loading' };
    open(canvas.current).then(
      (ready) => (state.value = ready),
      (error: unknown) => (state.value = { kind: 'failed', message: messageOf(error) }),
    );
  };
  useEffect(start, []);
  const now = state.value;
  return (
    <section class="card laboratory" aria-label="Experiment">
      <LayerPicker />
      {now.kind === 'failed' && (
        <div class="alert" role="alert">
          <p>The laboratory could not be loaded: {now.message}</p>
          <button type="button" class="button" onClick={start}>
            Try again
          </button>
        </div>
      )}
      {now.kind === 'ready' && !now.hasCanvas && (
        <>
          <p class="alert laboratory__no-canvas">
            This browser gives no WebGL 2, which the laboratory’s canvas is drawn with. The drawing below is plainer;
            all controls and figures are here.
          </p>
          <Plot experiment={now.experiment} />
        </>
      )}
      <div class="laboratory__stage" hidden={now.kind === 'failed' || (now.kind === 'ready' && !now.hasCanvas)}>
        <canvas
          ref={canvas}
          id={CANVAS_ID}
          class="laboratory__canvas"
          tabIndex={0}
          role="img"
          aria-label={`Weights, density and levels of ${layer.value?.name ?? 'the layer'}. The figures and controls below say and do the same.`}
          aria-keyshortcuts="Space ArrowLeft ArrowRight Home"
        />
      </div>
      {now.kind === 'ready' && <Text experiment={now.experiment} open={!now.hasCanvas} />}
    </section>
  );
}

async function open(canvas: HTMLCanvasElement | null): Promise<State> {
  if (canvas === null) throw new Error('the page has no canvas');
  const experiment = await startExperiment();
  // Asked of a canvas of its own: one that has refused a context is spoiled.
  const mayDraw = document.createElement('canvas').getContext('webgl2') !== null;
  const hasCanvas = mayDraw && experiment.laboratory.attach(`#${CANVAS_ID}`, await loadFont());
  new Stage(experiment, canvas, hasCanvas);
  return { kind: 'ready', experiment, hasCanvas };
}

/** Everything in words and in the page's own controls. */
function Text({ experiment, open }: { readonly experiment: Experiment; readonly open: boolean }) {
  const [announced, announce] = useState('');
  useSignalEffect(() => {
    const now = figures.value;
    if (now === undefined || now.playing) return;
    const timer = setTimeout(() => {
      announce(sentence(now));
    }, ANNOUNCE_AFTER_MS);
    return () => {
      clearTimeout(timer);
    };
  });
  return (
    <>
      <p class="laboratory__sentence" id="laboratory-summary" aria-live="polite">
        {announced}
      </p>
      <div class="laboratory__text">
        <FigureText />
        <Levels />
      </div>
      <details class="fold laboratory__controls" open={open}>
        <summary>The same controls as a form, for keyboard and screen reader</summary>
        <Controls experiment={experiment} />
      </details>
    </>
  );
}
