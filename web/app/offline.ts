// The service worker: the page works offline after the first visit, and threads work where the visitor switches them on.
import { computed, signal } from '@preact/signals';

type OfflineState = 'unsupported' | 'preparing' | 'ready';

const supported = 'serviceWorker' in navigator && isSecureContext;

const state = signal<OfflineState>(supported ? 'preparing' : 'unsupported');

/** Whether the page would open without a network. */
export const worksOffline = computed(() => state.value === 'ready');

/** Whether another version waits for its turn; it comes when the page is opened next. */
export const updateWaits = signal(false);

/** Whether the threads' switch can do anything here: a server that sends the headers itself needs none. */
export const canSwitchThreads = computed(() => worksOffline.value && (!crossOriginIsolated || switchedOn.value));

const SWITCH = 'kdequant-threads';

/** Whether the visitor switched threads on. */
export const switchedOn = signal(readSwitch());

function readSwitch(): boolean {
  try {
    return localStorage.getItem(SWITCH) === 'on';
  } catch {
    return false; // no storage in this window
  }
}

export async function startOffline(): Promise<void> {
  if (!supported) return;
  try {
    const registration = await navigator.serviceWorker.register('./service-worker.js');
    registration.addEventListener('updatefound', () => {
      const next = registration.installing;
      next?.addEventListener('statechange', () => {
        updateWaits.value = next.state === 'installed' && navigator.serviceWorker.controller !== null;
      });
    });
    updateWaits.value = registration.waiting !== null;
    await navigator.serviceWorker.ready;
    state.value = 'ready';
  } catch {
    state.value = 'unsupported'; // the page goes on without
  }
}

/** Switches the headers on or off that let threads share memory, and opens the page anew with them. */
export async function switchThreads(on: boolean): Promise<void> {
  const registration = await navigator.serviceWorker.ready;
  const { port1, port2 } = new MessageChannel();
  const done = new Promise((resolve) => {
    port1.onmessage = resolve;
  });
  registration.active?.postMessage({ type: 'isolation', on }, [port2]);
  await done;
  localStorage.setItem(SWITCH, on ? 'on' : 'off');
  location.reload();
}
