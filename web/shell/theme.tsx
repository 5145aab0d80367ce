// Light or dark: the system's choice, or the visitor's.
import { effect } from '@preact/signals';

import { addressed, oneOf } from '../app/address.js';

const THEMES = ['auto', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];

/** In the address like everything else, so that a link for a dark lecture hall stays dark. */
export const theme = addressed<Theme>('theme', oneOf(THEMES), 'auto');

effect(() => {
  document.documentElement.dataset['theme'] = theme.value;
});

const NAMES: Readonly<Record<Theme, string>> = { auto: 'as the system', light: 'light', dark: 'dark' };

export function ThemeButton() {
  const next = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? 'auto';
  return (
    <button
      type="button"
      class="button button--icon"
      title={`Colours: ${NAMES[theme.value]}`}
      aria-label={`Colours: ${NAMES[theme.value]}. Change to ${NAMES[next]}`}
      onClick={() => (theme.value = next)}
    >
      <svg class="theme-icon" viewBox="0 0 24 24" aria-hidden="true">
        <circle cx="12" cy="12" r="8.5" fill="none" stroke="currentColor" stroke-width="1.75" />
        {theme.value !== 'light' && (
          <path
            d={theme.value === 'dark' ? 'M12 3.5a8.5 8.5 0 1 1 0 17a8.5 8.5 0 1 1 0-17' : 'M12 3.5a8.5 8.5 0 0 1 0 17z'}
            fill="currentColor"
          />
        )}
      </svg>
    </button>
  );
}
