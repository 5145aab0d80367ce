// The address bar holds the whole state: every setting that differs from its default is a key after the "#", so a link shows what
// its sender saw. After the "#", because what stands there is never sent to a server.
import { type Signal, batch, signal } from '@preact/signals';

/** How a value is written in the address; `parse` answers undefined to what makes no sense. */
export interface Codec<T> {
  readonly parse: (text: string) => T | undefined;
  readonly format: (value: T) => string;
}

export const text: Codec<string> = { parse: (value) => value, format: (value) => value };

export const flag: Codec<boolean> = {
  parse: (value) => (value === '1' ? true : value === '0' ? false : undefined),
  format: (value) => (value ? '1' : '0'),
};

export function numberBetween(low: number, high: number): Codec<number> {
  return {
    parse(value) {
      const number = Number(value);
      return value !== '' && number >= low && number <= high ? number : undefined;
    },
    format: String,
  };
}

export function integerBetween(low: number, high: number): Codec<number> {
  const { parse, format } = numberBetween(low, high);
  return {
    parse(value) {
      const number = parse(value);
      return Number.isInteger(number) ? number : undefined;
    },
    format,
  };
}

export function oneOf<T extends string>(values: readonly T[]): Codec<T> {
  return { parse: (value) => values.find((known) => known === value), format: (value) => value };
}

export interface AddressOptions {
  /** `step`: the browser's Back button returns to the value before. `quiet` (the default): it does not. */
  readonly history?: 'step' | 'quiet';
}

interface Entry {
  /** Takes the value from the address; from its default where the address has none. */
  read(value: string | null): void;
  /** What the address should say; undefined for the default. */
  written(): string | undefined;
  readonly step: boolean;
}

// Safari refuses more than 100 changes in 30 seconds; a slider being dragged makes more.
const WRITE_AFTER_MS = 350;

const entries = new Map<string, Entry>();
let timer: ReturnType<typeof setTimeout> | undefined;

/** A signal whose value lives in the address under `key`. Modules loaded later find their keys there. */
export function addressed<T>(key: string, codec: Codec<T>, initial: T, options: AddressOptions = {}): Signal<T> {
  const parse = (written: string | null): T => (written === null ? undefined : codec.parse(written)) ?? initial;
  const value = signal(parse(current().get(key)));
  const initialText = codec.format(initial);
  const entry: Entry = {
    read: (written) => {
      value.value = parse(written);
    },
    written: () => {
      const now = codec.format(value.peek());
      return now === initialText ? undefined : now;
    },
    step: options.history === 'step',
  };
  entries.set(key, entry);
  value.subscribe(() => {
    if (entry.step) write();
    else timer ??= setTimeout(write, WRITE_AFTER_MS);
  });
  return value;
}

/** The address of the present state with some keys changed, for links: `addressWith({ view: 'inside' })`. */
export function addressWith(changes: Readonly<Record<string, string>>): string {
  const next = present();
  for (const [key, value] of Object.entries(changes)) next.set(key, value);
  return `#${next.toString()}`;
}

/** Sets keys as a link would, also those of modules that are not loaded yet. */
export function applyAddress(changes: Readonly<Record<string, string>>): void {
  history.replaceState(null, '', addressWith(changes));
  read();
}

function current(): URLSearchParams {
  return new URLSearchParams(location.hash.slice(1));
}

/** What the address should say now. Keys of modules that are not loaded yet stay. */
function present(): URLSearchParams {
  const next = current();
  for (const [key, entry] of entries) {
    const written = entry.written();
    if (written === undefined) next.delete(key);
    else next.set(key, written);
  }
  return next;
}

function write(): void {
  clearTimeout(timer);
  timer = undefined;
  const before = current();
  const next = present();
  if (next.toString() === before.toString()) return;
  const url = next.size === 0 ? location.pathname + location.search : `#${next.toString()}`;
  const stepped = [...entries].some(([key, entry]) => entry.step && next.get(key) !== before.get(key));
  if (stepped) history.pushState(null, '', url);
  else history.replaceState(null, '', url);
}

function read(): void {
  const now = current();
  // All at once: a state in between must not be written back.
  batch(() => {
    for (const [key, entry] of entries) entry.read(now.get(key));
  });
}

// Links within the page and the Back button alike. The first event comes with the change itself: what is to be written a moment later
// must not find the new address beside the old state.
addEventListener('popstate', read);
addEventListener('hashchange', read);
