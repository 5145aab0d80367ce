// What went wrong, said where a screen reader hears it and an eye finds it.
import { signal } from '@preact/signals';

/** The sentence shown above the view; undefined when there is none. */
export const alertText = signal<string | undefined>(undefined);

/** Shows a sentence until it is dismissed or replaced. */
export function showAlert(error: unknown): void {
  if (isAbort(error)) return;
  alertText.value = messageOf(error);
}

export function clearAlert(): void {
  alertText.value = undefined;
}

/** The sentence of whatever was thrown. */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.charAt(0).toUpperCase() + message.slice(1);
}

/** Whether somebody asked for the stop, so that there is nothing to report. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}
