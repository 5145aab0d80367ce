import { useEffect, useRef, useState } from 'preact/hooks';

// A screen reader that is told every change reads nothing to its end.
const ANNOUNCE_EVERY_MS = 3000;

/** Tells a screen reader what changes often: the latest words, every few seconds at most. */
export function Announce({ text }: { readonly text: string }) {
  const [announced, announce] = useState('');
  const last = useRef(0);
  useEffect(() => {
    const timer = setTimeout(
      () => {
        last.current = performance.now();
        announce(text);
      },
      Math.max(0, last.current + ANNOUNCE_EVERY_MS - performance.now()),
    );
    return () => {
      clearTimeout(timer);
    };
  }, [text]);
  return (
    <p class="visually-hidden" aria-live="polite">
      {announced}
    </p>
  );
}
