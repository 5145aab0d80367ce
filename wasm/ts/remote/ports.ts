// The line to a worker, a browser's or Node's. Apart from worker-port.ts, because that names the worker's script, and bundlers cannot
// bundle a script that starts itself.
import { nodeModule } from '../platform.js';
import { type WorkerPort } from './line.js';

export function webWorkerPort<Sent, Received>(worker: Worker): WorkerPort<Sent, Received> {
  return {
    send: (message, transfer) => {
      worker.postMessage(message, transfer);
    },
    receive: (listener) => {
      worker.addEventListener('message', (event: MessageEvent<Received>) => {
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

/** `script`, seen from `base`: apart, because bundlers for the web would copy the file that they find at an address. */
export async function nodeWorkerPort<Sent, Received>(
  script: string,
  base: string,
): Promise<WorkerPort<Sent, Received>> {
  const threads = await nodeModule<typeof import('node:worker_threads')>('node:worker_threads');
  const worker = new threads.Worker(new URL(script, base), { name: 'kdequant' });
  return {
    send: (message, transfer) => {
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
