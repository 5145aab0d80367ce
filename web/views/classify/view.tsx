// Does it still see? Photos, a folder, the camera: both networks answer, side by side.
import './classify.css';

import { folder, openFiles } from '../../app/folder.js';
import { addPhotos, MAX_PHOTOS, photos } from '../../app/photos.js';
import { PhotoBar } from '../../photos/photo-bar.js';
import { NeedsSmall } from '../../ui/needs-small.js';
import { ViewHeader } from '../../ui/view-header.js';
import { CameraButton, CameraPanel } from './camera-panel.js';
import { FolderPanel } from './folder-panel.js';
import { PhotoResult } from './photo-result.js';

export function View() {
  return (
    <>
      <ViewHeader title="Does it still see?">
        The same photo through both networks: blue is the float one, orange the one with 4-bit weights. Try what is hard
        for it, too.
      </ViewHeader>
      <section class="card" aria-label="Photos">
        <PhotoBar
          id="classify-files"
          onFiles={(files) => {
            if (files.length > MAX_PHOTOS) openFiles(files);
            else addPhotos(files);
          }}
        >
          <FolderButton />
          <CameraButton />
        </PhotoBar>
        <p class="hint">
          Or drop photos or a folder anywhere on the page, or paste a photo. A folder with a labels.csv, or one folder a
          class, is scored. Nothing leaves this machine.
        </p>
      </section>
      <NeedsSmall>
        Until now only the float network answers. Make its 4-bit twin, and both stand side by side.
      </NeedsSmall>
      <CameraPanel />
      <FolderPanel />
      <div class="photos" id="classify-results" aria-live="polite">
        {photos.value.map((photo) => (
          <PhotoResult key={photo.id} photo={photo} />
        ))}
        {photos.value.length === 0 && folder.value === undefined && <p class="hint">No photo yet: choose one above.</p>}
      </div>
    </>
  );
}

function FolderButton() {
  return (
    <>
      <input
        class="visually-hidden"
        type="file"
        id="classify-folder"
        // Preact knows no type for it; every browser of today does.
        {...{ webkitdirectory: true }}
        multiple
        onChange={({ currentTarget }) => {
          openFiles(Array.from(currentTarget.files ?? []));
          currentTarget.value = '';
        }}
      />
      <label class="button" for="classify-folder">
        Choose a folder…
      </label>
    </>
  );
}
