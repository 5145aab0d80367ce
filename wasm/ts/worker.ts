// The script of a worker: importing it makes the worker answer `connect` of kdequant/worker-client.
import { nodeModule } from './platform.js';
import { serve } from './remote/host.js';
import { type FromWorker, type Port, type ToWorker } from './remote/protocol.js';

serve(await openPort());

async function openPort(): Promise<Port<FromWorker, ToWorker>> {
  // Node's worker threads have a port; all others post on the global object.
  if (typeof postMessage !== 'function') {
    const { parentPort } = await nodeModule<typeof import('node:worker_threads')>('node:worker_threads');
    if (!parentPort)
      throw new Error('kdequant/worker is the script of a worker: import kdequant/worker-client instead');
    return {
      send: (message, transfer) => {
        parentPort.postMessage(message, transfer as import('node:worker_threads').Transferable[]);
      },
      receive: (listener) => {
        parentPort.on('message', listener);
      },
    };
  }
  return {
    send: (message, transfer) => {
      postMessage(message, { transfer });
    },
    receive: (listener) => {
      addEventListener('message', (event: MessageEvent<ToWorker>) => {
        listener(event.data);
      });
    },
  };
}
