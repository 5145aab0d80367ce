// Starting a worker, a browser's or Node's.
import { describe, KdequantError } from '../errors.js';
import { nodeModule } from '../platform.js';
import { type WorkerPort } from './line.js';
import { type FromWorker, type ToWorker } from './protocol.js';

/** `new Worker(new URL(...))` is spelled out so that bundlers find the worker. */
export async function startWorker(): Promise<WorkerPort> {
  if (typeof Worker === 'function') {
    try {
      return webWorkerPort(new Worker(new URL('../worker.js', import.meta.url), { type: 'module', name: 'kdequant' }));
    } catch (error) {
      throw new KdequantError('environment', `the worker did not start (${describe(error)})`, undefined, {
        cause: error,
      });
    }
  }
  if (typeof process === 'object') return nodeWorkerPort(new URL('../worker.js', import.meta.url));
  throw new KdequantError('environment', 'there are no workers here; use loadModel from "kdequant" in this thread');
}

export function webWorkerPort(worker: Worker): WorkerPort {
  return {
    send: (message, transfer) => {
      worker.postMessage(message, transfer);
    },
    receive: (listener) => {
      worker.addEventListener('message', (event: MessageEvent<FromWorker>) => {
        listener(event.data);
      });
    },
    onDeath: (listener) => {
      worker.addEventListener('error', (event) => {
        listener(event.message || 'its script did not load');
      });
    },
    keepAlive: () => undefined,
    terminate: () => {
      worker.terminate();
    },
  };
}

async function nodeWorkerPort(script: URL): Promise<WorkerPort> {
  const threads = await nodeModule<typeof import('node:worker_threads')>('node:worker_threads');
  const worker = new threads.Worker(script, { name: 'kdequant' });
  return {
    send: (message: ToWorker, transfer) => {
      worker.postMessage(message, transfer as import('node:worker_threads').Transferable[]);
    },
    receive: (listener) => {
      worker.on('message', listener);
    },
    onDeath: (listener) => {
      worker.on('error', (error: Error) => {
        listener(error.message);
      });
      worker.on('exit', () => {
        listener('it exited');
      });
    },
    // An idle worker does not keep the program from ending.
    keepAlive: (busy) => {
      if (busy) worker.ref();
      else worker.unref();
    },
    terminate: () => void worker.terminate(),
  };
}
