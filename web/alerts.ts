// What went wrong, said where a screen reader hears it and an eye finds it.
import { byId, element } from './dom.js';

/** Shows a sentence until it is dismissed or replaced. */
export function showAlert(message: string): void {
  const dismiss = element('button', {
    class: 'button button--quiet',
    text: 'Dismiss',
    attributes: { type: 'button' },
  });
  const alert = element('div', { class: 'alert', children: [element('p', { text: message }), dismiss] });
  dismiss.addEventListener('click', clearAlerts);
  byId('alerts').replaceChildren(alert);
}

export function clearAlerts(): void {
  byId('alerts').replaceChildren();
}

/** The sentence of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether somebody asked for the stop, so that there is nothing to report. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}
