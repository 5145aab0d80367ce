// A folder: what is in it, how far the evaluation is, what came out, and where the two networks differ.
import { useEffect, useRef, useState } from 'preact/hooks';
import { type Confusion, type EvaluationFigures, type FolderPictures } from 'kdequant';

import { showAlert } from '../../app/alerts.js';
import { folder } from '../../app/folder.js';
import { network } from '../../app/network.js';
import { small } from '../../app/quantization.js';
import { formatCount, formatMilliseconds, formatPictures } from '../../ui/format.js';
import { Progress } from '../../ui/progress.js';
import { evaluate, evaluation, type EvaluationState, stopEvaluation } from './evaluation.js';

export function FolderPanel() {
  const chosen = folder.value;
  const isReady = network.value.kind === 'ready';
  const session = small.value?.session;
  // A folder that has just been chosen is evaluated at once, and again by another network.
  useEffect(() => {
    if (chosen !== undefined && isReady) evaluate(chosen).catch(showAlert);
  }, [chosen, isReady, session]);
  if (chosen === undefined) return null;
  const state = evaluation.value;
  return (
    <section class="card folder" aria-labelledby="folder-heading">
      <header class="row">
        <h2 id="folder-heading">{chosen.name}</h2>
        {state.kind === 'running' || state.kind === 'reading' ? (
          <button type="button" class="button button--small" onClick={stopEvaluation}>
            Stop
          </button>
        ) : (
          <button
            type="button"
            class="button button--small"
            onClick={() => {
              evaluate(chosen).catch(showAlert);
            }}
          >
            Evaluate again
          </button>
        )}
        <button
          type="button"
          class="button button--small button--quiet photo__remove"
          onClick={() => {
            folder.value = undefined;
          }}
        >
          Close
        </button>
      </header>
      <Body state={state} />
    </section>
  );
}

function Body({ state }: { readonly state: EvaluationState }) {
  switch (state.kind) {
    case 'idle':
      return network.value.kind === 'ready' ? null : <p class="hint">Waiting for the network…</p>;
    case 'reading':
      return <p class="hint">Looking for pictures…</p>;
    case 'failed':
      return <p class="alert">{state.message}</p>;
    case 'running': {
      const total = state.found.pictures.length;
      const done = state.figures?.n ?? 0;
      return (
        <>
          <p>{contents(state.found)}</p>
          <Progress
            label="Evaluating"
            fraction={done / total}
            words={`${formatCount(done)} of ${formatCount(total)}${remaining(done, total, state.seconds)}`}
          />
          {state.figures !== undefined && <Figures figures={state.figures} />}
        </>
      );
    }
    case 'done':
      return (
        <>
          <p>{contents(state.found)}</p>
          <div aria-live="polite">
            <p class="hint">
              {state.report === undefined
                ? `Stopped after ${formatCount(state.figures.n)} of ${formatPictures(state.found.pictures.length)}.`
                : `${formatPictures(state.figures.n)} in ${formatMilliseconds(1000 * state.seconds)}.`}
            </p>
            <Figures figures={state.figures} />
          </div>
          {state.report !== undefined && state.report.skipped.length > 0 && (
            <details class="fold">
              <summary>{`${formatCount(state.report.skipped.length)} could not be read`}</summary>
              <ul class="plain-list">
                {state.report.skipped.slice(0, 20).map(({ index, name, message }) => (
                  <li key={index}>{`${name}: ${message}`}</li>
                ))}
                {state.report.skipped.length > 20 && (
                  <li>{`and ${formatCount(state.report.skipped.length - 20)} more`}</li>
                )}
              </ul>
            </details>
          )}
          {small.value !== undefined && state.report !== undefined && (
            <Confusions confusions={state.report.confusions} found={state.found} />
          )}
        </>
      );
  }
}

function contents({ pictures, labelled, labels, unknownFolders, ignored }: FolderPictures): string {
  const sentences = [`${formatPictures(pictures.length)}.`];
  if (labels === 'table') sentences.push('Their classes are those of labels.csv.');
  else if (labels === 'folders')
    sentences.push(`${formatCount(labelled)} ${labelled === 1 ? 'has' : 'have'} a class, by the name of their folder.`);
  else {
    sentences.push(
      'Nothing says what they show (a labels.csv with file,class_index would, or a folder a class), so only the agreement of the two networks is counted.',
    );
  }
  if (unknownFolders.length > 0) {
    const some = unknownFolders.slice(0, 3).map((name) => `“${name}”`);
    sentences.push(`No class of this network: ${some.join(', ')}${unknownFolders.length > 3 ? '…' : ''}.`);
  }
  if (ignored > 0)
    sentences.push(`${ignored === 1 ? 'One other file is' : `${formatCount(ignored)} other files are`} left out.`);
  return sentences.join(' ');
}

