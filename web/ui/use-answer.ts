// What a component asks the worker for: asked again when what it depends on changes, and a late answer to an old question is dropped.
import { useEffect, useState } from 'preact/hooks';

import { isAbort, messageOf } from '../app/alerts.js';

export interface Answer<T> {
  /** The latest answer; while the next is under way, still the one before. */
  readonly value: T | undefined;
  readonly pending: boolean;
  readonly failure: string | undefined;
}

const NOTHING = { value: undefined, pending: false, failure: undefined };

/** Calls `ask` when one of `inputs` is another; where it gives undefined there is nothing to ask, and no answer. */
export function useAnswer<T>(ask: () => Promise<T> | undefined, inputs: readonly unknown[]): Answer<T> {
  const [answer, setAnswer] = useState<Answer<T>>(NOTHING);
  useEffect(() => {
    let wanted = true;
    const asked = ask();
    if (asked === undefined) {
      setAnswer(NOTHING);
      return undefined;
    }
    setAnswer(({ value }) => ({ value, pending: true, failure: undefined }));
    asked.then(
      (value) => {
        if (wanted) setAnswer({ value, pending: false, failure: undefined });
      },
      (error: unknown) => {
        if (wanted && !isAbort(error)) setAnswer({ value: undefined, pending: false, failure: messageOf(error) });
      },
    );
    return () => {
      wanted = false;
    };
  }, inputs);
  return answer;
}
