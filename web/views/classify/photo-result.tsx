// One photo: what the networks see of it, and what both say.
import { useSignal, useSignalEffect } from '@preact/signals';

import { type Answers, answersOf } from '../../app/answers.js';
import { type Photo, removePhoto } from '../../app/photos.js';
import { small } from '../../app/quantization.js';
import { describeFailure, noteOn } from '../../photos/file-notes.js';
import { PairedBars, Verdict } from '../../photos/paired-bars.js';
import { Picture } from '../../ui/picture.js';
import { useAnswer } from '../../ui/use-answer.js';

export function PhotoResult({ photo }: { readonly photo: Photo }) {
  const answers = useSignal<Answers>({ kind: 'waiting' });
  useSignalEffect(() => answersOf(photo, answers));
  const note = useAnswer(() => noteOn(photo.blob), [photo]);
  const state = answers.value;
  return (
    <article class="photo" aria-label={photo.name}>
      <header class="row">
        <h3 class="photo__name">{photo.name}</h3>
        {state.kind === 'ready' && <Verdict float={state.float} small={state.small} />}
        <button
          type="button"
          class="button button--small button--quiet photo__remove"
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
        <div class="photo__body">
          <Picture class="seen" pixels={state.seen} label={`${photo.name}, as the networks see it`} />
          <PairedBars
            float={state.float}
            small={small.value === undefined ? undefined : state.small}
            name={photo.name}
          />
        </div>
      )}
    </article>
  );
}
