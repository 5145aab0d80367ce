// What both networks say to a photo.
import { type Signal } from '@preact/signals';
import { type Classification, type RgbaPixels } from 'kdequant';

import { messageOf } from './alerts.js';
import { noteFailure } from './engine.js';
import { network } from './network.js';
import { type Photo, photos } from './photos.js';
import { isQuantizing, small } from './quantization.js';
import { noteAgreement } from './runs.js';

export type Answers =
  | { readonly kind: 'waiting' }
  | {
      readonly kind: 'ready';
      /** The photo as the networks see it: resized and cropped. */
      readonly seen: RgbaPixels;
      readonly float: Classification;
      /** Undefined while there is no 4-bit network. */
      readonly small: Classification | undefined;
    }
  | { readonly kind: 'failed'; readonly message: string };

/** How many classes are asked for, so that most of either network's first five have their twin in the other's list. */
export const ASKED = 25;

// One photo after another: the worker has one thread, and answers should appear in the order of asking.
let queue: Promise<void> = Promise.resolve();

/** Asks the networks at hand about `photo`. An effect: runs again when a network is replaced; returns what ends it. */
export function answersOf(photo: Photo, answers: Signal<Answers>): () => void {
  const float = network.value;
  const four = small.value;
  let wanted = true;
  const isWanted = (): boolean => wanted; // asked again after every wait
  const end = (): void => {
    wanted = false;
  };
  // While a network is loaded or made, the answers of the earlier one stay.
  if (float.kind !== 'ready' || isQuantizing.value) return end;
  queue = queue.then(async () => {
    if (!isWanted()) return;
    try {
      const seen = await float.session.crop(photo.blob);
      const first = await float.session.classify(photo.blob, { top: ASKED });
      const second = await four?.session.classify(photo.blob, { top: ASKED });
      if (!isWanted()) return;
      answers.value = { kind: 'ready', seen, float: first, small: second };
      if (four !== undefined && second !== undefined)
        countAgreement(photo, four.run.id, topOf(first) === topOf(second));
    } catch (error) {
      if (isWanted() && !noteFailure(error)) answers.value = { kind: 'failed', message: messageOf(error) };
    }
  });
  return end;
}

function topOf({ predictions }: Classification): number | undefined {
  return predictions[0]?.classIndex;
}

// Which photos a run answers as the float network does.
const agreed = new Map<number, Map<number, boolean>>();

/** Notes with the run on how many of the photos that are shown both networks agree. */
function countAgreement(photo: Photo, run: number, same: boolean): void {
  const byPhoto = agreed.get(run) ?? new Map<number, boolean>();
  agreed.set(run, byPhoto.set(photo.id, same));
  const shown = photos.value.flatMap(({ id }) => byPhoto.get(id) ?? []);
  void noteAgreement(run, { same: shown.filter(Boolean).length, of: shown.length });
}
