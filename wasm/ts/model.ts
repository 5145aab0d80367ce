// A model in this thread: reading it, quantizing it in steps, writing it.
import { makeDisposable } from './disposable.js';
import { type NativeModel, type NativeQuantization } from './engine-module.js';
import { type Engine, loadEngine } from './engine.js';
import { KdequantError, ask } from './errors.js';
import { labelsOf } from './labels.js';
import { fillPixels, toPixels } from './pixels.js';
import { nextTurn } from './platform.js';
import { LocalSession } from './session.js';
import { type OpenedSource, openSource, readIntoEngine } from './source.js';
import { checkThreads, defaultThreads } from './threads.js';
import {
  type Build,
  type HistogramOptions,
  type LayerHistogram,
  type LayerSample,
  type LayerSummary,
  type LoadOptions,
  type Model,
  type ModelSource,
  type ModelSummary,
  type PictureInput,
  type Progress,
  type QuantizeOptions,
  type QuantizeReport,
  type QuantizeResult,
  type SampleOptions,
  type Session,
  type SessionOptions,
} from './types.js';

/** Work at a stretch: short enough for a page that scrolls and for an abort that feels immediate. */
const stepMilliseconds = 16;

/** Reads an ONNX model. Rejects with a KdequantError, or with the signal's reason if it is aborted. */
export async function loadModel(source: ModelSource, options: LoadOptions = {}): Promise<Model> {
  const { onProgress, signal, build = 'auto', preprocess = '', labels = [] } = options;
  signal?.throwIfAborted();
  const { engine, opened } = await together(loadEngine(build), openSource(source, signal));
  const { bytes, length } = await readIntoEngine(opened, engine.native.Bytes, {
    onProgress,
    signal,
    // Reading another network than a 4-bit one takes the tools, and so does quantizing it: they come meanwhile.
    onFirst(chunk) {
      if (!isQuantized(chunk)) engine.tools.prefetch();
    },
  });
  try {
    onProgress?.({ stage: 'reading', fraction: 1 });
    if (isQuantized(bytes.view(0, length))) await nextTurn();
    else await engine.tools.get();
    signal?.throwIfAborted();
    const named = typeof labels === 'string' ? [] : labels;
    if (named.some((label) => label.includes('\n')))
      throw new KdequantError('usage', 'a label must not contain a line break');
    const labelSet = typeof labels === 'string' ? labels : '';
    return new LocalModel(
      engine,
      ask(() => engine.native.Model.load(bytes, length, preprocess, named.join('\n'), labelSet)),
    );
  } finally {
    bytes.delete();
  }
}

/** Whether a file is one that we quantized, as we write it: metadata first. */
function isQuantized(file: Uint8Array): boolean {
  // A copy: text is not decoded from memory that threads share.
  const head = file.slice(0, 64 * 1024);
  return new TextDecoder('latin1').decode(head).includes('kdequant.version');
}

/** The model is asked for while the engine is still on its way: on a slow line neither waits for the other. */
async function together(
  loading: Promise<Engine>,
  opening: Promise<OpenedSource>,
): Promise<{ engine: Engine; opened: OpenedSource }> {
  try {
    const [engine, opened] = await Promise.all([loading, opening]);
    return { engine, opened };
  } catch (error) {
    // What has been opened, or will be, for an engine that does not come.
    opening.then(
      (opened) => {
        opened.cancel();
      },
      () => undefined,
    );
    throw error;
  }
}

export class LocalModel implements Model {
  readonly build: Build;
  readonly bytes: number;
  readonly summary: ModelSummary;
  declare readonly [Symbol.dispose]: () => void;
  readonly #engine: Engine;
  #native: NativeModel | undefined;

  constructor(engine: Engine, native: NativeModel) {
    this.#engine = engine;
    this.#native = native;
    this.build = engine.build;
    this.bytes = native.fileBytes();
    const summary = JSON.parse(native.summary()) as ModelSummary;
    // Levels are floats, told by no more digits than it takes to find them again.
    const layers = summary.layers.map((layer) => ({ ...layer, levels: layer.levels.map(Math.fround) }));
    this.summary = { ...summary, layers };
  }

  get layers(): readonly LayerSummary[] {
    return this.summary.layers;
  }

  classNames(): Promise<readonly string[] | undefined> {
    return labelsOf(this.summary);
  }

