// The float network: which one, how far its download is, and the session that answers photos with it.
import { computed, signal } from '@preact/signals';
import { type Progress, type RemoteModel, type Session } from 'kdequant';

import { addressed, text } from './address.js';
import { isAbort, messageOf } from './alerts.js';
import { noteFailure, startEngine } from './engine.js';
import { type OfferedNetwork, downloadParts, fetchOffered, forgetOtherParts } from './parts.js';
import { warmSession } from './warm-session.js';

/** A network that can answer. */
export interface Answering {
  readonly name: string;
  readonly model: RemoteModel;
  readonly session: Session;
}

export type NetworkState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'loading'; readonly name: string; readonly progress: Progress }
  | ({ readonly kind: 'ready' } & Answering)
  | { readonly kind: 'failed'; readonly message: string };

/** What the visitor may say about a network; what is missing is the file's own. */
export interface NetworkSettings {
  /** A preprocessing SPEC. */
  readonly preprocess?: string;
  readonly labels?: readonly string[];
}

/** Files above this are refused before they are read: a tab has 4 GB at most, and a network needs several times its file. */
export const MAX_FILE_BYTES = 600e6;

export const network = signal<NetworkState>({ kind: 'idle' });

/** The networks that come with the page. */
export const offered = signal<readonly OfferedNetwork[]>([]);

/** Which of them was chosen last; the visitor's own file cannot be in an address. */
export const chosen = addressed('network', text, 'efficientnet-lite0');

/** The file of the network at hand, for loading it again with other settings. */
const source = signal<{ readonly name: string; readonly file: Blob; readonly own: boolean } | undefined>(undefined);

/** Whether the network at hand is a file of the visitor's. */
export const isOwn = computed(() => source.value?.own ?? false);

/** The layers with weights, in the network's order. */
export const weightLayers = computed(() =>
  network.value.kind === 'ready' ? network.value.model.layers.filter(({ weights }) => weights > 0) : [],
);

let loading: AbortController | undefined;
/** What the network at hand was loaded with. */
let settingsAtHand: NetworkSettings = {};
/** The network that stays if another one cannot be loaded. */
let ready: Extract<NetworkState, { kind: 'ready' }> | undefined;
const replaced: (() => void)[] = [];

/** Calls `listener` whenever another network takes the place of the one before, whose handles are void by then. */
export function onNetworkReplaced(listener: () => void): void {
  replaced.push(listener);
}

/** Finds out what the page offers and loads the network that the address names. */
export async function loadFirst(): Promise<void> {
  try {
    if (offered.value.length === 0) offered.value = await fetchOffered();
  } catch (error) {
    network.value = { kind: 'failed', message: messageOf(error) };
    throw error;
  }
  const first = offered.value.find(({ id }) => id === chosen.value) ?? offered.value[0];
  if (first === undefined) throw new Error('this page was built without a network; open an ONNX file of your own');
  await loadOffered(first);
  await forgetOtherParts(offered.value);
}

/** Downloads, or takes from what was kept, a network of the page's. */
export function loadOffered(wanted: OfferedNetwork): Promise<void> {
  chosen.value = wanted.id;
  return load(wanted.name, false, {}, (show, signal) =>
    downloadParts(
      wanted,
      (loaded) => {
        show({ stage: 'downloading', fraction: loaded / wanted.bytes, loaded, total: wanted.bytes });
      },
      signal,
    ),
  );
}

/** Loads an ONNX file of the visitor's. */
export async function loadFile(file: File): Promise<void> {
  if (file.size > MAX_FILE_BYTES) {
    throw new Error(
      `“${file.name}” has ${Math.round(file.size / 1e6)} MB, and a browser tab has room for networks of up to ${MAX_FILE_BYTES / 1e6} MB. Use the kdequant command for it.`,
    );
  }
  try {
    await load(file.name, true, {}, () => Promise.resolve(file));
  } catch (error) {
    throw new Error(`“${file.name}”: ${messageOf(error)}`, { cause: error });
  }
}

/** Loads the network at hand again, with other settings. */
export async function reload(settings: NetworkSettings): Promise<void> {
  const now = source.value;
  if (now !== undefined) await load(now.name, now.own, settings, () => Promise.resolve(now.file));
}

/** Loads the network at hand into an engine that was started anew. */
export async function reloadAfterCrash(): Promise<void> {
  for (const listener of replaced) listener();
  ready = undefined; // its handles ended with the engine
  const now = source.value;
  if (now === undefined) await loadFirst();
  else await load(now.name, now.own, settingsAtHand, () => Promise.resolve(now.file));
}

/** Gives up the download or reading that is under way. */
export function cancelLoad(): void {
  loading?.abort();
}

/** Rejects with what went wrong; then the network before, where there was one, is still there. */
async function load(
  name: string,
  own: boolean,
  settings: NetworkSettings,
  obtain: (show: (progress: Progress) => void, signal: AbortSignal) => Promise<Blob>,
): Promise<void> {
  const before = ready;
  loading?.abort();
  const controller = new AbortController();
  const { signal } = controller;
  loading = controller;
  const show = (progress: Progress): void => {
    if (loading === controller) network.value = { kind: 'loading', name, progress };
  };
  show({ fraction: 0, stage: 'starting' });
  try {
    const [file, engine] = await Promise.all([obtain(show, signal), startEngine()]);
    const model = await engine.loadModel(file, {
      ...settings,
      signal,
      onProgress: () => {
        show({ fraction: 1, stage: 'reading' });
      },
    });
    const session = await warmSession(model);
    if (loading !== controller) return;
    for (const listener of replaced) listener();
    before?.session.dispose();
    before?.model.dispose();
    source.value = { name, file, own };
    settingsAtHand = settings;
    ready = { kind: 'ready', name, model, session };
    network.value = ready;
  } catch (error) {
    if (loading !== controller) return;
    loading = undefined;
    controller.abort(); // parts that are still on their way
    network.value = before ?? { kind: 'failed', message: messageOf(error) };
    if (before !== undefined) noteFailure(error);
    if (!isAbort(error)) throw error;
  }
}
