// Downloading a network in parts, each kept as soon as it is whole: what was received before an interruption is not asked for again.

export interface Part {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** A network that the page offers. */
export interface OfferedNetwork {
  readonly id: string;
  readonly name: string;
  readonly about: string;
  readonly licence: string;
  readonly bytes: number;
  readonly parts: readonly Part[];
}

const CACHE = 'kdequant-networks';
const DAMAGED = 'a part arrived damaged';

// Enough to fill a line with a long way to the server, few enough that an interruption loses little.
const AT_ONCE = 3;

/** The networks that were there when the page was built. */
export async function fetchOffered(): Promise<readonly OfferedNetwork[]> {
  const response = await fetch('./networks/networks.json');
  if (!response.ok)
    throw new Error(`the list of networks could not be loaded (the server answered ${response.status})`);
  return (await response.json()) as readonly OfferedNetwork[];
}

/** The network's file. Rejects with the signal's reason, or with an error that says which part is missing. */
export async function downloadParts(
  { name, parts }: OfferedNetwork,
  onBytes: (received: number) => void,
  signal: AbortSignal,
): Promise<Blob> {
  const cache = await openCache();
  const blobs: Blob[] = [];
  let received = 0;
  const count = (bytes: number): void => {
    received += bytes;
    onBytes(received);
  };
  const waiting = parts.map((part, index) => ({ part, index }));
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { part, index } = next;
      blobs[index] = await obtain(part, cache, count, signal);
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  } catch (error) {
    waiting.length = 0;
    signal.throwIfAborted();
    throw new Error(
      `The download of ${name} stopped (${error instanceof Error ? error.message : String(error)}). What has arrived is kept: try again to go on.`,
      { cause: error },
    );
  }
  return new Blob(blobs);
}

/** Forgets parts of networks that are offered no more. */
export async function forgetOtherParts(offered: readonly OfferedNetwork[]): Promise<void> {
  const cache = await openCache();
  const known = new Set(offered.flatMap(({ parts }) => parts.map(({ file }) => new URL(file, document.baseURI).href)));
  for (const request of (await cache?.keys()) ?? []) if (!known.has(request.url)) await cache?.delete(request);
}

// Plain http from another machine has no caches: then the parts are only downloaded.
async function openCache(): Promise<Cache | undefined> {
  try {
    return 'caches' in globalThis ? await caches.open(CACHE) : undefined;
  } catch {
    return undefined; // a private window may refuse
  }
}

async function obtain(
  part: Part,
  cache: Cache | undefined,
  count: (bytes: number) => void,
  signal: AbortSignal,
): Promise<Blob> {
  const kept = await (await cache?.match(part.file))?.blob();
  if (kept?.size === part.bytes) {
    count(kept.size);
    return kept;
  }
  const response = await fetch(part.file, { signal });
  if (!response.ok || response.body === null) throw new Error(`the server answered ${response.status}`);
  const content = new Uint8Array(part.bytes);
  let filled = 0;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (filled + value.length > content.length) throw new Error(DAMAGED);
    content.set(value, filled);
    filled += value.length;
    count(value.length);
  }
  if (filled !== content.length || !(await isWhole(content, part))) throw new Error(DAMAGED);
  const blob = new Blob([content]);
  // Nobody waits for the copy. Where the disk is full the page works without.
  cache?.put(part.file, new Response(blob)).catch(() => undefined);
  return blob;
}

async function isWhole(content: Uint8Array<ArrayBuffer>, { sha256 }: Part): Promise<boolean> {
  if (!isSecureContext) return true; // no digests there
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', content));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('') === sha256;
}
