// A session in this thread.
import { makeDisposable } from './disposable.js';
import { type NativeModel, type NativeSession } from './engine-module.js';
import { type Engine, noThreads } from './engine.js';
import { KdequantError, ask } from './errors.js';
import { Tally, evaluatePictures } from './evaluate.js';
import { labelsOf, toPredictions } from './labels.js';
import { defaultDecoder, fillPixels, toPixels } from './pixels.js';
import {
  type Classification,
  type ClassifyOptions,
  type Decoder,
  type EvaluateOptions,
  type EvaluationPicture,
  type EvaluationReport,
  type FeatureMapOptions,
  type FeatureMaps,
  type ModelSummary,
  type OutputError,
  type PictureInput,
  type RgbaPixels,
  type Session,
  type SessionInfo,
  type SessionOptions,
  type StepTime,
} from './types.js';

export class LocalSession implements Session {
  readonly info: SessionInfo;
  declare readonly [Symbol.dispose]: () => void;
  readonly #engine: Engine;
  readonly #summary: ModelSummary;
  readonly #decoder: Decoder;
  #native: NativeSession | undefined;
  #labels: Promise<readonly string[] | undefined> | undefined;

  /** As many threads as `options` say must have been started. */
  constructor(engine: Engine, model: NativeModel, summary: ModelSummary, options: SessionOptions) {
    const precision = options.precision ?? (summary.quantized ? 'w4a8' : 'f32');
    const native = ask(() =>
      engine.native.Session.create(
        model,
        precision,
        options.kernels ?? 'best',
        options.dynamicRanges ?? false,
        options.threads ?? 1,
      ),
    );
    this.#native = native;
    this.#engine = engine;
    this.#summary = summary;
    this.#decoder = options.decoder ?? defaultDecoder();
    const reason = noThreads();
    this.info = {
      ...(JSON.parse(native.info()) as SessionInfo),
      build: engine.build,
      ...(reason !== undefined && { noThreads: reason }),
    };
  }

  async classify(picture: PictureInput, { top = 5 }: ClassifyOptions = {}): Promise<Classification> {
    const labels = await this.#classNames();
    return this.#withPicture(picture, (native) => {
      const { milliseconds, preprocessMilliseconds, answers } = ask(() => native.classify(top));
      return { predictions: toPredictions(answers, labels), milliseconds, preprocessMilliseconds };
    });
  }

  async logits(picture: PictureInput): Promise<Float32Array<ArrayBuffer>> {
    return this.#withPicture(picture, (native) => ask(() => native.logits()).slice());
  }

  async crop(picture: PictureInput): Promise<RgbaPixels> {
    const data = await this.#withPicture(picture, (native) => new Uint8ClampedArray(ask(() => native.crop())));
    const side = Math.sqrt(data.length / 4);
    return { data, width: side, height: side };
  }

  async profile(picture: PictureInput): Promise<readonly StepTime[]> {
    const tools = await this.#engine.tools.get();
    return this.#withPicture(picture, (native) => ask(() => tools.profile(native)));
  }

  async featureMaps(
    picture: PictureInput,
    layer: string,
    { first = 0, count = 16, ranges = [] }: FeatureMapOptions = {},
  ): Promise<FeatureMaps> {
    if (![first, count].every((value) => Number.isInteger(value) && value >= 0))
      throw new KdequantError('usage', 'first and count must be integers, not below 0');
    const tools = await this.#engine.tools.get();
    return this.#withPicture(picture, (native) => {
      const { pixels, ...maps } = ask(() => tools.featureMaps(native, layer, first, count, ranges));
      return { layer, first, count: maps.ranges.length / 2, data: pixels.slice(), ...maps };
    });
  }

  async compareOutputs(picture: PictureInput, reference: Session): Promise<readonly OutputError[]> {
    const other = this.#sibling(reference);
    const tools = await this.#engine.tools.get();
    const errors = await this.#withPicture(picture, (native) =>
      ask(() => tools.compareOutputs(native, other.#handle())),
    );
    return errors.map(({ layer, op, signal, error }) => ({
      layer,
      op,
      sqnrDb: error === 0 ? null : 10 * Math.log10(signal / error),
    }));
  }

  async evaluate(
    pictures: Iterable<EvaluationPicture> | AsyncIterable<EvaluationPicture>,
    options: EvaluateOptions = {},
  ): Promise<EvaluationReport> {
    const tally = await this.#tally(options.reference);
    try {
      return await evaluatePictures(tally, pictures, options);
    } finally {
      tally.dispose();
    }
  }

  /** Counts answers of a session, beside those of `reference` if there is one. */
  static tallyOf(session: Session, reference?: Session): Promise<Tally> {
    if (session instanceof LocalSession) return session.#tally(reference);
    throw new KdequantError('internal', 'this session lives elsewhere');
  }

  async #tally(reference: Session | undefined): Promise<Tally> {
    const other = reference && this.#sibling(reference);
    const labels = await this.#classNames();
    const tools = await this.#engine.tools.get();
    const native = ask(() => tools.Tally.create(this.#handle(), other ? other.#handle() : null));
    return new Tally(native, (picture, answer) => this.#withPicture(picture, answer), labels);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- asynchronous like its twin in a worker
  async run(input: Float32Array): Promise<Float32Array<ArrayBuffer>> {
    const native = this.#handle();
    const memory = ask(() => native.input());
    if (memory.length !== input.length) {
      throw new KdequantError(
        'usage',
        `the input has ${input.length} numbers and the network wants ${memory.length} (${this.info.inputShape.join('x')})`,
      );
    }
    memory.set(input);
    return ask(() => native.run()).slice();
  }

  dispose(): void {
    this.#native?.delete();
    this.#native = undefined;
  }

  // Decodes first and fills last: between filling and the end of `work` nothing else gets a turn, so no other call takes
  // the picture's place, and views that `work` copies are still valid.
  async #withPicture<T>(picture: PictureInput, work: (native: NativeSession) => T): Promise<T> {
    this.#handle();
    const pixels = await toPixels(picture, this.#decoder);
    const native = this.#handle();
    fillPixels(native, pixels);
    return work(native);
  }

  #classNames(): Promise<readonly string[] | undefined> {
    this.#labels ??= labelsOf(this.#summary);
    return this.#labels;
  }

  // Another session, whose memory this one's engine can see.
  #sibling(session: Session): LocalSession {
    if (session instanceof LocalSession && session.#engine === this.#engine) return session;
    throw new KdequantError(
      'usage',
      'the reference must be a session of the same engine: load both models with the same build, in the same thread or worker',
    );
  }

  #handle(): NativeSession {
    if (this.#native) return this.#native;
    throw new KdequantError('usage', 'this session was disposed of; make another with model.createSession()');
  }
}
makeDisposable(LocalSession.prototype);
