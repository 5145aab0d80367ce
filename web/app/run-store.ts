// Where runs are kept between visits: IndexedDB, files as buffers (Safari refuses Blobs there).
import { type QuantizeOptions, type QuantizeReport } from 'kdequant';

/** One quantization and what came of it. */
export interface Run {
  readonly id: number;
  /** What it is called in the table. */
  readonly title: string;
  /** Of the float network: by name and size it is known again. */
  readonly network: string;
  readonly made: string;
  readonly settings: RunSettings;
  readonly report: QuantizeReport;
  /** Photos on which both networks gave the same first answer, of those that were shown. */
  readonly agreement?: Agreement | undefined;
}

export interface Agreement {
  readonly same: number;
  readonly of: number;
}

/** The options that can be written down: photos are counted, not kept. */
export type RunSettings = Omit<QuantizeOptions, 'calibration' | 'onProgress' | 'onLayer' | 'signal'> &
  Required<Pick<QuantizeOptions, 'granularity' | 'sampling' | 'samples' | 'seed'>> & {
    readonly calibration: 'synthetic' | 'none' | 'photos';
  };

const DATABASE = 'kdequant';
const RUNS = 'runs';
const FILES = 'files';

let opening: Promise<IDBDatabase> | undefined;

function open(): Promise<IDBDatabase> {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(RUNS, { keyPath: 'id' });
      request.result.createObjectStore(FILES);
    };
    request.onsuccess = () => {
      resolve(request.result);
    };
    request.onerror = () => {
      reject(request.error ?? new Error('the browser keeps no data here'));
    };
  });
  opening.catch(() => (opening = undefined));
  return opening;
}

/** Resolves when the transaction is on disk, with what `work` asked for. */
async function transact<T>(
  mode: IDBTransactionMode,
  work: (transaction: IDBTransaction) => IDBRequest<T> | undefined,
): Promise<T | undefined> {
  const database = await open();
  return new Promise((resolve, reject) => {
    const transaction = database.transaction([RUNS, FILES], mode);
    const request = work(transaction);
    transaction.oncomplete = () => {
      resolve(request?.result);
    };
    transaction.onabort = () => {
      reject(transaction.error ?? new Error('the browser did not keep the run'));
    };
  });
}

/** All runs, the oldest first. */
export async function readRuns(): Promise<readonly Run[]> {
  const runs = await transact('readonly', (transaction) => transaction.objectStore(RUNS).getAll() as IDBRequest<Run[]>);
  return (runs ?? []).sort((a, b) => a.id - b.id);
}

export async function readFile(id: number): Promise<ArrayBuffer | undefined> {
  return transact(
    'readonly',
    (transaction) => transaction.objectStore(FILES).get(id) as IDBRequest<ArrayBuffer | undefined>,
  );
}

/** Keeps a run and its file. Rejects with a QuotaExceededError when the disk is full. */
export async function writeRun(run: Run, file: ArrayBuffer): Promise<void> {
  await transact('readwrite', (transaction) => {
    transaction.objectStore(RUNS).put(run);
    transaction.objectStore(FILES).put(file, run.id);
    return undefined;
  });
}

/** Changes what is said about a run, not its file. */
export async function rewriteRun(run: Run): Promise<void> {
  await transact('readwrite', (transaction) => {
    transaction.objectStore(RUNS).put(run);
    return undefined;
  });
}

export async function deleteRun(id: number): Promise<void> {
  await transact('readwrite', (transaction) => {
    transaction.objectStore(RUNS).delete(id);
    transaction.objectStore(FILES).delete(id);
    return undefined;
  });
}
