// What the WebAssembly modules give to TypeScript: the classes of wasm/bindings, typed by hand.

import { type LayerHistogram, type LayerSample } from './types.js';

/** A binding's way to fail. */
export interface Failure {
  readonly failure: { readonly code: string; readonly message: string; readonly layer: string };
}

/** Frees the C++ object now. Embind does it too once the handle is garbage. */
export interface Handle {
  delete(): void;
}

/** Views are over the module's memory: copy at once, any later call may detach them. */
export interface NativeBytes extends Handle {
  view(offset: number, length: number): Uint8Array;
}

export interface NativeModel extends Handle {
  fileBytes(): number;
  summary(): string;
  layerWeights(layer: string): Float32Array | Failure;
}

export interface NativeStep {
  readonly done: boolean;
  readonly fraction: number;
  readonly stage: string;
  readonly layer: string;
  readonly layers: number;
}

/** Something that takes the pixels of one picture at a time. */
export interface PixelSink {
  reserve(width: number, height: number, channels: number): Uint8Array | Failure;
}

export interface NativeQuantization extends Handle, PixelSink {
  addPicture(): undefined | Failure;
  step(budgetMilliseconds: number): NativeStep | Failure;
  reportFrom(first: number): string;
  finish(): { readonly model: NativeModel; readonly report: string } | Failure;
}

export interface NativeSession extends Handle, PixelSink {
  info(): string;
  classify(
    top: number,
  ):
    | { readonly milliseconds: number; readonly preprocessMilliseconds: number; readonly answers: Float64Array }
    | Failure;
  logits(): Float32Array | Failure;
  crop(): Uint8Array | Failure;
  input(): Float32Array | Failure;
  run(): Float32Array | Failure;
}

export interface NativeFeatureMaps {
  readonly channels: number;
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
  readonly ranges: number[];
}

export interface NativeOutputError {
  readonly layer: string;
  readonly op: string;
  /** Sums over the elements of the output: of the reference's squares, and of the squared differences. */
  readonly signal: number;
  readonly error: number;
}

/** Counts answers; its pictures go through the pixels of its session. */
export interface NativeTally extends Handle {
  add(
    label: number,
    top: number,
  ):
    | {
        readonly milliseconds: number;
        readonly answers: Float64Array;
        readonly referenceMilliseconds: number;
        readonly referenceAnswers: Float64Array;
      }
    | Failure;
  figures(): string;
}

export interface BytesClass {
  create(size: number): NativeBytes | Failure;
}

/** Where a thread computes; addresses in the module's memory and indices in its table of functions. */
export interface ThreadStack {
  readonly stack: number;
  readonly setStack: number;
  readonly serve: number;
  readonly pool: number;
}

export interface EngineModule {
  readonly Bytes: BytesClass;
  readonly Model: {
    load(
      file: NativeBytes,
      length: number,
      preprocess: string,
      labels: string,
      labelSet: string,
    ): NativeModel | Failure;
  };
  readonly Session: {
    create(
      model: NativeModel,
      precision: string,
      kernels: string,
      dynamicRanges: boolean,
      threads: number,
    ): NativeSession | Failure;
  };
  selfTest(seed: number): boolean;
  /** Makes an `EngineTools` of this, once their module is instantiated. */
  addTools(): void;
  /** Of the build with threads only. */
  prepareThread?(): ThreadStack | Failure;
  admitThreads?(threads: number, maySleep: boolean): void;
}

/** What the module of the tools adds. */
export interface EngineTools {
  readonly Quantization: { create(model: NativeModel, options: string): NativeQuantization | Failure };
  readonly Tally: { create(session: NativeSession, reference: NativeSession | null): NativeTally | Failure };
  toOnnx(model: NativeModel): Uint8Array | Failure;
  layerHistogram(model: NativeModel, layer: string, bins: number, options: string): LayerHistogram | Failure;
  layerSample(model: NativeModel, layer: string, options: string): LayerSample | Failure;
  profile(session: NativeSession): { layer: string; op: string; milliseconds: number }[] | Failure;
  featureMaps(
    session: NativeSession,
    layer: string,
    first: number,
    count: number,
    ranges: ArrayLike<number>,
  ): NativeFeatureMaps | Failure;
  compareOutputs(session: NativeSession, reference: NativeSession): NativeOutputError[] | Failure;
  labelTable(csv: string): { file: string; classIndex: number }[] | Failure;
  deadLeaves(size: number, seed: number, index: number): Uint8ClampedArray<ArrayBuffer> | Failure;
}

export interface DecoderModule {
  readonly Bytes: BytesClass;
  decode(
    file: NativeBytes,
    length: number,
  ): { readonly width: number; readonly height: number; readonly data: Uint8ClampedArray<ArrayBuffer> } | Failure;
}

/** What Emscripten's module files export. */
export type ModuleFactory<M> = (options: {
  instantiateWasm(
    imports: WebAssembly.Imports,
    receive: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
  ): object;
}) => Promise<M>;
