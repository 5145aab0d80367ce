// A progress bar with words: the words are a live region, but not for every percent.
import { element } from '../dom.js';

export interface ProgressBar {
  readonly root: HTMLElement;
  /** `fraction` from 0 to 1; `words` beside the bar. */
  show(fraction: number, words: string): void;
}

// A screen reader that is told every change reads nothing to its end.
const ANNOUNCE_EVERY_MS = 2000;

export function progressBar(label: string): ProgressBar {
  const bar = element('progress', { class: 'progress__bar', attributes: { max: 1, value: 0, 'aria-label': label } });
  const words = element('p', { class: 'progress__words', attributes: { 'aria-hidden': true } });
  const live = element('p', { class: 'visually-hidden', attributes: { 'aria-live': 'polite' } });
  let announced = 0;
  return {
    root: element('div', { class: 'progress', attributes: { hidden: true }, children: [bar, words, live] }),
    show(fraction, text) {
      bar.value = fraction;
      words.textContent = text;
      const now = performance.now();
      if (now - announced >= ANNOUNCE_EVERY_MS) {
        announced = now;
        live.textContent = text;
      }
    },
  };
}
