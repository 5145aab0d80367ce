// The float network: which one, how far its download is, and the session that answers photos with it.
import { signal } from '@preact/signals';
import { type LoadOptions, type ModelSource, type Progress, type RemoteModel, type Session } from 'kdequant';

import { isAbort, messageOf } from './alerts.js';
import { startEngine } from './engine.js';
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

const BUNDLED = { name: 'EfficientNet-Lite0', url: './efficientnet-lite0.onnx' };

/** Files above this are refused before they are read: a tab has 4 GB at most, and a network needs several times its file. */
export const MAX_FILE_BYTES = 600e6;

export const network = signal<NetworkState>({ kind: 'idle' });

let loading: AbortController | undefined;
const replaced: (() => void)[] = [];

/** Calls `listener` whenever another network takes the place of the one before, whose handles are void by then. */
export function onNetworkReplaced(listener: () => void): void {
  replaced.push(listener);
}

/** Loads the network that comes with the page. */
export function loadBundled(): Promise<void> {
  return load(BUNDLED.name, () => new URL(BUNDLED.url, document.baseURI));
}

/** Loads an ONNX file of the visitor's. */
export function loadFile(file: File, options: Pick<LoadOptions, 'preprocess' | 'labels'> = {}): Promise<void> {
  const source = (): File => {
    if (file.size <= MAX_FILE_BYTES) return file;
    const megabytes = Math.round(file.size / 1e6);
    throw new Error(
      `"${file.name}" has ${megabytes} MB; a browser tab has room for networks of up to 600 MB. Use the kdequant command for it.`,
    );
  };
  return load(file.name, source, options);
}

/** Rejects with what went wrong; then the network before, where there was one, is still there. */
async function load(name: string, source: () => ModelSource, options: LoadOptions = {}): Promise<void> {
  loading?.abort();
  const controller = new AbortController();
  loading = controller;
  const before = network.peek();
  const show = (progress: Progress): void => {
    if (loading === controller) network.value = { kind: 'loading', name, progress };
  };
  show({ fraction: 0, stage: 'starting the engine' });
  try {
    const engine = await startEngine();
    const model = await engine.loadModel(source(), { ...options, onProgress: show, signal: controller.signal });
    const session = await warmSession(model);
    if (loading !== controller) return;
    for (const listener of replaced) listener();
    if (before.kind === 'ready') {
      before.session.dispose();
      before.model.dispose();
    }
    network.value = { kind: 'ready', name, model, session };
  } catch (error) {
    if (loading !== controller) return;
    network.value = before.kind === 'ready' ? before : { kind: 'failed', message: messageOf(error) };
    if (!isAbort(error)) throw error;
  }
}