  async quantize(options: QuantizeOptions = {}): Promise<QuantizeResult<Model>> {
    const { onProgress, onLayer, signal, calibration, ...settings } = options;
    signal?.throwIfAborted();
    const pictures = typeof calibration === 'object' ? calibration : [];
    const json = JSON.stringify({
      ...settings,
      calibration: typeof calibration === 'object' ? 'pictures' : calibration,
    });
    const tools = await this.#engine.tools.get();
    const job = ask(() => tools.Quantization.create(this.#handle(), json));
    try {
      await addPictures(job, pictures.slice(0, settings.pictures), onProgress, signal);
      await runToEnd(job, { onProgress, onLayer, signal });
      const { model, report } = ask(() => job.finish());
      return { model: new LocalModel(this.#engine, model), report: parseReport(report) };
    } finally {
      job.delete();
    }
  }

  async createSession(options: SessionOptions = {}): Promise<Session> {
    const threads = checkThreads(options.threads ?? defaultThreads());
    const { precision, kernels = 'best', dynamicRanges = false } = options;
    // Whatever else there is takes kernels of the tools.
    const settings = this.summary.metadata['kdequant.settings'] ?? '';
    const hasRanges = settings.includes('"activations":"static"');
    if (precision === 'f32' || kernels !== 'best' || dynamicRanges || !hasRanges) await this.#engine.tools.get();
    // After the tools: new threads are given what has arrived.
    await this.#engine.team?.grow(threads);
    return new LocalSession(this.#engine, this.#handle(), this.summary, { ...options, threads });
  }

  /** Fetches what `toOnnx`, `layerHistogram` and `layerSample` take, which otherwise make everything else wait for it. */
  async fetchTools(): Promise<void> {
    await this.#engine.tools.get();
  }

  toOnnx(): Uint8Array<ArrayBuffer> {
    return ask(() => this.#engine.tools.now().toOnnx(this.#handle())).slice();
  }

  layerWeights(name: string): Float32Array<ArrayBuffer> {
    return ask(() => this.#handle().layerWeights(name)).slice();
  }

  layerHistogram(name: string, options: HistogramOptions = {}): LayerHistogram {
    const { bins = 4096, ...settings } = options;
    const histogram = ask(() =>
      this.#engine.tools.now().layerHistogram(this.#handle(), name, bins, JSON.stringify(settings)),
    );
    return { ...histogram, moments: histogram.moments.slice() };
  }

  layerSample(name: string, options: SampleOptions = {}): LayerSample {
    const sample = ask(() => this.#engine.tools.now().layerSample(this.#handle(), name, JSON.stringify(options)));
    return { ...sample, values: sample.values.slice(), importances: sample.importances.slice() };
  }

  dispose(): void {
    this.#native?.delete();
    this.#native = undefined;
  }

  #handle(): NativeModel {
    if (this.#native) return this.#native;
    throw new KdequantError('usage', 'this model was disposed of; load it again');
  }
}
makeDisposable(LocalModel.prototype);

async function addPictures(
  job: NativeQuantization,
  pictures: readonly PictureInput[],
  onProgress: ((progress: Progress) => void) | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const picture of pictures) {
    onProgress?.({ stage: 'reading pictures', fraction: 0 });
    fillPixels(job, await toPixels(picture));
    ask(() => job.addPicture());
    await nextTurn();
    signal?.throwIfAborted();
  }
}

interface Listeners {
  readonly onProgress: QuantizeOptions['onProgress'] | undefined;
  readonly onLayer: QuantizeOptions['onLayer'] | undefined;
  readonly signal: AbortSignal | undefined;
}

async function runToEnd(job: NativeQuantization, { onProgress, onLayer, signal }: Listeners): Promise<void> {
  let seen = 0;
  for (;;) {
    const { done, fraction, stage, layer, layers } = ask(() => job.step(stepMilliseconds));
    if (onLayer && layers > seen)
      parseReport(job.reportFrom(seen)).layers.forEach((report) => {
        onLayer(report);
      });
    seen = layers;
    onProgress?.({ stage, fraction, ...(layer === '' ? {} : { layer }) });
    if (done) return;
    await nextTurn();
    signal?.throwIfAborted();
  }
}

/** The report's keys are snake_case, the command's; ours are camelCase. */
function parseReport(json: string): QuantizeReport {
  return JSON.parse(json, (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [
        key.replace(/_(.)/g, (_match, letter: string) => letter.toUpperCase()),
        item as unknown,
      ]),
    );
  }) as QuantizeReport;
}
