// The same API with all heavy work in a worker.
import { type LoadOptions, type ModelSource, type PictureInput, type RemoteModel, type RgbaPixels } from './types.js';

export interface ConnectOptions {
  /** A module worker of your own that runs `kdequant/worker`. Default: one that this package starts. */
  readonly worker?: Worker;
}

/** A worker with the package in it. */
export interface RemoteEngine extends Disposable {
  /** As `loadModel` of the package; relative addresses are relative to the page. */
  loadModel(source: ModelSource, options?: LoadOptions): Promise<RemoteModel>;
  /** A synthetic calibration picture, for showing. */
  deadLeaves(size: number, seed: number): Promise<RgbaPixels>;
  decodePicture(picture: PictureInput): Promise<RgbaPixels>;
  /** Ends the worker at once; whatever was under way rejects with a `KdequantError` of code `cancelled`. */
  terminate(): void;
}

/** Starts a worker and waits until it answers. */
export declare function connect(options?: ConnectOptions): Promise<RemoteEngine>;
