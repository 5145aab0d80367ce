import { type Failure } from './engine-module.js';

/** What kind of failure it is; the message says which one. */
export type KdequantErrorCode =
  /** An option or argument that makes no sense. */
  | 'usage'
  /** A file or buffer that is not what it should be. */
  | 'bad-input'
  /** A well-formed input that uses something kdequant does not do. */
  | 'unsupported'
  /** A NaN or an infinity among weights or activations. */
  | 'not-finite'
  | 'empty-sample'
  | 'constant-sample'
  /** Larger than a limit that protects the machine. */
  | 'limit'
  | 'out-of-memory'
  /** A model or a module could not be fetched. */
  | 'cannot-read'
  | 'cannot-write'
  /** The worker was terminated with the work in its hands. */
  | 'cancelled'
  /** This browser or runtime lacks what kdequant needs (WebAssembly SIMD, workers...). */
  | 'environment'
  /** A mistake of ours. */
  | 'internal';

/**
 * Every failure of this package except an abort, which rejects with the signal's own reason (an `AbortError` unless you gave
 * another). The message is one sentence that names the place (file, layer, node) and says what to do.
 */
export class KdequantError extends Error {
  override readonly name = 'KdequantError';
  readonly code: KdequantErrorCode;
  /** The layer or node at fault, where there is one, so that a user interface can point at it. */
  readonly layer: string | undefined;

  constructor(code: KdequantErrorCode, message: string, layer?: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.layer = layer === '' ? undefined : layer;
  }
}

/** Asks a binding: its value, or its failure thrown. A trap of the module (a mistake of ours) becomes a KdequantError too. */
export function ask<T>(call: () => T | Failure): T {
  let answer: T | Failure;
  try {
    answer = call();
  } catch (error) {
    if (error instanceof KdequantError) throw error;
    throw new KdequantError(
      'internal',
      `the engine stopped (${describe(error)}); load the page again, and please report it with the model that caused it`,
      undefined,
      { cause: error },
    );
  }
  if (isFailure(answer)) {
    const { code, message, layer } = answer.failure;
    throw new KdequantError(code as KdequantErrorCode, message, layer);
  }
  return answer;
}

function isFailure(answer: unknown): answer is Failure {
  return typeof answer === 'object' && answer !== null && 'failure' in answer;
}

/** One line about anything that was thrown. */
export function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
