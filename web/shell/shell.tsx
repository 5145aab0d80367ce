// What stands around the views: name and tabs above, alerts, the promise of privacy below.
import { useComputed, useSignal, useSignalEffect } from '@preact/signals';
import { type ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';

import icon from '../../assets/icon.svg';
import { addressWith } from '../app/address.js';
import { lessonStep, presenting } from '../app/lesson.js';
import { alertText, clearAlert, messageOf, showAlert } from '../app/alerts.js';
import { dragging } from '../app/incoming.js';
import { canSwitchThreads, switchThreads, switchedOn, updateWaits, worksOffline } from '../app/offline.js';
import { samples } from '../app/photos.js';
import { ThemeButton } from './theme.js';
import { VIEWS, type ViewEntry, type ViewModule, view } from './views.js';

export function Shell() {
  return (
    <>
      <a
        class="skip-link"
        href="#main"
        onClick={(event) => {
          event.preventDefault(); // the address after "#" is the page's state
          document.getElementById('main')?.focus();
        }}
      >
        Skip to the content
      </a>
      <Masthead />
      <main id="main" class="page" tabIndex={-1}>
        {VIEWS.map((entry) => (
          <ViewFrame key={entry.id} entry={entry} />
        ))}
      </main>
      <Footer />
      <Lesson />
      {dragging.value && <div class="drop-veil">Drop photos, or an ONNX file</div>}
    </>
  );
}

function Masthead() {
  const tabs = useRef<HTMLUListElement>(null);
  useSignalEffect(() => {
    const current = view.value;
    queueMicrotask(() => {
      // Where the tabs do not fit, the current one is in sight.
      tabs.current?.querySelector(`[data-view="${current}"]`)?.scrollIntoView({ block: 'nearest', inline: 'center' });
    });
  });
  return (
    <header class="masthead">
      <div class="masthead__row">
        <a class="masthead__name" href={addressWith({ view: 'quantize' })}>
          <img class="masthead__logo" src={icon} alt="" width="28" height="28" />
          kdequant
        </a>
        <nav aria-label="Views">
          <ul class="tabs" ref={tabs}>
            {VIEWS.map(({ id, title }) => (
              <li key={id}>
                <a
                  class="tabs__link"
                  data-view={id}
                  href={addressWith({ view: id })}
                  aria-current={view.value === id ? 'page' : undefined}
                  onClick={(event) => {
                    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // another tab or window, by the address
                    event.preventDefault();
                    view.value = id;
                  }}
                >
                  {title}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <div class="masthead__actions">
          <ThemeButton />
        </div>
      </div>
      <Alert />
    </header>
  );
}

/** Under the tabs, which stay in sight however far somebody has scrolled. */
function Alert() {
  return (
    <div id="alerts" role="alert">
      {alertText.value !== undefined && (
        <div class="alert masthead__alert">
          <p>{alertText.value}</p>
          <button type="button" class="button button--small" onClick={clearAlert}>
            Dismiss
          </button>
        </div>
      )}
    </div>
  );
}

/** The lesson's panel, loaded when a step is first opened. */
function Lesson() {
  const panel = useSignal<(() => ComponentChildren) | undefined>(undefined);
  useSignalEffect(() => {
    if (lessonStep.value === 0 || panel.peek() !== undefined) return;
    import('../views/lesson/panel.js').then(({ LessonPanel }) => (panel.value = LessonPanel), showAlert);
  });
  useSignalEffect(() => {
    document.documentElement.toggleAttribute('data-presenting', presenting.value && lessonStep.value > 0);
  });
  const Panel = panel.value;
  return Panel !== undefined && lessonStep.value > 0 && <Panel />;
}

type Loaded =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'ready'; readonly module: ViewModule }
  | { readonly kind: 'failed'; readonly message: string };

/** Loads a view when it is first opened, and from then on only hides it. */
function ViewFrame({ entry }: { readonly entry: ViewEntry }) {
  const loaded = useSignal<Loaded>({ kind: 'waiting' });
  const open = useComputed(() => view.value === entry.id);
  const frame = useRef<HTMLDivElement>(null);
  const asked = useRef(false);
  const wasOpen = useRef(open.peek());
  const load = (): void => {
    asked.current = true;
    loaded.value = { kind: 'waiting' };
    entry.load().then(
      (module) => (loaded.value = { kind: 'ready', module }),
      (error: unknown) => (loaded.value = { kind: 'failed', message: messageOf(error) }),
    );
  };
  useSignalEffect(() => {
    if (open.value && !asked.current) load();
  });
  useSignalEffect(() => {
    if (!open.value || loaded.value.kind !== 'ready') {
      if (!open.value) wasOpen.current = false;
      return;
    }
    if (wasOpen.current) return; // the page has just been opened: the focus stays where the visitor is
    wasOpen.current = true;
    queueMicrotask(() => {
      scrollTo({ top: 0 });
      frame.current?.querySelector('h1')?.focus({ preventScroll: true });
    });
  });
  const state = loaded.value;
  return (
    <div ref={frame} class="view" id={`view-${entry.id}`} hidden={!open.value}>
      {state.kind === 'ready' && <state.module.View />}
      {state.kind === 'waiting' && <p class="view__waiting">Loading…</p>}
      {state.kind === 'failed' && (
        <div class="alert">
          <p>
            “{entry.title}” could not be loaded: {state.message}
          </p>
          <button type="button" class="button" onClick={load}>
            Try again
          </button>
        </div>
      )}
    </div>
  );
}

/** For servers that cannot send the headers which threads need. */
function ThreadsSwitch() {
  if (!canSwitchThreads.value) return null;
  return (
    <label class="footer__switch">
      <input
        type="checkbox"
        checked={switchedOn.value}
        onChange={({ currentTarget }) => {
          switchThreads(currentTarget.checked).catch(showAlert);
        }}
      />
      Use threads: the page is opened anew, closed off from other pages, as browsers ask for.
    </label>
  );
}

function Footer() {
  const credits = samples.value.map(({ title, credit }) => `${title} (${credit})`).join(', ');
  return (
    <footer class="footer">
      <ThreadsSwitch />
      <p>
        Everything happens on your machine: no photo and no network is sent anywhere, and the page’s security policy
        does not let it.
        {worksOffline.value && ' It works offline, too.'}
        {updateWaits.value && ' A new version is there: it comes when you open the page next.'}
      </p>
      <p>
        Network: EfficientNet-Lite0 with ImageNet weights (Apache-2.0). Photos:{' '}
        <span id="photo-credits">{credits}</span>
      </p>
    </footer>
  );
}
