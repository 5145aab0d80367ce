// The few things that Node does differently from browsers.

/** Node reads files; browsers, Deno and Bun fetch them. */
export const isNode =
  typeof process === 'object' && typeof process.versions.node === 'string' && !('Deno' in globalThis);

/** A module of Node's, behind a name that bundlers do not follow: a page's bundle must not fail over it. */
export async function nodeModule<M>(name: string): Promise<M> {
  return (await import(/* webpackIgnore: true */ /* @vite-ignore */ name)) as M;
}

/** Lets the event loop turn: messages, timers, aborts and a page's paint happen here. */
export const nextTurn: () => Promise<void> = makeNextTurn();

function makeNextTurn(): () => Promise<void> {
  // setTimeout would sleep 4 ms a turn after the fifth; scheduler.yield would come back before waiting messages (our aborts).
  if (typeof setImmediate === 'function') {
    return () =>
      new Promise((resolve) => {
        setImmediate(resolve);
      });
  }
  if (typeof MessageChannel === 'function') {
    const waiting: (() => void)[] = [];
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => waiting.shift()?.();
    return () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        port2.postMessage(undefined);
      });
  }
  return () =>
    new Promise((resolve) => {
      setTimeout(resolve, 0);
    });
}
