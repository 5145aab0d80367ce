// How fast is it here? Both networks, every build, a chart, and text to take along.
import './speed.css';

import { useSignal } from '@preact/signals';

import { showAlert } from '../../app/alerts.js';
import { network } from '../../app/network.js';
import { small } from '../../app/quantization.js';
import { Facts } from '../../ui/facts.js';
import { formatMilliseconds } from '../../ui/format.js';
import { Invitation, NeedsSmall } from '../../ui/needs-small.js';
import { Progress } from '../../ui/progress.js';
import { ViewHeader } from '../../ui/view-header.js';
import { asText, type Fact, measure, type Measured, nameOf, speed, stopMeasuring } from './measure.js';

export function View() {
  const state = speed.value;
  const canMeasure = network.value.kind === 'ready' && small.value !== undefined;
  return (
    <>
      <ViewHeader title="How fast is it here?">
        The same picture through the float network and the 4-bit one, on this machine, in this browser, in turn.
      </ViewHeader>
      <NeedsSmall>There is nothing to compare with yet: the 4-bit network has to be made first.</NeedsSmall>
      {small.value?.run.settings.calibration === 'none' && (
        <Invitation button="Make it with pictures" settings={{ calibration: 'synthetic' }}>
          This 4-bit network was made without pictures. It has to find the range of every layer’s output anew for each
          photo, which takes longer than 4 bits save. Made with pictures it knows the ranges: it is faster, and answers
          better.
        </Invitation>
      )}
      <section class="card" aria-labelledby="speed-heading">
        <h2 id="speed-heading">One picture takes</h2>
        {state.kind === 'running' ? (
          <>
            <Progress label="Measuring" fraction={state.fraction} words={state.words} />
            <div class="row">
              <button type="button" class="button" onClick={stopMeasuring}>
                Cancel
              </button>
            </div>
            {state.measured.some(({ runs }) => runs > 0) && <Bars measured={state.measured} />}
          </>
        ) : (
          <>
            <div class="row">
              <button
                type="button"
                class={state.kind === 'done' ? 'button' : 'button button--primary button--large'}
                disabled={!canMeasure}
                onClick={() => {
                  measure().catch(showAlert);
                }}
              >
                {state.kind === 'done' ? 'Measure again' : 'Measure'}
              </button>
              {state.kind === 'idle' && (
                <p class="hint">Some seconds, one run after another. Other busy programs and tabs disturb it.</p>
              )}
            </div>
            {state.kind === 'failed' && <p class="alert">{state.message}</p>}
            {state.kind === 'done' && (
              <>
                <p class="speed__verdict" aria-live="polite">
                  {verdict(state.measured)}
                </p>
                <Bars measured={state.measured} />
                {state.note !== undefined && <p class="hint">{state.note}</p>}
              </>
            )}
          </>
        )}
      </section>
      {state.kind === 'done' && <Report measured={state.measured} facts={state.facts} />}
    </>
  );
}

function Bars({ measured }: { readonly measured: readonly Measured[] }) {
  const longest = Math.max(...measured.map(({ median }) => median), Number.MIN_VALUE);
  return (
    <table class="speed">
      <caption class="visually-hidden">Milliseconds for one picture, by network and build; shorter is faster</caption>
      <thead class="visually-hidden">
        <tr>
          <th scope="col">network and build</th>
          <th scope="col">median time</th>
          <th scope="col">pictures a second</th>
        </tr>
      </thead>
      <tbody>
        {measured.map((entry) => (
          <tr key={nameOf(entry)}>
            <th scope="row">{nameOf(entry)}</th>
            <td class="speed__time">
              <span
                class={entry.precision === 'f32' ? 'speed__bar speed__bar--float' : 'speed__bar speed__bar--small'}
                style={{ '--share': entry.median / longest }}
                aria-hidden="true"
              />
              <span>{formatMilliseconds(entry.median)}</span>
            </td>
            <td class="speed__rate">{entry.median > 0 ? `${(1000 / entry.median).toFixed(0)} a second` : ''}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function verdict(measured: readonly Measured[]): string {
  const fastest = (precision: Measured['precision']): Measured | undefined =>
    measured.filter((entry) => entry.precision === precision).sort((a, b) => a.median - b.median)[0];
  const [float, four] = [fastest('f32'), fastest('w4a8')];
  if (float === undefined || four === undefined || four.median === 0) return '';
  const ratio = float.median / four.median;
  const times = `${(ratio >= 1 ? ratio : 1 / ratio).toFixed(1)} times ${ratio >= 1 ? 'as fast as' : 'as slow as'}`;
  return `The 4-bit network answers in ${formatMilliseconds(four.median)}: ${times} the float one (${formatMilliseconds(float.median)}).`;
}

function Report({ measured, facts }: { readonly measured: readonly Measured[]; readonly facts: readonly Fact[] }) {
  const copied = useSignal('');
  const text = asText(measured, facts);
  return (
    <section class="card" aria-labelledby="speed-report-heading">
      <h2 id="speed-report-heading">On which machine</h2>
      <div class="speed__facts">
        <Facts facts={facts} />
      </div>
      <div class="row">
        <button
          type="button"
          class="button"
          onClick={() => {
            copy(text).then(
              () => (copied.value = 'Copied.'),
              () => (copied.value = 'The browser did not allow it: select the text below.'),
            );
          }}
        >
          Copy as text
        </button>
        <p class="hint" aria-live="polite">
          {copied.value}
        </p>
      </div>
      <details class="fold">
        <summary>As text</summary>
        <pre class="speed__text" tabIndex={0}>
          {text}
        </pre>
      </details>
    </section>
  );
}

// The clipboard is missing on pages from http: other than localhost.
async function copy(text: string): Promise<void> {
  await (navigator as { clipboard?: Clipboard }).clipboard?.writeText(text);
  if ((navigator as { clipboard?: Clipboard }).clipboard === undefined) throw new Error('no clipboard');
}
