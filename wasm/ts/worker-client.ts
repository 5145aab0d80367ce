// The same API with all heavy work in a worker.
import { collectPictures, type FolderFile, type FolderPictures } from './folder.js';
import { Line } from './remote/line.js';
import { WorkerModel } from './remote/objects.js';
import { sendablePicture, sendableSource } from './remote/pictures.js';
import { webWorkerPort } from './remote/ports.js';
import { startWorker } from './worker-port.js';
import { makeDisposable } from './disposable.js';
import {
  type Build,
  type Decoder,
  type LoadOptions,
  type ModelSource,
  type PictureInput,
  type PrepareOptions,
  type RemoteModel,
  type RgbaPixels,
} from './types.js';

export { KdequantError, type KdequantErrorCode } from './errors.js';
export { type FolderFile, type FolderPictures } from './folder.js';
export type * from './types.js';

export interface ConnectOptions {
  /** A module worker of your own that imports `kdequant/worker`. Default: one that this package starts. */
  readonly worker?: Worker;
}

/** A worker with the package in it. */
export interface RemoteEngine extends Disposable {
  /** As `prepare` of the package. */
  prepare(options?: PrepareOptions): Promise<Build>;
  /** As `loadModel` of the package; relative addresses are relative to the page. */
  loadModel(source: ModelSource, options?: LoadOptions): Promise<RemoteModel>;
  /** As `picturesOfFolder` of the package. */
  picturesOfFolder(files: readonly FolderFile[], classNames?: readonly string[]): Promise<FolderPictures>;
  /** The builds that this runtime computes rightly with, slowest first. */
  availableBuilds(): Promise<readonly Build[]>;
  /** A synthetic picture, for showing; with an `index`, the one that `quantize` with this seed draws as its index-th. */
  deadLeaves(size: number, seed: number, index?: number): Promise<RgbaPixels>;
  /** The pixels of a picture, upright, RGBA. */
  decodePicture(picture: PictureInput, decoder?: Decoder): Promise<RgbaPixels>;
  /** Ends the worker at once; whatever was under way rejects with a `KdequantError` of code `cancelled`. */
  terminate(): void;
  /** The same as `terminate`. */
  dispose(): void;
}

/** Starts a worker and waits until it answers. In Node it is a worker thread. */
export async function connect(options: ConnectOptions = {}): Promise<RemoteEngine> {
  const line = new Line(options.worker ? webWorkerPort(options.worker) : await startWorker());
  await line.ready();
  return new WorkerEngine(line);
}

class WorkerEngine implements RemoteEngine {
  declare readonly [Symbol.dispose]: () => void;
  readonly #line: Line;

  constructor(line: Line) {
    this.#line = line;
  }

  async prepare(options: PrepareOptions = {}): Promise<Build> {
    return (await this.#line.call('prepare', { options })).build;
  }

  async loadModel(input: ModelSource, options: LoadOptions = {}): Promise<RemoteModel> {
    const { onProgress, signal, ...settings } = options;
    const { source, transfer } = await sendableSource(input);
    const state = await this.#line.call('loadModel', { source, options: settings }, { onProgress, signal, transfer });
    return new WorkerModel(this.#line, state);
  }

  picturesOfFolder(files: readonly FolderFile[], classNames?: readonly string[]): Promise<FolderPictures> {
    return collectPictures(files, classNames, (csv) => this.#line.call('parseLabelTable', { csv }));
  }

  availableBuilds(): Promise<readonly Build[]> {
    return this.#line.call('availableBuilds', {});
  }

  deadLeaves(size: number, seed: number, index?: number): Promise<RgbaPixels> {
    return this.#line.call('deadLeaves', { size, seed, index });
  }

  async decodePicture(input: PictureInput, decoder?: Decoder): Promise<RgbaPixels> {
    const { picture, transfer } = await sendablePicture(input);
    return this.#line.call('decodePicture', { picture, decoder }, { transfer });
  }

  terminate(): void {
    this.#line.terminate();
  }

  dispose(): void {
    this.terminate();
  }
}
makeDisposable(WorkerEngine.prototype);
