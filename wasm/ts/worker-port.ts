// Starting a worker, a browser's or Node's.
import { describe, KdequantError } from './errors.js';
import { type WorkerPort } from './remote/line.js';
import { nodeWorkerPort, webWorkerPort } from './remote/ports.js';

/** `new Worker(new URL(...))` is spelled out so that bundlers find the worker. */
export async function startWorker(): Promise<WorkerPort> {
  if (typeof Worker === 'function') {
    try {
      return webWorkerPort(new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'kdequant' }));
    } catch (error) {
      throw new KdequantError('environment', `the worker did not start (${describe(error)})`, undefined, {
        cause: error,
      });
    }
  }
  if (typeof process === 'object') return nodeWorkerPort('./worker.js', import.meta.url);
  throw new KdequantError('environment', 'there are no workers here; use loadModel from "kdequant" in this thread');
}
