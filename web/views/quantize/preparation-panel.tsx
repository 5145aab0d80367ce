// How a photo becomes the network's numbers, with what the network then sees, and what its outputs are called.
import { useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useId, useRef } from 'preact/hooks';
import { type RgbaPixels } from 'kdequant';

import { clearAlert, showAlert } from '../../app/alerts.js';
import { type NetworkSettings, network, reload } from '../../app/network.js';
import { photos } from '../../app/photos.js';
import { FileButton } from '../../ui/fields.js';
import { readLabels } from '../../ui/files.js';
import { Picture } from '../../ui/picture.js';

const PRESETS = [
  ['', 'as the file says'],
  ['tf', 'TensorFlow: from −1 to 1'],
  ['imagenet', 'PyTorch: ImageNet’s mean and deviation'],
  ['caffe', 'Caffe: blue first, mean subtracted'],
] as const;

export function PreparationPanel() {
  const preprocess = useSignal('');
  const labels = useSignal<readonly string[] | undefined>(undefined);
  const seen = useSignal<RgbaPixels | undefined>(undefined);
  const shown = useSignal(false);
  const id = useId();
  useSignalEffect(() => {
    const photo = photos.value[0];
    const state = network.value;
    if (!shown.value || photo === undefined || state.kind !== 'ready') return;
    state.session.crop(photo.blob).then(
      (pixels) => (seen.value = pixels),
      () => (seen.value = undefined), // the photo's own place says why
    );
  });
  const name = network.value.kind === 'ready' ? network.value.name : undefined;
  const before = useRef(name);
  useEffect(() => {
    if (name === undefined || name === before.current) return;
    before.current = name; // another network: what was said about the one before does not hold for it
    preprocess.value = '';
    labels.value = undefined;
  }, [name]);
  const state = network.value;
  if (state.kind !== 'ready') return null;
  const apply = (): void => {
    clearAlert();
    const settings: NetworkSettings = {
      ...(preprocess.value === '' ? {} : { preprocess: preprocess.value }),
      ...(labels.value === undefined ? {} : { labels: labels.value }),
    };
    reload(settings).catch(showAlert);
  };
  const classes = state.model.summary.output.shape.at(-1) ?? 0;
  return (
    <details
      class="fold"
      onToggle={({ currentTarget }) => {
        shown.value = currentTarget.open;
      }}
    >
      <summary>How a photo goes in</summary>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          apply();
        }}
      >
        <div class="row preparation">
          {seen.value !== undefined && <Picture pixels={seen.value} label="What the network sees of the photo" />}
          <p class="hint">
            Resized and cropped to {state.session.info.inputShape.slice(-2).join(' × ')} pixels, then
            <code> {state.session.info.preprocess} </code>
          </p>
        </div>
        <div class="field">
          <label for={`${id}-preset`}>Numbers</label>
          <select
            id={`${id}-preset`}
            value={PRESETS.some(([spec]) => spec === preprocess.value) ? preprocess.value : ''}
            onChange={({ currentTarget }) => {
              preprocess.value = currentTarget.value;
              apply();
            }}
          >
            {PRESETS.map(([spec, text]) => (
              <option key={spec} value={spec}>
                {text}
              </option>
            ))}
          </select>
          <p class="hint">How the network’s makers turned colours into numbers: the wrong one, and it sees badly.</p>
        </div>
        <div class="field">
          <label for={`${id}-spec`}>In detail</label>
          <input
            id={`${id}-spec`}
            value={preprocess.value}
            placeholder="imagenet,size=240,resize=256"
            onChange={({ currentTarget }) => {
              preprocess.value = currentTarget.value.trim();
            }}
          />
          <p class="hint">
            tf, imagenet or caffe, and size=, resize=, mean=a:b:c, std=a:b:c, scale=, order=rgb or bgr; press Enter to
            apply.
          </p>
        </div>
        <div class="row">
          <FileButton
            id="labels-file"
            text="Names of the classes…"
            class="button--small"
            accept=".txt,.csv"
            onFiles={([file]) => {
              if (file === undefined) return;
              readLabels(file)
                .then((lines) => {
                  if (lines.length !== classes) {
                    throw new Error(
                      `“${file.name}” has ${lines.length} names and the network ${classes} outputs; give a file with one name a line, in the order of the outputs`,
                    );
                  }
                  labels.value = lines;
                  apply();
                })
                .catch(showAlert);
            }}
          />
          <p class="hint">A text file with a name a line.</p>
        </div>
      </form>
    </details>
  );
}
