// The worker in which all heavy work is done; one for the page.
import { signal } from '@preact/signals';
import { KdequantError, type RemoteEngine, connect } from 'kdequant/worker-client';

let engine: Promise<RemoteEngine> | undefined;

/** The engine, started at the first call, and again after it failed. */
export function startEngine(): Promise<RemoteEngine> {
  if (engine === undefined) {
    engine = connect();
    engine.then(
      // Fetched while the network is. What goes wrong here goes wrong again, and is told, when the network is read.
      (worker) => worker.prepare({ tools: true }).catch(() => undefined),
      () => (engine = undefined),
    );
  }
  return engine;
}

/** The last failure that left the engine unusable: it crashed, or its memory is exhausted and stays so. */
export const engineFailure = signal<KdequantError | undefined>(undefined);

/** Notes an error if it is such a failure, and says whether it is. Only for calls to an engine that has worked before. */
export function noteFailure(error: unknown): boolean {
  if (!(error instanceof KdequantError) || !['environment', 'internal', 'out-of-memory'].includes(error.code))
    return false;
  engineFailure.value = error;
  return true;
}

/** Ends the worker, so that the next call starts another. Everything that lived in it is void. */
export async function stopEngine(): Promise<void> {
  const old = engine;
  engine = undefined;
  (await old?.catch(() => undefined))?.terminate();
}
