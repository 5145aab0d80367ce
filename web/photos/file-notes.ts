// What there is to say about a photo's file itself.
import { type Photo } from '../app/photos.js';

const HEAD_BYTES = 4096;

/** Pixels from which a photo is shrunk before the network's own resizing: browsers refuse larger canvases. */
const HUGE_BYTES = 24e6;

/** A sentence about a file that is shown otherwise than one might expect; undefined for an ordinary photo. */
export async function noteOn(file: Blob): Promise<string | undefined> {
  const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  if (isAnimatedGif(head)) return 'An animation: the networks see its first frame.';
  if (file.size > HUGE_BYTES) return 'A very large photo: reading it takes a moment.';
  return undefined;
}

/** Why a photo could not be answered, with what helps. */
export function describeFailure({ name, blob }: Photo, message: string): string {
  if (/\.(heic|heif)$/i.test(name) || /hei[cf]/.test(blob.type)) {
    return `“${name}” is a HEIC photo, which this browser cannot read. Save it as JPEG (on an iPhone: Settings, Camera, Formats, Most Compatible), or open this page in Safari.`;
  }
  return `“${name}”: ${message}`;
}

/** Animations that repeat say so in a block called NETSCAPE2.0, before their first frame. */
function isAnimatedGif(head: Uint8Array): boolean {
  const text = String.fromCharCode(...head);
  return text.startsWith('GIF8') && text.includes('NETSCAPE2.0');
}
