// Files dropped or pasted anywhere on the page: a network is loaded, photos are shown, a folder is scored.
import { signal } from '@preact/signals';

import { clearAlert, showAlert } from './alerts.js';
import { openDropped, openFiles } from './folder.js';
import { loadFile } from './network.js';
import { addPhotos, MAX_PHOTOS } from './photos.js';

/** Whether something is being dragged over the page. */
export const dragging = signal(false);

/** The network that was dropped or pasted last. */
export const droppedNetwork = signal<File | undefined>(undefined);

export function receive(files: readonly File[]): void {
  clearAlert();
  const network = files.find(({ name }) => name.toLowerCase().endsWith('.onnx'));
  if (network !== undefined) {
    droppedNetwork.value = network;
    loadFile(network).catch(showAlert);
  }
  const others = files.filter((file) => file !== network);
  if (others.length > MAX_PHOTOS) openFiles(others);
  else addPhotos(others);
}

export function acceptFiles(): void {
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    dragging.value = true;
  });
  document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) dragging.value = false;
  });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    dragging.value = false;
    if (event.dataTransfer === null || openDropped(event.dataTransfer, showAlert)) return;
    receive(Array.from(event.dataTransfer.files));
  });
  document.addEventListener('paste', (event) => {
    const files = Array.from(event.clipboardData?.files ?? []);
    if (files.length > 0) receive(files);
  });
}
