/**
 * Lets `using` end the objects of a class where the runtime knows Symbol.dispose (Safari and older Firefox do not yet: a method of
 * that name in the class itself would be called "undefined" there).
 */
export function makeDisposable(prototype: { dispose(): void }): void {
  const symbol = (Symbol as { dispose?: symbol }).dispose;
  if (symbol === undefined) return;
  Object.defineProperty(prototype, symbol, {
    value(this: { dispose(): void }): void {
      this.dispose();
    },
  });
}
