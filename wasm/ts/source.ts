// From whatever a model is given as to bytes in the engine's memory.
import { type BytesClass, type NativeBytes } from './engine-module.js';
import { describe, KdequantError, ask } from './errors.js';
import { isNode, nodeModule } from './platform.js';
import { type ModelSource, type Progress } from './types.js';

export interface ReadOptions {
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Sees the first bytes to arrive, of a file that is not empty. */
  readonly onFirst?: ((chunk: Uint8Array) => void) | undefined;
}

/** A file in the engine's memory: the first `length` bytes of `bytes`. */
export interface NativeFile {
  readonly bytes: NativeBytes;
  readonly length: number;
}

const smallestBuffer = 1 << 20;
const nodeChunk = 4 << 20;

/** A source that is there and has begun to arrive. Read it to its end or cancel it. */
export interface OpenedSource {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Bytes to come, as far as the source says. */
  readonly total?: number | undefined;
  /** Gives up what was not read. Harmless afterwards. */
  cancel(): void;
}

/** Reads a source to its end, straight into the module's memory: a model of 500 MB is not kept twice. The caller deletes `bytes`. */
export async function readIntoEngine(
  source: OpenedSource,
  Bytes: BytesClass,
  options: ReadOptions = {},
): Promise<NativeFile> {
  const { onProgress, signal, onFirst } = options;
  const { chunks, total } = source;
  let file: GrowingFile | undefined;
  try {
    signal?.throwIfAborted();
    file = new GrowingFile(Bytes, total ?? smallestBuffer);
    for await (const chunk of chunks) {
      signal?.throwIfAborted();
      if (file.length === 0 && chunk.length > 0) onFirst?.(chunk);
      file.append(chunk);
      onProgress?.({
        stage: 'downloading',
        fraction: total === undefined ? 0 : Math.min(1, file.length / total),
        loaded: file.length,
        ...(total === undefined ? {} : { total }),
      });
    }
    return file.take();
  } catch (error) {
    source.cancel();
    file?.delete();
    if (signal?.aborted || error instanceof KdequantError) throw error;
    throw new KdequantError(
      'cannot-read',
      `the model broke off after ${file?.length ?? 0} bytes (${describe(error)}); load it again`,
      undefined,
      {
        cause: error,
      },
    );
  }
}

/** Opens whatever a model is given as: the request of an address is answered, a file is open. */
export async function openSource(source: ModelSource, signal: AbortSignal | undefined): Promise<OpenedSource> {
  signal?.throwIfAborted();
  if (typeof source === 'string' || source instanceof URL) return openAddress(source, signal);
  if (source instanceof Uint8Array) return { chunks: once(source), total: source.byteLength, cancel: nothing };
  if (source instanceof ArrayBuffer) return openSource(new Uint8Array(source), signal);
  if (source instanceof Blob) return openStream(source.stream(), source.size);
  if (source instanceof Response) return openResponse(source, source.url);
  throw new KdequantError(
    'usage',
    'a model is loaded from an address (string or URL), ArrayBuffer, Uint8Array, Blob or Response',
  );
}

const nothing = (): void => undefined;

async function openAddress(source: string | URL, signal: AbortSignal | undefined): Promise<OpenedSource> {
  if (isNode && isPath(source)) return openNodeFile(source);
  let response: Response;
  try {
    response = await fetch(source, signal ? { signal } : {});
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new KdequantError(
      'cannot-read',
      `cannot fetch ${String(source)} (${describe(error)}); check the address, and that its server allows this page to read it`,
      undefined,
      { cause: error },
    );
  }
  return openResponse(response, String(source));
}

function openResponse(response: Response, address: string): OpenedSource {
  if (!response.ok) {
    throw new KdequantError(
      'cannot-read',
      `${address} answered with HTTP status ${response.status}; check the address`,
    );
  }
  if (!response.body || response.bodyUsed) {
    throw new KdequantError('cannot-read', `the response from ${address} has no body to read, or it was read already`);
  }
  // A compressed body is longer than its Content-Length says.
  const length = response.headers.has('content-encoding') ? null : response.headers.get('content-length');
  const total = Number(length ?? NaN);
  return openStream(response.body, total > 0 ? total : undefined);
}

function openStream(stream: ReadableStream<Uint8Array>, total: number | undefined): OpenedSource {
  const reader = stream.getReader();
  return {
    chunks: chunksOf(reader),
    total,
    cancel() {
      reader.cancel().catch(nothing);
    },
  };
}

function isPath(source: string | URL): boolean {
  if (source instanceof URL) return source.protocol === 'file:';
  return source.startsWith('file:') || !/^[a-z][a-z0-9+.-]+:/i.test(source);
}

async function openNodeFile(source: string | URL): Promise<OpenedSource> {
  const { open: openFile } = await nodeModule<typeof import('node:fs/promises')>('node:fs/promises');
  const path = typeof source === 'string' && source.startsWith('file:') ? new URL(source) : source;
  try {
    const file = await openFile(path);
    const { size } = await file.stat();
    const stream = file.createReadStream({ highWaterMark: nodeChunk });
    return { chunks: stream, total: size, cancel: () => stream.destroy() };
  } catch (error) {
    throw new KdequantError('cannot-read', `cannot open ${String(source)} (${describe(error)})`, undefined, {
      cause: error,
    });
  }
}

// eslint-disable-next-line @typescript-eslint/require-await -- an async iterable, like the other sources
async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

// Safari's streams are not async iterable.
async function* chunksOf(reader: ReadableStreamDefaultReader<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    // Ends the transfer if the reading ended early; harmless otherwise.
    await reader.cancel().catch(nothing);
  }
}

class GrowingFile {
  length = 0;
  readonly #Bytes: BytesClass;
  #capacity: number;
  #bytes: NativeBytes | undefined;

  constructor(Bytes: BytesClass, capacity: number) {
    this.#Bytes = Bytes;
    this.#capacity = Math.max(1, capacity);
    this.#bytes = ask(() => Bytes.create(this.#capacity));
  }

  append(chunk: Uint8Array): void {
    if (this.length + chunk.length > this.#capacity) this.#grow(this.length + chunk.length);
    this.#view(this.length, chunk.length).set(chunk);
    this.length += chunk.length;
  }

  take(): NativeFile {
    const bytes = this.#bytes;
    if (!bytes || this.length === 0) {
      throw new KdequantError('bad-input', 'the file is empty; give the bytes of an ONNX model');
    }
    this.#bytes = undefined;
    return { bytes, length: this.length };
  }

  delete(): void {
    this.#bytes?.delete();
    this.#bytes = undefined;
  }

  #grow(needed: number): void {
    const capacity = Math.max(needed, 2 * this.#capacity);
    const larger = ask(() => this.#Bytes.create(capacity));
    // The old view is taken after the allocation, which may have moved the memory.
    if (this.length > 0) larger.view(0, this.length).set(this.#view(0, this.length));
    this.delete();
    this.#bytes = larger;
    this.#capacity = capacity;
  }

  #view(offset: number, length: number): Uint8Array {
    if (!this.#bytes) throw new KdequantError('internal', 'the file was given away already');
    return this.#bytes.view(offset, length);
  }
}
