// The views of the page: what the tabs show, and where each view's code is.
import { type ComponentChildren } from 'preact';

import { addressed, oneOf } from '../app/address.js';
import { folder } from '../app/folder.js';
import { droppedNetwork } from '../app/incoming.js';
import * as quantizeView from '../views/quantize/view.js';

/** What the module of a view exports. It is loaded when its tab is first opened, and stays mounted from then on. */
export interface ViewModule {
  /** Its first element is a `<ViewHeader>`. Where it draws continuously, it stops while `view.value` is another. */
  View(): ComponentChildren;
}

export const VIEW_IDS = ['quantize', 'classify', 'inside', 'laboratory', 'speed', 'lesson'] as const;
export type ViewId = (typeof VIEW_IDS)[number];

export interface ViewEntry {
  readonly id: ViewId;
  /** On the tab. */
  readonly title: string;
  load(): Promise<ViewModule>;
}

/** To add a view: its id above, a line here, and web/views/ID/view.tsx (with the style that only it needs, imported there). */
export const VIEWS: readonly ViewEntry[] = [
  { id: 'quantize', title: 'Quantize', load: () => Promise.resolve(quantizeView) },
  { id: 'classify', title: 'Classify', load: () => import('../views/classify/view.js') },
  { id: 'inside', title: 'Look inside', load: () => import('../views/inside/view.js') },
  { id: 'laboratory', title: 'Laboratory', load: () => import('../views/laboratory/view.js') },
  { id: 'speed', title: 'Speed', load: () => import('../views/speed/view.js') },
  { id: 'lesson', title: 'Lesson', load: () => import('../views/lesson/view.js') },
];

/** The view that is shown. */
export const view = addressed<ViewId>('view', oneOf(VIEW_IDS), 'quantize', { history: 'step' });

// A folder dropped on any view is shown where it is scored, and a network where it is read.
folder.subscribe((chosen) => {
  if (chosen !== undefined) view.value = 'classify';
});
droppedNetwork.subscribe((file) => {
  if (file !== undefined) view.value = 'quantize';
});
