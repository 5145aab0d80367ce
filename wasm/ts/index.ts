// kdequant: float ONNX networks to 4-bit ones by kernel density estimation, and running both.
import { computesRelaxed, computesThreaded, loadEngine } from './engine.js';
import { ask } from './errors.js';
import { collectPictures, type FolderFile, type FolderPictures } from './folder.js';
import { parseLabelTable } from './label-table.js';
import { toPixels, toRgba } from './pixels.js';
import { type Build, type Decoder, type PictureInput, type PrepareOptions, type RgbaPixels } from './types.js';

export { KdequantError, type KdequantErrorCode } from './errors.js';
export { type FolderFile, type FolderPictures } from './folder.js';
export { loadModel } from './model.js';
export type * from './types.js';

/**
 * Fetches and compiles the engine ahead of the first `loadModel`, for a page that knows it will need it while its network is
 * still on its way. Resolves to the build that is used here; rejects as `loadModel` would.
 */
export async function prepare({ build, tools = false }: PrepareOptions = {}): Promise<Build> {
  const engine = await loadEngine(build);
  if (tools) await engine.tools.get();
  return engine.build;
}

/**
 * A synthetic picture, for showing: the same for the same size (8 to 4096) and seed everywhere. With an `index` from 0 it is the one
 * that `quantize` with this seed draws as its index-th for calibration, at the size of the network's input.
 */
export async function deadLeaves(size: number, seed: number, index?: number): Promise<RgbaPixels> {
  const engine = await loadEngine();
  const tools = await engine.tools.get();
  return { data: ask(() => tools.deadLeaves(size, seed, index ?? -1)), width: size, height: size };
}

/** The pixels of a picture, upright, RGBA. */
export async function decodePicture(picture: PictureInput, decoder?: Decoder): Promise<RgbaPixels> {
  return toRgba(await toPixels(picture, decoder));
}

/** The builds that this runtime computes rightly with, slowest first: what `build` may be. Loads every engine to know it. */
export async function availableBuilds(): Promise<readonly Build[]> {
  await loadEngine('simd128');
  if (!(await computesRelaxed())) return ['simd128'];
  return (await computesThreaded()) ? ['simd128', 'relaxed', 'threads'] : ['simd128', 'relaxed'];
}

/**
 * The pictures of a folder with their classes, for `session.evaluate`: by a `labels.csv` in it, or by one subfolder a class. For
 * the names of classes give `classNames` (`await model.classNames()`).
 */
export function picturesOfFolder(
  files: readonly FolderFile[],
  classNames?: readonly string[],
): Promise<FolderPictures> {
  return collectPictures(files, classNames, parseLabelTable);
}
