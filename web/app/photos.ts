// The photos at hand: samples that come with the page, and the visitor's.
import { signal } from '@preact/signals';

import { showAlert } from './alerts.js';
import { addressed, text } from './address.js';

export interface SamplePhoto {
  readonly file: string;
  readonly title: string;
  readonly alt: string;
  readonly credit: string;
}

export interface Photo {
  readonly id: number;
  readonly name: string;
  readonly blob: Blob;
}

/** How many photos are shown one by one. */
export const MAX_PHOTOS = 12;
const FIRST_SAMPLE = 'chelsea.jpg';

export const samples = signal<readonly SamplePhoto[]>([]);

/** The sample that is shown, by its file; empty when only the visitor's photos are. */
export const sample = addressed('photo', text, FIRST_SAMPLE);

/** The photos that are shown, the latest first. */
export const photos = signal<readonly Photo[]>([]);

let lastId = 0;

export function addPhotos(files: readonly File[]): void {
  if (files.length === 0) return;
  if (files.length > MAX_PHOTOS) showAlert(`The first ${MAX_PHOTOS} of ${files.length} photos are shown.`);
  const added = files.slice(0, MAX_PHOTOS).map((blob) => ({ id: ++lastId, name: blob.name, blob }));
  photos.value = [...added.reverse(), ...photos.value].slice(0, MAX_PHOTOS);
}

export function removePhoto(photo: Photo): void {
  photos.value = photos.value.filter((other) => other !== photo);
}

/** Shows a sample photo first. One that is shown already keeps its answers. */
export async function addSample({ file, title }: SamplePhoto): Promise<void> {
  if (!moveToFront(title)) {
    const answer = await fetch(sampleUrl(file));
    if (!answer.ok) throw new Error(`the photo "${title}" could not be loaded (the server answered ${answer.status})`);
    const blob = await answer.blob();
    // Asked for twice, it may have come meanwhile.
    if (!moveToFront(title)) addPhotos([new File([blob], title)]);
  }
  sample.value = file;
}

/** False where no photo of that name is shown. */
function moveToFront(name: string): boolean {
  const photo = photos.value.find((other) => other.name === name);
  if (photo === undefined) return false;
  photos.value = [photo, ...photos.value.filter((other) => other !== photo)];
  return true;
}

export function sampleUrl(file: string): string {
  return `./photos/${file}`;
}

/** Reads the list of samples and shows the one that the address names. */
export async function loadSamples(): Promise<void> {
  const response = await fetch('./photos/photos.json');
  if (!response.ok) throw new Error(`the sample photos could not be loaded (the server answered ${response.status})`);
  const found = (await response.json()) as readonly SamplePhoto[];
  samples.value = found;
  const first = found.find(({ file }) => file === sample.value);
  if (first !== undefined) await addSample(first);
}