function remaining(done: number, total: number, seconds: number): string {
  if (done < 10) return '';
  const left = ((total - done) * seconds) / done;
  return left >= 90 ? `, about ${Math.round(left / 60)} minutes left` : `, about ${Math.ceil(left)} s left`;
}

function Figures({ figures }: { readonly figures: EvaluationFigures }) {
  const both = figures.agreement !== null;
  return (
    <dl class="figures">
      {both && <Figure name="same answer" value={figures.agreement} />}
      {figures.labelled > 0 && (
        <>
          <Figure name="right: float" value={both ? figures.referenceTop1 : figures.top1} style="float" />
          {both && <Figure name="right: 4-bit" value={figures.top1} style="small" />}
          {both && <Figure name="right among five: 4-bit" value={figures.top5} style="small" />}
        </>
      )}
      {figures.loss !== null && figures.lossLow !== null && figures.lossHigh !== null && (
        <p class="hint figures__note">
          {`Lost by 4 bits: ${signed(figures.loss)} points of top-1; with 95 % confidence between ${signed(figures.lossLow)} and ${signed(figures.lossHigh)} (the same pictures through both, n = ${formatCount(figures.labelled)}).`}
        </p>
      )}
    </dl>
  );
}

interface FigureProps {
  readonly name: string;
  readonly value: number | null;
  readonly style?: 'float' | 'small';
}

function Figure({ name, value, style }: FigureProps) {
  return (
    <div class={style === undefined ? 'figures__item' : `figures__item figures__item--${style}`}>
      <dt>{name}</dt>
      <dd>{value === null ? '–' : `${value.toFixed(1)} %`}</dd>
    </div>
  );
}

function signed(points: number): string {
  return points.toFixed(1).replace('-', '−');
}

const FIRST_SHOWN = 8;
const THUMBNAILS = 6;

interface ConfusionsProps {
  readonly confusions: readonly Confusion[];
  readonly found: FolderPictures;
}

function Confusions({ confusions, found }: ConfusionsProps) {
  const [shown, show] = useState(FIRST_SHOWN);
  if (confusions.length === 0) return <p>Both networks gave the same answer to every picture.</p>;
  const pictures = confusions.reduce((sum, confusion) => sum + confusion.pictures.length, 0);
  return (
    <section class="stack" aria-labelledby="confusions-heading">
      <h3 id="confusions-heading">{`Where they differ: ${formatPictures(pictures)}`}</h3>
      <ul class="confusions">
        {confusions.slice(0, shown).map((confusion) => (
          <li class="confusion" key={`${confusion.reference.classIndex}:${confusion.session.classIndex}`}>
            <p class="confusion__pair">
              <span class="confusion__float">{confusion.reference.label}</span>
              <span class="confusion__arrow">
                <span aria-hidden="true">→</span>
                <span class="visually-hidden">became</span>
              </span>
              <span class="confusion__small">{confusion.session.label}</span>
              <span class="hint">{confusion.pictures.length > 1 ? `${confusion.pictures.length} pictures` : ''}</span>
            </p>
            <div class="confusion__pictures">
              {confusion.pictures.slice(0, THUMBNAILS).map(({ index, name }) => (
                <Thumbnail key={index} picture={found.pictures[index]?.picture} name={name} />
              ))}
            </div>
          </li>
        ))}
      </ul>
      {confusions.length > shown && (
        <button
          type="button"
          class="button"
          onClick={() => {
            show(shown + 4 * FIRST_SHOWN);
          }}
        >
          {`Show more of ${formatCount(confusions.length)}`}
        </button>
      )}
    </section>
  );
}

function Thumbnail({ picture, name }: { readonly picture: unknown; readonly name: string }) {
  const image = useRef<HTMLImageElement>(null);
  useEffect(() => {
    if (!(picture instanceof Blob) || image.current === null) return undefined;
    const url = URL.createObjectURL(picture);
    image.current.src = url;
    return () => {
      URL.revokeObjectURL(url);
    };
  }, [picture]);
  return (
    <img ref={image} class="thumbnail" alt={name} title={name} width={64} height={64} decoding="async" loading="lazy" />
  );
}
