// What stands where a 4-bit network is needed and there is none: the one button that makes it.
import { type ComponentChildren } from 'preact';

import { showAlert } from '../app/alerts.js';
import { network } from '../app/network.js';
import { job, quantize, small } from '../app/quantization.js';
import { formatPercent } from './format.js';
import { Progress } from './progress.js';

/** Shows `children` and a button until the 4-bit network is there; then nothing. */
export function NeedsSmall({ children }: { readonly children: ComponentChildren }) {
  if (small.value !== undefined) return null;
  const state = job.value;
  return (
    <aside class="invitation">
      <p>{children}</p>
      {state.kind === 'running' ? (
        <Progress
          label="Quantizing"
          fraction={state.progress.fraction}
          words={`${state.progress.stage} (${formatPercent(state.progress.fraction)})`}
        />
      ) : (
        <button
          type="button"
          class="button button--primary"
          disabled={network.value.kind !== 'ready'}
          onClick={() => {
            quantize().catch(showAlert);
          }}
        >
          Quantize to 4 bits
        </button>
      )}
      {state.kind === 'failed' && <p class="alert">{state.message}</p>}
    </aside>
  );
}
