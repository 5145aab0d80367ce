// Pictures and models in a form that can be sent to a worker.
import { describe, KdequantError } from '../errors.js';
import { isDrawable, toPixels } from '../pixels.js';
import { type ModelSource, type PictureInput } from '../types.js';
import { type SendableSource } from './protocol.js';

export interface Sendable {
  readonly picture: PictureInput;
  readonly transfer: Transferable[];
}

/** Files and pixels are sent as they are (copied: they stay the caller's). What is drawn becomes a bitmap that moves. */
export async function sendablePicture(picture: PictureInput): Promise<Sendable> {
  if (!isDrawable(picture)) return { picture, transfer: [] };
  if (typeof OffscreenCanvas === 'undefined') {
    // The worker could not read a bitmap's pixels.
    const { data, width, height } = await toPixels(picture);
    return { picture: { data, width, height }, transfer: [data.buffer as ArrayBuffer] };
  }
  try {
    const bitmap = await createImageBitmap(picture);
    return { picture: bitmap, transfer: [bitmap] };
  } catch (error) {
    throw new KdequantError(
      'usage',
      `this picture cannot be read yet (${describe(error)}); wait until it has loaded (image.decode(), or a video frame)`,
      undefined,
      { cause: error },
    );
  }
}

export async function sendableSource(
  source: ModelSource,
): Promise<{ readonly source: SendableSource; readonly transfer: Transferable[] }> {
  if (source instanceof URL) return { source: source.href, transfer: [] };
  if (typeof source === 'string') return { source: absolute(source), transfer: [] };
  if (!(source instanceof Response)) return { source, transfer: [] };
  if (!source.ok) {
    throw new KdequantError(
      'cannot-read',
      `${source.url} answered with HTTP status ${source.status}; check the address`,
    );
  }
  const bytes = await source.arrayBuffer();
  return { source: bytes, transfer: [bytes] };
}

/** A worker resolves relative addresses against its own script: resolve them against the page first. */
function absolute(address: string): string {
  return typeof document === 'undefined' ? address : new URL(address, document.baseURI).href;
}
