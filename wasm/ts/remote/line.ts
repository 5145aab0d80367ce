// The page's side of the line to a worker: calls out, answers in.
import { KdequantError } from '../errors.js';
import { type LayerReport, type Progress } from '../types.js';
import {
  type CallName,
  type Calls,
  type FromWorker,
  fromSentError,
  type ObjectId,
  type Port,
  type ToWorker,
} from './protocol.js';

export interface CallOptions {
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly onLayer?: ((layer: LayerReport) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly transfer?: Transferable[];
}

interface Pending extends CallOptions {
  readonly resolve: (result: Calls[CallName]['result']) => void;
  readonly reject: (error: unknown) => void;
  /** Set once the caller has given up: then the answer is only cleared away. */
  abandoned: boolean;
}

/** The line's port, and what it takes to end the worker and to let Node exit while nothing is under way. */
export interface WorkerPort<Sent = ToWorker, Received = FromWorker> extends Port<Sent, Received> {
  /** Hears that the worker died, with the reason. */
  onDeath(listener: (reason: string) => void): void;
  keepAlive(busy: boolean): void;
  terminate(): void;
}

export class Line {
  readonly #port: WorkerPort;
  readonly #pending = new Map<number, Pending>();
  readonly #ready: Promise<void>;
  readonly #garbage = new FinalizationRegistry<ObjectId>((object) => {
    this.release(object);
  });
  #lastCall = 0;
  #dead: KdequantError | undefined;
  #rejectReady: (error: KdequantError) => void = () => undefined;

  constructor(port: WorkerPort) {
    this.#port = port;
    let resolveReady: () => void;
    this.#ready = new Promise((resolve, reject) => {
      resolveReady = resolve;
      this.#rejectReady = reject;
    });
    port.receive((message) => {
      if (message.type === 'ready') {
        port.keepAlive(this.#pending.size > 0);
        resolveReady();
      } else {
        this.#hear(message);
      }
    });
    port.onDeath((reason) => {
      this.#die(
        new KdequantError(
          'environment',
          `the worker failed (${reason}); check that the package's files are served and that the page's policy allows workers`,
        ),
      );
    });
    port.send({ type: 'hello' }, []);
  }

  ready(): Promise<void> {
    return this.#ready;
  }

  call<Name extends CallName>(
    name: Name,
    args: Calls[Name]['args'],
    options: CallOptions = {},
  ): Promise<Calls[Name]['result']> {
    if (this.#dead) return Promise.reject(this.#dead);
    const { signal, transfer = [] } = options;
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    const id = ++this.#lastCall;
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        pending.abandoned = true;
        this.#port.send({ type: 'abort', id }, []);
        reject(signal?.reason as Error);
      };
      const end = (): void => {
        signal?.removeEventListener('abort', abort);
      };
      const pending: Pending = {
        ...options,
        abandoned: false,
        resolve: (result) => {
          end();
          resolve(result);
        },
        reject: (error) => {
          end();
          reject(error);
        },
      };
      // Sending fails on what cannot be cloned (a function among the options): then nothing is under way.
      this.#port.send({ type: 'call', id, name, args }, transfer);
      this.#pending.set(id, pending);
      this.#port.keepAlive(true);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** Frees an object of the worker once `owner` is garbage, unless it is released before. */
  releaseWithOwner(owner: object, object: ObjectId): void {
    this.#garbage.register(owner, object, owner);
  }

  release(object: ObjectId, owner?: object): void {
    if (owner) this.#garbage.unregister(owner);
    if (!this.#dead) this.#port.send({ type: 'release', object }, []);
  }

  terminate(): void {
    this.#port.terminate();
    this.#die(new KdequantError('cancelled', 'the worker was terminated; connect again'));
  }

  #hear(message: Exclude<FromWorker, { type: 'ready' }>): void {
    const pending = this.#pending.get(message.id);
    if (!pending) return;
    switch (message.type) {
      case 'progress':
        if (!pending.abandoned) pending.onProgress?.(message.progress);
        return;
      case 'layer':
        if (!pending.abandoned) pending.onLayer?.(message.layer);
        return;
      case 'result':
        this.#close(message.id);
        if (pending.abandoned) this.#releaseResult(message.result);
        pending.resolve(message.result);
        return;
      case 'failure':
        this.#close(message.id);
        pending.reject(fromSentError(message.error));
        return;
    }
  }

  #close(id: number): void {
    this.#pending.delete(id);
    if (this.#pending.size === 0) this.#port.keepAlive(false);
  }

  #releaseResult(result: Calls[CallName]['result']): void {
    if ('model' in result) this.release(result.model);
    if ('session' in result) this.release(result.session);
  }

  #die(error: KdequantError): void {
    if (this.#dead) return;
    this.#dead = error;
    this.#rejectReady(error);
    // Nobody need be listening for readiness any more.
    this.#ready.catch(() => undefined);
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
  }
}
