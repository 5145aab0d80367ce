// A progress bar with words: the words are a live region, but not for every percent.
import { useEffect, useRef, useState } from 'preact/hooks';

interface ProgressProps {
  readonly label: string;
  /** From 0 to 1. */
  readonly fraction: number;
  readonly words: string;
}

// A screen reader that is told every change reads nothing to its end.
const ANNOUNCE_EVERY_MS = 2000;

export function Progress({ label, fraction, words }: ProgressProps) {
  const [announced, announce] = useState('');
  const last = useRef(0);
  useEffect(() => {
    const now = performance.now();
    if (now - last.current < ANNOUNCE_EVERY_MS) return;
    last.current = now;
    announce(words);
  }, [words]);
  return (
    <div class="progress">
      <progress class="progress__bar" max={1} value={fraction} aria-label={label} />
      <p class="progress__words" aria-hidden="true">
        {words}
      </p>
      <p class="visually-hidden" aria-live="polite">
        {announced}
      </p>
    </div>
  );
}
