// A session in this thread.
import { makeDisposable } from './disposable.js';
import { type NativeModel, type NativeSession } from './engine-module.js';
import { type Engine } from './engine.js';
import { KdequantError, ask } from './errors.js';
import { labelsOf } from './labels.js';
import { defaultDecoder, fillPixels, toPixels } from './pixels.js';
import {
  type Classification,
  type ClassifyOptions,
  type Decoder,
  type ModelSummary,
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
  readonly #summary: ModelSummary;
  readonly #decoder: Decoder;
  #native: NativeSession | undefined;
  #labels: Promise<readonly string[] | undefined> | undefined;

  constructor(engine: Engine, model: NativeModel, summary: ModelSummary, options: SessionOptions) {
    const precision = options.precision ?? (summary.quantized ? 'w4a8' : 'f32');
    const native = ask(() =>
      engine.native.Session.create(model, precision, options.kernels ?? 'best', options.dynamicRanges ?? false),
    );
    this.#native = native;
    this.#summary = summary;
    this.#decoder = options.decoder ?? defaultDecoder();
    this.info = { ...(JSON.parse(native.info()) as SessionInfo), build: engine.build };
  }

  async classify(picture: PictureInput, { top = 5 }: ClassifyOptions = {}): Promise<Classification> {
    this.#labels ??= labelsOf(this.#summary);
    const labels = await this.#labels;
    const native = await this.#load(picture);
    const { milliseconds, preprocessMilliseconds, answers } = ask(() => native.classify(top));
    const predictions = [];
    for (let i = 0; i < answers.length; i += 2) {
      const classIndex = answers[i] ?? 0;
      predictions.push({
        classIndex,
        label: labels?.[classIndex] ?? `class ${classIndex}`,
        probability: answers[i + 1] ?? 0,
      });
    }
    return { predictions, milliseconds, preprocessMilliseconds };
  }

  async logits(picture: PictureInput): Promise<Float32Array<ArrayBuffer>> {
    const native = await this.#load(picture);
    return ask(() => native.logits()).slice();
  }

  async crop(picture: PictureInput): Promise<RgbaPixels> {
    const native = await this.#load(picture);
    const data = new Uint8ClampedArray(ask(() => native.crop()));
    const side = Math.sqrt(data.length / 4);
    return { data, width: side, height: side };
  }

  async profile(picture: PictureInput): Promise<readonly StepTime[]> {
    const native = await this.#load(picture);
    return ask(() => native.profile());
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

  // Decodes first and fills last: between filling and the answer nothing else gets a turn.
  async #load(picture: PictureInput): Promise<NativeSession> {
    this.#handle();
    const pixels = await toPixels(picture, this.#decoder);
    const native = this.#handle();
    fillPixels(native, pixels);
    return native;
  }

  #handle(): NativeSession {
    if (this.#native) return this.#native;
    throw new KdequantError('usage', 'this session was disposed of; make another with model.createSession()');
  }
}
makeDisposable(LocalSession.prototype);
