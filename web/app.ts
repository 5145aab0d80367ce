// What the page knows: the float network, the 4-bit network made of it, and the work under way. The cards show it and ask for more.
import {
  type LayerReport,
  type Progress,
  type QuantizeOptions,
  type QuantizeReport,
  type RemoteModel,
  type Session,
} from 'kdequant';
import { type RemoteEngine, connect } from 'kdequant/worker-client';

import { isAbort, messageOf } from './alerts.js';

/** A network that can answer. */
export interface Ready {
  readonly name: string;
  readonly model: RemoteModel;
  readonly session: Session;
}

export type ModelState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'loading'; readonly name: string; readonly progress: Progress }
  | ({ readonly kind: 'ready' } & Ready)
  | { readonly kind: 'failed'; readonly message: string };

export type QuantizeState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'running'; readonly progress: Progress; readonly layers: readonly LayerReport[] }
  | ({ readonly kind: 'ready'; readonly report: QuantizeReport } & Ready)
  | { readonly kind: 'failed'; readonly message: string };

/** The settings that the page offers; the rest is the package's default. */
export type QuantizeSettings = Pick<QuantizeOptions, 'method' | 'granularity' | 'effort' | 'samples'>;

const BUNDLED = { name: 'EfficientNet-Lite0', url: './efficientnet-lite0.onnx' };

/** Files above this are refused before they are read: a tab has 4 GB at most, and a network needs several times its file. */
const MAX_FILE_BYTES = 600e6;

// The browser's baseline compiler runs the kernels several times slower until it has seen them busy.
const WARM_UP_RUNS = 2;

export class App {
  model: ModelState = { kind: 'idle' };
  quantized: QuantizeState = { kind: 'idle' };
  private engine: Promise<RemoteEngine> | undefined;
  private loading: AbortController | undefined;
  private quantizing: AbortController | undefined;
  private readonly listeners: (() => void)[] = [];

  /** Calls `listener` after every change of `model` or `quantized`. */
  subscribe(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** Loads the network that comes with the page. */
  loadBundled(): Promise<void> {
    return this.load(BUNDLED.name, () => new URL(BUNDLED.url, document.baseURI));
  }

  /** Loads an ONNX file of the visitor's. */
  loadFile(file: File): Promise<void> {
    return this.load(file.name, () => {
      if (file.size <= MAX_FILE_BYTES) return file;
      const megabytes = Math.round(file.size / 1e6);
      throw new Error(
        `"${file.name}" has ${megabytes} MB; a browser tab has room for networks of up to 600 MB. Use the kdequant command for it.`,
      );
    });
  }

  /** Makes the 4-bit network; an earlier one is replaced when the new one is ready, and kept if this fails or is cancelled. */
  async quantize(settings: QuantizeSettings): Promise<void> {
    if (this.model.kind !== 'ready') return;
    this.quantizing?.abort();
    const controller = new AbortController();
    this.quantizing = controller;
    const { model: float, name } = this.model;
    const before = this.quantized;
    const layers: LayerReport[] = [];
    const show = (progress: Progress): void => {
      if (this.quantizing !== controller) return;
      this.quantized = { kind: 'running', progress, layers };
      this.changed();
    };
    show({ fraction: 0, stage: 'starting' });
    try {
      const { model, report } = await float.quantize({
        ...settings,
        signal: controller.signal,
        onProgress: show,
        onLayer: (layer) => layers.push(layer),
      });
      const session = await this.warmSession(model);
      if (this.quantizing !== controller) return;
      if (before.kind === 'ready') disposeOf(before);
      this.quantized = { kind: 'ready', name: `${name}, 4-bit`, model, session, report };
    } catch (error) {
      if (this.quantizing !== controller) return;
      this.quantized = isAbort(error) ? before : { kind: 'failed', message: messageOf(error) };
    } finally {
      if (this.quantizing === controller) this.quantizing = undefined;
    }
    this.changed();
  }

  cancelQuantize(): void {
    this.quantizing?.abort();
  }

  private async load(name: string, source: () => URL | File): Promise<void> {
    this.loading?.abort();
    this.cancelQuantize();
    const controller = new AbortController();
    this.loading = controller;
    const before = this.model;
    const show = (progress: Progress): void => {
      if (this.loading !== controller) return;
      this.model = { kind: 'loading', name, progress };
      this.changed();
    };
    show({ fraction: 0, stage: 'starting the engine' });
    try {
      this.engine ??= connect();
      const engine = await this.engine;
      const model = await engine.loadModel(source(), { onProgress: show, signal: controller.signal });
      const session = await this.warmSession(model);
      if (this.loading !== controller) return;
      this.replaceModel({ kind: 'ready', name, model, session }, before);
    } catch (error) {
      if (this.loading !== controller) return;
      this.model = before.kind === 'ready' ? before : { kind: 'failed', message: messageOf(error) };
      if (!isAbort(error)) {
        this.changed();
        throw error;
      }
    }
    this.changed();
  }

  private replaceModel(next: ModelState, before: ModelState): void {
    if (before.kind === 'ready') disposeOf(before);
    if (this.quantized.kind === 'ready') disposeOf(this.quantized);
    this.quantized = { kind: 'idle' };
    this.model = next;
  }

  private async warmSession(model: RemoteModel): Promise<Session> {
    const session = await model.createSession();
    const length = session.info.inputShape.reduce((product, dimension) => product * dimension, 1);
    for (let run = 0; run < WARM_UP_RUNS; ++run) await session.run(new Float32Array(length));
    return session;
  }

  private changed(): void {
    for (const listener of this.listeners) listener();
  }
}

function disposeOf(ready: Ready): void {
  ready.session.dispose();
  ready.model.dispose();
}
