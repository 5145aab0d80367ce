// A worker's end of the line to whoever started it, in a browser's worker or Node's.
import { nodeModule } from '../platform.js';
import { type Port } from './protocol.js';

/** `script`: what the worker runs, for the message to someone who imports it elsewhere. */
export async function ownPort<Sent, Received>(script: string): Promise<Port<Sent, Received>> {
  // Node's worker threads have a port; all others post on the global object.
  if (typeof postMessage !== 'function') {
    const { parentPort } = await nodeModule<typeof import('node:worker_threads')>('node:worker_threads');
    if (!parentPort) throw new Error(`${script} is the script of a worker: import kdequant/worker-client instead`);
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
      addEventListener('message', (event: MessageEvent<Received>) => {
        listener(event.data);
      });
    },
  };
}
