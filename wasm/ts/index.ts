// kdequant: float ONNX networks to 4-bit ones by kernel density estimation, and running both.
import { loadEngine } from './engine.js';
import { ask } from './errors.js';
import { toPixels, toRgba } from './pixels.js';
import { type Decoder, type PictureInput, type RgbaPixels } from './types.js';

export { KdequantError, type KdequantErrorCode } from './errors.js';
export { loadModel } from './model.js';
export type * from './types.js';

/**
 * A synthetic picture, for showing: the same for the same size (8 to 4096) and seed everywhere. With an `index` from 0 it is the one
 * that `quantize` with this seed draws as its index-th for calibration, at the size of the network's input.
 */
export async function deadLeaves(size: number, seed: number, index?: number): Promise<RgbaPixels> {
  const { native } = await loadEngine();
  return { data: ask(() => native.deadLeaves(size, seed, index ?? -1)), width: size, height: size };
}

/** The pixels of a picture, upright, RGBA. */
export async function decodePicture(picture: PictureInput, decoder?: Decoder): Promise<RgbaPixels> {
  return toRgba(await toPixels(picture, decoder));
}
