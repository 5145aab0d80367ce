// Models and sessions of a worker, as the page holds them.
import { makeDisposable } from '../disposable.js';
import { KdequantError } from '../errors.js';
import { type Counted, evaluatePictures } from '../evaluate.js';
import { labelsOf } from '../labels.js';
import {
  type Build,
  type Classification,
  type ClassifyOptions,
  type EvaluateOptions,
  type EvaluationPicture,
  type EvaluationReport,
  type FeatureMapOptions,
  type FeatureMaps,
  type HistogramOptions,
  type LayerHistogram,
  type LayerSample,
  type LayerSummary,
  type ModelSummary,
  type OutputError,
  type PictureInput,
  type QuantizeOptions,
  type QuantizeResult,
  type RemoteModel,
  type RgbaPixels,
  type SampleOptions,
  type Session,
  type SessionInfo,
  type SessionOptions,
  type StepTime,
} from '../types.js';
import { type Line } from './line.js';
import { sendablePicture } from './pictures.js';
import { type ObjectId, type RemoteModelState, type RemoteSessionState } from './protocol.js';

export class WorkerModel implements RemoteModel {
  readonly build: Build;
  readonly bytes: number;
  readonly summary: ModelSummary;
  declare readonly [Symbol.dispose]: () => void;
  readonly #line: Line;
  readonly #id: ObjectId;

  constructor(line: Line, { model, build, bytes, summary }: RemoteModelState) {
    this.#line = line;
    this.#id = model;
    this.build = build;
    this.bytes = bytes;
    this.summary = summary;
    line.releaseWithOwner(this, model);
  }

  get layers(): readonly LayerSummary[] {
    return this.summary.layers;
  }

  classNames(): Promise<readonly string[] | undefined> {
    return labelsOf(this.summary);
  }

  async quantize(options: QuantizeOptions = {}): Promise<QuantizeResult<RemoteModel>> {
    const { onProgress, onLayer, signal, calibration, ...settings } = options;
    const transfer: Transferable[] = [];
    const pictures = [];
    if (typeof calibration === 'object') {
      for (const picture of calibration.slice(0, settings.pictures)) {
        signal?.throwIfAborted();
        const sendable = await sendablePicture(picture);
        pictures.push(sendable.picture);
        transfer.push(...sendable.transfer);
      }
    }
    const args = {
      model: this.#id,
      options: {
        ...settings,
        ...(calibration === undefined ? {} : { calibration: typeof calibration === 'object' ? pictures : calibration }),
      },
    };
    const { report, ...state } = await this.#line.call('quantize', args, { onProgress, onLayer, signal, transfer });
    return { model: new WorkerModel(this.#line, state), report };
  }

  async createSession(options: SessionOptions = {}): Promise<Session> {
    return new WorkerSession(this.#line, await this.#line.call('createSession', { model: this.#id, options }));
  }

  toOnnx(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#line.call('toOnnx', { model: this.#id });
  }

  layerWeights(layer: string): Promise<Float32Array<ArrayBuffer>> {
    return this.#line.call('layerWeights', { model: this.#id, layer });
  }

  layerHistogram(layer: string, options: HistogramOptions = {}): Promise<LayerHistogram> {
    return this.#line.call('layerHistogram', { model: this.#id, layer, options });
  }

  layerSample(layer: string, options: SampleOptions = {}): Promise<LayerSample> {
    return this.#line.call('layerSample', { model: this.#id, layer, options });
  }

  dispose(): void {
    this.#line.release(this.#id, this);
  }
}
makeDisposable(WorkerModel.prototype);

class WorkerSession implements Session {
  readonly info: SessionInfo;
  declare readonly [Symbol.dispose]: () => void;
  readonly #line: Line;
  readonly #id: ObjectId;

  constructor(line: Line, { session, info }: RemoteSessionState) {
    this.#line = line;
    this.#id = session;
    this.info = info;
    line.releaseWithOwner(this, session);
  }

  async classify(input: PictureInput, options: ClassifyOptions = {}): Promise<Classification> {
    const { picture, transfer } = await sendablePicture(input);
    return this.#line.call('classify', { session: this.#id, picture, options }, { transfer });
  }

  async logits(input: PictureInput): Promise<Float32Array<ArrayBuffer>> {
    const { picture, transfer } = await sendablePicture(input);
    return this.#line.call('logits', { session: this.#id, picture }, { transfer });
  }

  async crop(input: PictureInput): Promise<RgbaPixels> {
    const { picture, transfer } = await sendablePicture(input);
    return this.#line.call('crop', { session: this.#id, picture }, { transfer });
  }

  async profile(input: PictureInput): Promise<readonly StepTime[]> {
    const { picture, transfer } = await sendablePicture(input);
    return this.#line.call('profile', { session: this.#id, picture }, { transfer });
  }

  async featureMaps(input: PictureInput, layer: string, options: FeatureMapOptions = {}): Promise<FeatureMaps> {
    const { picture, transfer } = await sendablePicture(input);
    return this.#line.call('featureMaps', { session: this.#id, picture, layer, options }, { transfer });
  }

  async compareOutputs(input: PictureInput, reference: Session): Promise<readonly OutputError[]> {
    const other = this.#sibling(reference);
    const { picture, transfer } = await sendablePicture(input);
    return this.#line.call('compareOutputs', { session: this.#id, picture, reference: other }, { transfer });
  }

  // The page hands over one picture after another, so that it may come from anywhere and stop at any time.
  async evaluate(
    pictures: Iterable<EvaluationPicture> | AsyncIterable<EvaluationPicture>,
    options: EvaluateOptions = {},
  ): Promise<EvaluationReport> {
    const reference = options.reference && this.#sibling(options.reference);
    const { tally } = await this.#line.call('createTally', { session: this.#id, reference });
    const add = async (input: PictureInput, classIndex?: number): Promise<Counted> => {
      const { picture, transfer } = await sendablePicture(input);
      return this.#line.call('addToTally', { tally, picture, classIndex }, { transfer });
    };
    try {
      return await evaluatePictures({ add }, pictures, options);
    } finally {
      this.#line.release(tally);
    }
  }

  run(input: Float32Array): Promise<Float32Array<ArrayBuffer>> {
    return this.#line.call('run', { session: this.#id, input });
  }

  dispose(): void {
    this.#line.release(this.#id, this);
  }

  // Another session of the same worker.
  #sibling(session: Session): ObjectId {
    if (session instanceof WorkerSession && session.#line === this.#line) return session.#id;
    throw new KdequantError('usage', 'the reference must be a session of the same worker');
  }
}
makeDisposable(WorkerSession.prototype);
