// The runs at hand: those of earlier visits and of this one.
import { computed, signal } from '@preact/signals';

import { messageOf } from './alerts.js';
import { type Agreement, type Run, deleteRun, readFile, readRuns, rewriteRun, writeRun } from './run-store.js';

/** Room for the files of all runs together. */
export const MAX_RUN_BYTES = 200e6;

/** The oldest first. */
export const runs = signal<readonly Run[]>([]);

export const runBytes = computed(() => sizeOf(runs.value));

/** Asks whether the oldest runs may go, so that a new one fits; undefined when nothing is asked. */
export const roomQuestion = signal<
  { readonly oldest: readonly Run[]; readonly answer: (drop: boolean) => void } | undefined
>(undefined);

/** Why the last run could not be kept; it is there until the page is closed. */
export const keepProblem = signal<string | undefined>(undefined);

// Files of runs that the browser would not keep.
const unkept = new Map<number, ArrayBuffer>();

function sizeOf(some: readonly Run[]): number {
  return some.reduce((sum, { report }) => sum + report.bytesOut, 0);
}

export async function loadRuns(): Promise<void> {
  try {
    runs.value = await readRuns();
  } catch (error) {
    keepProblem.value = `Runs cannot be kept in this browser window: ${messageOf(error)}`;
  }
}

/** Adds a run to the table and keeps it; where it does not fit, the visitor is asked first. */
export async function addRun(run: Run, file: ArrayBuffer): Promise<void> {
  keepProblem.value = undefined;
  unkept.set(run.id, file);
  runs.value = [...runs.value, run];
  try {
    const oldest = oldestBeyond(MAX_RUN_BYTES, run);
    if (oldest.length > 0) {
      if (!(await ask(oldest))) {
        keepProblem.value = `“${run.title}” is here until the page is closed: the runs have filled their ${MAX_RUN_BYTES / 1e6} MB. Delete some to keep new ones.`;
        return;
      }
      for (const old of oldest) await removeRun(old);
    }
    await writeRun(run, file);
    unkept.delete(run.id);
    // What was done to it while it was being written.
    const now = runs.value.find(({ id }) => id === run.id);
    if (now === undefined) await deleteRun(run.id);
    else if (now !== run) await rewriteRun(now);
  } catch (error) {
    const full = error instanceof DOMException && error.name === 'QuotaExceededError';
    keepProblem.value = full
      ? `“${run.title}” is here until the page is closed: the browser’s storage is full. Delete runs, or free space on the disk.`
      : `“${run.title}” is here until the page is closed: ${messageOf(error)}`;
  }
}

/** The oldest runs without which the rest fits. */
function oldestBeyond(limit: number, added: Run): readonly Run[] {
  const others = runs.value.filter(({ id }) => id !== added.id && !unkept.has(id));
  let drop = 0;
  while (drop < others.length && sizeOf(others.slice(drop)) + added.report.bytesOut > limit) drop += 1;
  return others.slice(0, drop);
}

function ask(oldest: readonly Run[]): Promise<boolean> {
  roomQuestion.value?.answer(false);
  return new Promise((resolve) => {
    roomQuestion.value = {
      oldest,
      answer: (drop) => {
        roomQuestion.value = undefined;
        resolve(drop);
      },
    };
  });
}

export async function renameRun(run: Run, title: string): Promise<void> {
  await change({ ...run, title });
}

export async function noteAgreement(id: number, agreement: Agreement): Promise<void> {
  const run = runs.value.find((one) => one.id === id);
  if (run === undefined) return;
  if (run.agreement?.same === agreement.same && run.agreement.of === agreement.of) return;
  await change({ ...run, agreement });
}

async function change(changed: Run): Promise<void> {
  runs.value = runs.value.map((run) => (run.id === changed.id ? changed : run));
  if (!unkept.has(changed.id)) await rewriteRun(changed);
}

export async function removeRun({ id }: Run): Promise<void> {
  runs.value = runs.value.filter((run) => run.id !== id);
  if (!unkept.delete(id)) await deleteRun(id);
}

/** The 4-bit ONNX file of a run. */
export async function fileOf(run: Run): Promise<ArrayBuffer> {
  const file = unkept.get(run.id) ?? (await readFile(run.id));
  if (file === undefined) throw new Error(`the file of “${run.title}” is gone; delete the run and make it again`);
  return file;
}
