// One picture after another through one session or two, counted.
import { type NativeSession, type NativeTally } from './engine-module.js';
import { KdequantError, ask } from './errors.js';
import { toPredictions } from './labels.js';
import { nextTurn } from './platform.js';
import {
  type Confusion,
  type EvaluatedPicture,
  type EvaluateOptions,
  type EvaluationFigures,
  type EvaluationPicture,
  type EvaluationReport,
  type PictureInput,
} from './types.js';

const top = 5;

/** Pictures on their way at once: while one runs, the platform decodes the next in a thread of its own. */
const pipelineDepth = 2;

/** What both said about a picture, and the figures with it. */
export interface Counted {
  readonly answers: Pick<EvaluatedPicture, 'predictions' | 'milliseconds' | 'reference'>;
  readonly figures: EvaluationFigures;
}

/** Answers and counts, here or in a worker. */
export interface Counter {
  add(picture: PictureInput, classIndex?: number): Promise<Counted>;
}

type WithPicture = <T>(picture: PictureInput, work: (native: NativeSession) => T) => Promise<T>;

export class Tally implements Counter {
  readonly #withPicture: WithPicture;
  readonly #labels: readonly string[] | undefined;
  #native: NativeTally | undefined;

  /** `withPicture` decodes a picture into the pixels of the session. */
  constructor(native: NativeTally, withPicture: WithPicture, labels: readonly string[] | undefined) {
    this.#native = native;
    this.#withPicture = withPicture;
    this.#labels = labels;
  }

  add(picture: PictureInput, classIndex = -1): Promise<Counted> {
    return this.#withPicture(picture, () => {
      const native = this.#native;
      if (!native) throw new KdequantError('usage', 'this evaluation has ended');
      const { milliseconds, answers, referenceMilliseconds, referenceAnswers } = ask(() => native.add(classIndex, top));
      const reference = toPredictions(referenceAnswers, this.#labels);
      return {
        answers: {
          predictions: toPredictions(answers, this.#labels),
          milliseconds,
          ...(reference.length > 0
            ? { reference: { predictions: reference, milliseconds: referenceMilliseconds } }
            : {}),
        },
        figures: JSON.parse(native.figures()) as EvaluationFigures,
      };
    });
  }

  dispose(): void {
    this.#native?.delete();
    this.#native = undefined;
  }
}

/** What is wrong with the picture alone: it is skipped, and the others go on. */
const skippable = new Set(['bad-input', 'limit', 'cannot-read']);

/** Rejects with the signal's reason if it is aborted, and if no picture at all could be read. */
export async function evaluatePictures(
  counter: Counter,
  pictures: Iterable<EvaluationPicture> | AsyncIterable<EvaluationPicture>,
  options: EvaluateOptions,
): Promise<EvaluationReport> {
  const { onProgress, onPicture, signal } = options;
  const total = options.total ?? (Array.isArray(pictures) ? pictures.length : undefined);
  const skipped: EvaluationReport['skipped'][number][] = [];
  const differing: EvaluatedPicture[] = [];
  let figures: EvaluationFigures | undefined;
  let finished = 0;

  async function answer(
    index: number,
    { picture, name = `picture ${index + 1}`, classIndex }: EvaluationPicture,
  ): Promise<void> {
    try {
      const added = await counter.add(picture, classIndex);
      signal?.throwIfAborted();
      figures = added.figures;
      const evaluated = { index, name, ...(classIndex === undefined ? {} : { classIndex }), ...added.answers };
      if (differs(evaluated)) differing.push(evaluated);
      onPicture?.(evaluated, added.figures);
    } catch (error) {
      if (!(error instanceof KdequantError) || !skippable.has(error.code)) throw error;
      skipped.push({ index, name, message: error.message });
    }
    ++finished;
    onProgress?.({ stage: 'evaluating', fraction: total === undefined ? 0 : Math.min(1, finished / total) });
  }

  const underWay = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  let index = 0;
  for await (const picture of pictures) {
    signal?.throwIfAborted();
    const work = answer(index++, picture)
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => underWay.delete(work));
    underWay.add(work);
    if (underWay.size >= pipelineDepth) await Promise.race(underWay);
    if (failure) break;
    await nextTurn();
  }
  await Promise.all(underWay);
  signal?.throwIfAborted();
  if (failure) throw failure.error;
  if (!figures) {
    throw new KdequantError(
      'bad-input',
      skipped[0]
        ? `no picture could be read; the first: ${skipped[0].name}: ${skipped[0].message}`
        : 'there is no picture to evaluate on',
    );
  }
  onProgress?.({ stage: 'evaluating', fraction: 1 });
  skipped.sort((a, b) => a.index - b.index);
  return { ...figures, skipped, confusions: groupConfusions(differing) };
}

function differs({ predictions, reference }: EvaluatedPicture): boolean {
  return reference !== undefined && reference.predictions[0]?.classIndex !== predictions[0]?.classIndex;
}

function groupConfusions(pictures: readonly EvaluatedPicture[]): Confusion[] {
  const groups = new Map<string, Confusion & { pictures: EvaluatedPicture[] }>();
  for (const picture of pictures) {
    const expected = picture.reference?.predictions[0];
    const said = picture.predictions[0];
    if (!expected || !said) continue;
    const key = `${expected.classIndex}:${said.classIndex}`;
    const group = groups.get(key) ?? {
      reference: { classIndex: expected.classIndex, label: expected.label },
      session: { classIndex: said.classIndex, label: said.label },
      pictures: [],
    };
    group.pictures.push(picture);
    groups.set(key, group);
  }
  for (const { pictures } of groups.values()) pictures.sort((a, b) => a.index - b.index);
  return [...groups.values()].sort(
    (a, b) => b.pictures.length - a.pictures.length || (a.pictures[0]?.index ?? 0) - (b.pictures[0]?.index ?? 0),
  );
}
