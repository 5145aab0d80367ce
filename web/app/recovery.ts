// When the engine crashed or ran out of memory: another one is started, with the network and the run that were at hand.
import { effect } from '@preact/signals';
import { type KdequantError } from 'kdequant/worker-client';

import { messageOf, showAlert } from './alerts.js';
import { engineFailure, stopEngine } from './engine.js';
import { reloadAfterCrash } from './network.js';
import { chooseRun, small } from './quantization.js';

let recovering = false;

/** Starts the engine anew whenever it fails. */
export function watchEngine(): void {
  effect(() => {
    const failure = engineFailure.value;
    if (failure !== undefined && !recovering) void recover(failure);
  });
}

async function recover({ code, message }: KdequantError): Promise<void> {
  recovering = true;
  const run = small.peek()?.run;
  const reason = code === 'out-of-memory' ? 'ran out of memory' : `stopped (${message.replace(/[;.].*$/s, '')})`;
  try {
    await stopEngine();
    await reloadAfterCrash();
    if (run !== undefined) await chooseRun(run);
    showAlert(
      `The engine ${reason} and was started again. Your runs are kept; what was under way has to be started again.`,
    );
  } catch (error) {
    showAlert(`The engine ${reason}, and could not be started again: ${messageOf(error)}`);
  } finally {
    engineFailure.value = undefined;
    recovering = false;
  }
}
