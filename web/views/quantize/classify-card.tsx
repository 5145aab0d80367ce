// The third card: photos in, answers out, float beside 4-bit.
import { useSignal, useSignalEffect } from '@preact/signals';
import { type Classification } from 'kdequant';

import { showAlert } from '../../app/alerts.js';
import { type Answers, answersOf } from '../../app/answers.js';
import { type Photo, addPhotos, addSample, photos, removePhoto, sample, samples, sampleUrl } from '../../app/photos.js';
import { describeFailure, noteOn } from '../../photos/file-notes.js';
import { FileButton } from '../../ui/fields.js';
import { formatMilliseconds, formatPercent } from '../../ui/format.js';
import { Picture } from '../../ui/picture.js';
import { useAnswer } from '../../ui/use-answer.js';

const TOP = 5;

export function ClassifyCard() {
  return (
    <section class="card card--wide" id="classify-card" aria-labelledby="classify-heading">
      <h2 id="classify-heading">
        <span class="card__step">3</span>Does it still see?
      </h2>
      <div class="row">
        <ul class="samples" aria-label="Sample photos">
          {samples.value.map((photo) => (
            <li key={photo.file}>
              <button
                type="button"
                class="sample"
                data-photo={photo.file}
                aria-pressed={sample.value === photo.file}
                onClick={() => {
                  addSample(photo).catch(showAlert);
                }}
              >
                <img src={sampleUrl(photo.file)} alt={photo.alt} width={72} height={72} loading="lazy" />
              </button>
            </li>
          ))}
        </ul>
        <FileButton id="photo-file" text="Choose photos…" accept="image/*" multiple onFiles={addPhotos} />
        <p class="hint">or drop them anywhere on the page, or paste one: they stay on this machine.</p>
      </div>
      <div class="stack" id="results" aria-live="polite">
        {photos.value.map((photo) => (
          <PhotoResult key={photo.id} photo={photo} />
        ))}
      </div>
    </section>
  );
}

function PhotoResult({ photo }: { readonly photo: Photo }) {
  const answers = useSignal<Answers>({ kind: 'waiting' });
  useSignalEffect(() => answersOf(photo, answers));
  const note = useAnswer(() => noteOn(photo.blob), [photo]);
  const state = answers.value;
  return (
    <article class="result">
      <header class="row">
        <h3 class="result__name">{photo.name}</h3>
        {state.kind === 'ready' && <Verdict {...state} />}
        <button
          type="button"
          class="button button--small button--quiet result__remove"
          aria-label={`Remove ${photo.name}`}
          onClick={() => {
            removePhoto(photo);
          }}
        >
          Remove
        </button>
      </header>
      {note.value !== undefined && <p class="hint">{note.value}</p>}
      {state.kind === 'waiting' && <p class="hint">Waiting for the network…</p>}
      {state.kind === 'failed' && <p class="alert">{describeFailure(photo, state.message)}</p>}
      {state.kind === 'ready' && (
        <div class="result__body">
          <Picture class="result__picture" pixels={state.seen} label={`${photo.name}, as the networks see it`} />
          <Predictions name="float" classification={state.float} />
          {state.small === undefined ? (
            <section class="answers answers--pending">
              <h4 class="answers__heading">4-bit</h4>
              <p class="hint">Quantize the network above, and its answers stand here.</p>
            </section>
          ) : (
            <Predictions name="4-bit" classification={state.small} reference={state.float} />
          )}
        </div>
      )}
    </article>
  );
}

interface Both {
  readonly float: Classification;
  readonly small?: Classification | undefined;
}

function Verdict({ float, small }: Both) {
  if (small === undefined) return null;
  const same = float.predictions[0]?.classIndex === small.predictions[0]?.classIndex;
  return (
    <span class={same ? 'badge badge--same' : 'badge badge--differs'}>{same ? 'same answer' : 'answers differ'}</span>
  );
}

interface PredictionsProps {
  readonly name: 'float' | '4-bit';
  readonly classification: Classification;
  /** Whose answers count as known. */
  readonly reference?: Classification;
}

function Predictions({ name, classification, reference }: PredictionsProps) {
  const known = new Set(reference?.predictions.map(({ classIndex }) => classIndex));
  return (
    <section
      class={name === 'float' ? 'answers' : 'answers answers--small'}
      aria-label={`Answers of the ${name} network`}
    >
      <h4 class="answers__heading">
        <span>{name}</span>
        <span class="answers__time">{formatMilliseconds(classification.milliseconds)}</span>
      </h4>
      <ol class="answers__list">
        {classification.predictions.slice(0, TOP).map(({ classIndex, label, probability }) => (
          <li
            key={classIndex}
            class={reference !== undefined && !known.has(classIndex) ? 'answer answer--new' : 'answer'}
          >
            <span class="answer__bar" style={{ '--share': probability }} />
            <span class="answer__label">{label}</span>
            <span class="answer__probability">{formatPercent(probability)}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}
