// WebAssembly modules from the package's files.
import { describe, KdequantError } from './errors.js';
import { isNode, nodeModule } from './platform.js';

/** Node's files, once they are prepared. */
let files: typeof import('node:fs') | undefined;

/** Fetches a module and compiles it while it arrives. */
export async function fetchModule(url: URL): Promise<WebAssembly.Module> {
  try {
    await prepareFetchNow();
    if (files && url.protocol === 'file:') return await WebAssembly.compile(await files.promises.readFile(url));
    const response = await fetch(url);
    if (!response.ok) throw new Error(`HTTP status ${response.status}`);
    // compileStreaming insists on the right media type, which not every static server sends.
    return response.headers.get('content-type')?.startsWith('application/wasm')
      ? await WebAssembly.compileStreaming(response)
      : await WebAssembly.compile(await response.arrayBuffer());
  } catch (error) {
    throw unreadable(url, error);
  }
}

/** To be awaited before `fetchModuleNow`; `fetchModule` does it too. */
export async function prepareFetchNow(): Promise<void> {
  if (isNode) files ??= await nodeModule<typeof import('node:fs')>('node:fs');
}

/** The same while everything else waits. */
export function fetchModuleNow(url: URL): WebAssembly.Module {
  try {
    return new WebAssembly.Module(files ? files.readFileSync(url) : requestNow(url));
  } catch (error) {
    throw unreadable(url, error);
  }
}

function requestNow(url: URL): BufferSource {
  const request = new XMLHttpRequest();
  request.open('GET', url, false);
  // A page's own thread may not ask for bytes: they come as the low halves of characters.
  request.overrideMimeType('text/plain; charset=x-user-defined');
  request.send();
  if (request.status !== 200 && request.status !== 0) throw new Error(`HTTP status ${request.status}`);
  return Uint8Array.from(request.responseText, (character) => character.charCodeAt(0) & 0xff);
}

function unreadable(url: URL, error: unknown): KdequantError {
  return new KdequantError(
    'cannot-read',
    `cannot load the engine from ${url.href} (${describe(error)}); check that the package's .wasm files are served`,
    undefined,
    { cause: error },
  );
}
