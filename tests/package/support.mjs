// Where the tests find the bundled network, the photos and the native command.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

export const root = new URL('../../', import.meta.url);
const path = (relative) => fileURLToPath(new URL(relative, root));

export const networkPath = path('build/assets/efficientnet-lite0.onnx');
export const catPath = path('build/assets/photos/chelsea.jpg');
export const cat = () => readFile(catPath);

const commandPath = path('build/bin/kdequant');
export const command = existsSync(commandPath) ? commandPath : undefined;

/** ImageNet's domestic cats. */
export const isCat = ({ classIndex }) => classIndex >= 281 && classIndex <= 285;

/** A picture with some structure: `side` x `side`, RGB. */
export function patternPicture(side = 64) {
  const data = new Uint8Array(3 * side * side);
  for (let i = 0; i < data.length; ++i) data[i] = (i * i * 31 + i * 7) % 251;
  return { data, width: side, height: side };
}

export const sameBits = (a, b) => Buffer.compare(Buffer.from(a.buffer), Buffer.from(b.buffer)) === 0;
