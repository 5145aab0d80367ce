// The lesson beside the real page: the open step, what it does, its question and answer.
import './lesson.css';

import { batch, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

import { applyAddress } from '../../app/address.js';
import { lessonStep, presenting } from '../../app/lesson.js';
import { network } from '../../app/network.js';
import { isQuantizing, quantize } from '../../app/quantization.js';
import { applySettings } from '../../app/settings.js';
import { view } from '../../shell/views.js';
import { type Action, PLAIN, STEPS } from './steps.js';

/** Opens a step, at the view where it happens. Step 0 ends the lesson. */
export function openStep(number: number): void {
  const step = STEPS[number - 1];
  batch(() => {
    lessonStep.value = step === undefined ? 0 : number;
    view.value = step?.view ?? 'lesson';
  });
}

export function LessonPanel() {
  const number = lessonStep.value;
  const step = STEPS[number - 1];
  const heading = useRef<HTMLHeadingElement>(null);
  const answered = useSignal(0); // the step whose answer is shown
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
  }, [number]);
  useEffect(() => {
    document.addEventListener('keydown', turnPages);
    return () => {
      document.removeEventListener('keydown', turnPages);
    };
  }, []);
  if (step === undefined) return null;
  return (
    <aside class="lesson" aria-labelledby="lesson-heading">
      <header class="lesson__head">
        <p class="hint">
          Step {number} of {STEPS.length}
        </p>
        <button
          type="button"
          class="button button--small button--quiet"
          aria-pressed={presenting.value}
          onClick={() => (presenting.value = !presenting.value)}
        >
          Large type
        </button>
        <button
          type="button"
          class="button button--small button--quiet"
          onClick={() => {
            openStep(0);
          }}
        >
          End
        </button>
      </header>
      <div class="lesson__body">
        <h2 id="lesson-heading" ref={heading} tabIndex={-1}>
          {step.title}
        </h2>
        {step.text}
        <div class="row">
          {step.actions.map((action) => (
            <button
              key={action.label}
              type="button"
              class="button button--small"
              disabled={isQuantizing.value || network.value.kind !== 'ready'}
              onClick={() => {
                perform(action);
              }}
            >
              {action.label}
            </button>
          ))}
        </div>
        <p class="lesson__question">{step.question}</p>
        <div aria-live="polite">
          {answered.value === number ? (
            <p class="lesson__answer">{step.answer}</p>
          ) : (
            <button type="button" class="button button--small button--quiet" onClick={() => (answered.value = number)}>
              Show the answer
            </button>
          )}
        </div>
      </div>
      <footer class="lesson__foot">
        <button
          type="button"
          class="button"
          disabled={number === 1}
          onClick={() => {
            openStep(number - 1);
          }}
        >
          Back
        </button>
        <button
          type="button"
          class="button button--primary"
          onClick={() => {
            openStep(number + 1);
          }}
        >
          {number === STEPS.length ? 'Finish' : 'Next'}
        </button>
      </footer>
    </aside>
  );
}

function perform(action: Action): void {
  if ('laboratory' in action) {
    applyAddress(action.laboratory);
    return;
  }
  applySettings({ ...PLAIN, ...action.quantize });
  void quantize();
}

/** Page Up and Page Down are what presenters' remote controls send: theirs while presenting. Arrows too, where nothing else takes them. */
function turnPages(event: KeyboardEvent): void {
  const target = event.target as HTMLElement;
  if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
  const by = { PageDown: 1, ArrowRight: 1, PageUp: -1, ArrowLeft: -1 }[event.key];
  if (by === undefined) return;
  const taken = event.key.startsWith('Page')
    ? !presenting.value
    : target.closest('input, select, textarea, canvas, [role="group"], [role="region"], summary') !== null;
  if (taken) return;
  const next = lessonStep.value + by;
  if (next < 1 || next > STEPS.length) return;
  event.preventDefault();
  openStep(next);
}
