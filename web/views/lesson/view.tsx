// The lesson's own view: what it is, its steps, and the worksheet for printing.
import './lesson.css';

import { lessonStep, presenting } from '../../app/lesson.js';
import { ViewHeader } from '../../ui/view-header.js';
import { openStep } from './panel.js';
import { STEPS } from './steps.js';

export function View() {
  return (
    <>
      <div class="screen-only">
        <ViewHeader title="A lesson in four bits">
          Eight steps on the real page, about 45 minutes with a class: each does something, asks a question and knows
          the answer. No formula is needed.
        </ViewHeader>
      </div>
      <div class="row screen-only">
        <button
          type="button"
          class="button button--primary button--large"
          onClick={() => {
            openStep(lessonStep.value > 0 ? lessonStep.value : 1);
          }}
        >
          {lessonStep.value > 0 ? 'Go on' : 'Begin'}
        </button>
        <button
          type="button"
          class="button"
          onClick={() => {
            presenting.value = true;
            openStep(1);
          }}
        >
          Present to a room
        </button>
        <button
          type="button"
          class="button"
          onClick={() => {
            print();
          }}
        >
          Print the worksheet
        </button>
      </div>
      <p class="hint screen-only">
        While presenting, type is large, and the arrow keys and a presenter’s remote turn the pages. Every step has an
        address of its own: copy it from the address bar, and a class sees what you see.
      </p>
      <ol class="lesson-steps screen-only">
        {STEPS.map(({ title, question }, index) => (
          <li key={title} class="card lesson-steps__step">
            <h2>
              <span class="card__step">{index + 1}</span>
              {title}
            </h2>
            <p class="hint">{question}</p>
            <div class="lesson-steps__open">
              <button
                type="button"
                class="button button--small"
                aria-label={`Open step ${index + 1}: ${title}`}
                onClick={() => {
                  openStep(index + 1);
                }}
              >
                Open
              </button>
            </div>
          </li>
        ))}
      </ol>
      <Worksheet />
    </>
  );
}

/** Only on paper: the questions with lines to write on, and the answers on a page of their own. */
function Worksheet() {
  return (
    <div class="worksheet">
      <h1>A network in four bits: worksheet</h1>
      <p>Name: ______________________________ Date: ______________</p>
      <ol>
        {STEPS.map(({ title, question, actions }) => (
          <li key={title} class="worksheet__step">
            <h2>{title}</h2>
            <p>On the page, press: {actions.map(({ label }) => label).join('; ')}. What do you see?</p>
            <div class="worksheet__line" />
            <p>{question}</p>
            <div class="worksheet__line" />
            <div class="worksheet__line" />
          </li>
        ))}
      </ol>
      <section class="worksheet__answers">
        <h1>Answers, for the teacher</h1>
        <ol>
          {STEPS.map(({ title, answer }) => (
            <li key={title}>
              <h2>{title}</h2>
              <p>{answer}</p>
            </li>
          ))}
        </ol>
      </section>
    </div>
  );
}
