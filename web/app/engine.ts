// The worker in which all heavy work is done; one for the page.
import { type RemoteEngine, connect } from 'kdequant/worker-client';

let engine: Promise<RemoteEngine> | undefined;

/** The engine, started at the first call, and again after it failed. */
export function startEngine(): Promise<RemoteEngine> {
  if (engine === undefined) {
    engine = connect();
    engine.catch(() => {
      engine = undefined;
    });
  }
  return engine;
}
