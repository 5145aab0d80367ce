// What a page and its worker say to each other.
//
// Our own few messages rather than a general proxy library: errors must keep their code and layer, an AbortSignal must reach the
// worker between two steps, whatever is under way must reject when a worker dies, and a worker's module graph must load without
// a bundler (import maps do not apply in workers).
import { KdequantError, type KdequantErrorCode } from '../errors.js';
import { type Counted } from '../evaluate.js';
import { type LabelRow } from '../folder.js';
import {
  type Build,
  type Classification,
  type ClassifyOptions,
  type Decoder,
  type FeatureMapOptions,
  type FeatureMaps,
  type HistogramOptions,
  type LayerHistogram,
  type LayerReport,
  type LayerSample,
  type LoadOptions,
  type ModelSource,
  type ModelSummary,
  type OutputError,
  type PictureInput,
  type PrepareOptions,
  type Progress,
  type QuantizeOptions,
  type QuantizeReport,
  type RgbaPixels,
  type SampleOptions,
  type SessionInfo,
  type SessionOptions,
  type StepTime,
} from '../types.js';

/** Names an object that lives in the worker. */
export type ObjectId = number;

export interface RemoteModelState {
  readonly model: ObjectId;
  readonly build: Build;
  readonly bytes: number;
  readonly summary: ModelSummary;
}

export interface RemoteSessionState {
  readonly session: ObjectId;
  readonly info: SessionInfo;
}

type WithoutCallbacks<T> = Omit<T, 'onProgress' | 'onLayer' | 'signal'>;

/** A Response cannot be sent to a worker: the page reads it. */
export type SendableSource = Exclude<ModelSource, Response | URL>;

/** Everything the worker does: arguments and result of each call. */
export interface Calls {
  loadModel: { args: { source: SendableSource; options: WithoutCallbacks<LoadOptions> }; result: RemoteModelState };
  quantize: {
    args: { model: ObjectId; options: WithoutCallbacks<QuantizeOptions> };
    result: RemoteModelState & { report: QuantizeReport };
  };
  createSession: { args: { model: ObjectId; options: SessionOptions }; result: RemoteSessionState };
  toOnnx: { args: { model: ObjectId }; result: Uint8Array<ArrayBuffer> };
  layerWeights: { args: { model: ObjectId; layer: string }; result: Float32Array<ArrayBuffer> };
  layerHistogram: { args: { model: ObjectId; layer: string; options: HistogramOptions }; result: LayerHistogram };
  layerSample: { args: { model: ObjectId; layer: string; options: SampleOptions }; result: LayerSample };
  classify: { args: { session: ObjectId; picture: PictureInput; options: ClassifyOptions }; result: Classification };
  logits: { args: { session: ObjectId; picture: PictureInput }; result: Float32Array<ArrayBuffer> };
  run: { args: { session: ObjectId; input: Float32Array }; result: Float32Array<ArrayBuffer> };
  crop: { args: { session: ObjectId; picture: PictureInput }; result: RgbaPixels };
  profile: { args: { session: ObjectId; picture: PictureInput }; result: readonly StepTime[] };
  featureMaps: {
    args: { session: ObjectId; picture: PictureInput; layer: string; options: FeatureMapOptions };
    result: FeatureMaps;
  };
  compareOutputs: {
    args: { session: ObjectId; picture: PictureInput; reference: ObjectId };
    result: readonly OutputError[];
  };
  createTally: { args: { session: ObjectId; reference: ObjectId | undefined }; result: { tally: ObjectId } };
  addToTally: { args: { tally: ObjectId; picture: PictureInput; classIndex: number | undefined }; result: Counted };
  parseLabelTable: { args: { csv: string }; result: readonly LabelRow[] };
  prepare: { args: { options: PrepareOptions }; result: { build: Build } };
  availableBuilds: { args: object; result: readonly Build[] };
  deadLeaves: { args: { size: number; seed: number; index: number | undefined }; result: RgbaPixels };
  decodePicture: { args: { picture: PictureInput; decoder: Decoder | undefined }; result: RgbaPixels };
}
export type CallName = keyof Calls;

export type ToWorker =
  | { readonly type: 'hello' }
  | { readonly type: 'call'; readonly id: number; readonly name: CallName; readonly args: Calls[CallName]['args'] }
  | { readonly type: 'abort'; readonly id: number }
  | { readonly type: 'release'; readonly object: ObjectId };

export type FromWorker =
  /** Said at the start, and in answer to `hello`: whichever side comes up last, the page hears it. */
  | { readonly type: 'ready' }
  | { readonly type: 'progress'; readonly id: number; readonly progress: Progress }
  | { readonly type: 'layer'; readonly id: number; readonly layer: LayerReport }
  | { readonly type: 'result'; readonly id: number; readonly result: Calls[CallName]['result'] }
  | { readonly type: 'failure'; readonly id: number; readonly error: SentError };

export interface SentError {
  readonly code: KdequantErrorCode;
  readonly message: string;
  readonly layer?: string | undefined;
}

export function toSentError(error: unknown): SentError {
  if (error instanceof KdequantError) return { code: error.code, message: error.message, layer: error.layer };
  return { code: 'internal', message: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
}

export function fromSentError({ code, message, layer }: SentError): KdequantError {
  return new KdequantError(code, message, layer);
}

/** One end of the line: a browser's worker or Node's, seen from either side. */
export interface Port<Sent, Received> {
  send(message: Sent, transfer: Transferable[]): void;
  receive(listener: (message: Received) => void): void;
}

/** The memory of a result that can move to the other side instead of being copied. */
export function transferables(value: unknown): Transferable[] {
  if (ArrayBuffer.isView(value)) return [value.buffer as ArrayBuffer];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap((part) => (ArrayBuffer.isView(part) ? [part.buffer as ArrayBuffer] : []));
}
