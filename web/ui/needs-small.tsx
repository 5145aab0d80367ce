// What stands where a 4-bit network is needed and there is none, or where another one would serve better: the one button that makes it.
import { type ComponentChildren } from 'preact';

import { showAlert } from '../app/alerts.js';
import { network } from '../app/network.js';
import { job, quantize, small } from '../app/quantization.js';
import { type Settings, applySettings } from '../app/settings.js';
import { formatPercent } from './format.js';
import { Progress } from './progress.js';

/** Shows `children` and a button until the 4-bit network is there; then nothing. */
export function NeedsSmall({ children }: { readonly children: ComponentChildren }) {
  return small.value === undefined && <Invitation button="Quantize to 4 bits">{children}</Invitation>;
}

interface InvitationProps {
  readonly button: string;
  /** What is set before. */
  readonly settings?: Partial<Settings>;
  readonly children: ComponentChildren;
}

export function Invitation({ button, settings = {}, children }: InvitationProps) {
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
            applySettings(settings);
            quantize().catch(showAlert);
          }}
        >
          {button}
        </button>
      )}
      {state.kind === 'failed' && <p class="alert">{state.message}</p>}
    </aside>
  );
}
