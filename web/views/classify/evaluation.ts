// A folder through both networks: how often each is right, and how often they agree.
import { signal } from '@preact/signals';
import { type EvaluatedPicture, type EvaluationFigures, type EvaluationReport, type FolderPictures } from 'kdequant';

import { isAbort, messageOf } from '../../app/alerts.js';
import { startEngine } from '../../app/engine.js';
import { folder } from '../../app/folder.js';
import { network, onNetworkReplaced } from '../../app/network.js';
import { small } from '../../app/quantization.js';

export interface Running {
  readonly kind: 'running';
  readonly found: FolderPictures;
  readonly figures: EvaluationFigures | undefined;
  readonly seconds: number;
}

export type EvaluationState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'reading' }
  | Running
  /** `report` misses where the evaluation was stopped: then the figures are of what was seen until then. */
  | {
      readonly kind: 'done';
      readonly found: FolderPictures;
      readonly figures: EvaluationFigures;
      readonly report: EvaluationReport | undefined;
      readonly seconds: number;
    }
  | { readonly kind: 'failed'; readonly message: string };

export const evaluation = signal<EvaluationState>({ kind: 'idle' });

// Ten thousand pictures make as many changes, and the page need not draw each.
const SHOW_EVERY_MS = 150;

let running: AbortController | undefined;

type Folder = NonNullable<(typeof folder)['value']>;

export async function evaluate(chosen: Folder): Promise<void> {
  const float = network.peek();
  if (float.kind !== 'ready') return;
  running?.abort();
  const controller = new AbortController();
  running = controller;
  const isCurrent = (): boolean => running === controller;
  const four = small.peek();
  evaluation.value = { kind: 'reading' };
  const start = performance.now();
  const seconds = (): number => (performance.now() - start) / 1000;
  let found: FolderPictures | undefined;
  let figures: EvaluationFigures | undefined;
  let shown = 0;
  try {
    const engine = await startEngine();
    found = await engine.picturesOfFolder(chosen.files, await float.model.classNames());
    const seen = found;
    const show = (): void => {
      if (!isCurrent() || performance.now() - shown < SHOW_EVERY_MS) return;
      shown = performance.now();
      evaluation.value = { kind: 'running', found: seen, figures, seconds: seconds() };
    };
    show();
    const session = four?.session ?? float.session;
    const report = await session.evaluate(found.pictures, {
      ...(four === undefined ? {} : { reference: float.session }),
      signal: controller.signal,
      onPicture: (_picture: EvaluatedPicture, soFar) => {
        figures = soFar;
        show();
      },
    });
    if (isCurrent()) evaluation.value = { kind: 'done', found, figures: report, report, seconds: seconds() };
  } catch (error) {
    if (!isCurrent()) return;
    if (!isAbort(error)) evaluation.value = { kind: 'failed', message: messageOf(error) };
    else if (found !== undefined && figures !== undefined)
      evaluation.value = { kind: 'done', found, figures, report: undefined, seconds: seconds() };
    else evaluation.value = { kind: 'idle' };
  } finally {
    if (isCurrent()) running = undefined;
  }
}

export function stopEvaluation(): void {
  running?.abort();
}

// Figures never stand under the name of another folder or network.
function forget(): void {
  running?.abort();
  running = undefined;
  evaluation.value = { kind: 'idle' };
}
folder.subscribe(forget);
onNetworkReplaced(forget);
