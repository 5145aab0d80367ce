// Photos to choose from: the samples, and files of the visitor's.
import { type ComponentChildren } from 'preact';

import { showAlert } from '../app/alerts.js';
import { addPhotos, addSample, sample, samples, sampleUrl } from '../app/photos.js';
import { FileButton } from '../ui/fields.js';

interface PhotoBarProps {
  /** Unique on the page: each view has its own bar. */
  readonly id: string;
  readonly onFiles?: (files: readonly File[]) => void;
  /** More buttons. */
  readonly children?: ComponentChildren;
}

export function PhotoBar({ id, onFiles = addPhotos, children }: PhotoBarProps) {
  return (
    <div class="row photo-bar">
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
      <FileButton id={id} text="Choose photos…" accept="image/*" multiple onFiles={onFiles} />
      {children}
    </div>
  );
}
