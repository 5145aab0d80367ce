// From whatever a picture is given as to pixels.
import { type PixelSink } from './engine-module.js';
import { loadDecoder } from './engine.js';
import { describe, KdequantError, ask } from './errors.js';
import { type Decoder, type DrawablePicture, type PictureInput, type Pixels, type RgbaPixels } from './types.js';

/** Some browsers refuse larger canvases, without an error: a larger picture is drawn smaller by a whole factor. */
const maxCanvasPixels = 16_777_216;

export function defaultDecoder(): Decoder {
  return typeof createImageBitmap === 'function' ? 'platform' : 'own';
}

/** Pixels of a picture. Upright: the orientation that a camera notes in a file is applied. */
export async function toPixels(picture: PictureInput, decoder: Decoder = defaultDecoder()): Promise<Pixels> {
  if (isPixels(picture)) return picture;
  if (picture instanceof Blob || picture instanceof ArrayBuffer || picture instanceof Uint8Array) {
    return decoder === 'own' ? decodeOurselves(picture) : decodeByPlatform(picture);
  }
  if (isDrawable(picture)) return draw(picture, sizeOf(picture));
  throw new KdequantError(
    'usage',
    'a picture is a Blob, the bytes of a picture file, { data, width, height }, ImageData, ImageBitmap, or an image, canvas or video element',
  );
}

/** Hands pixels to the module, which copies them. */
export function fillPixels(sink: PixelSink, { data, width, height }: Pixels): void {
  const channels = data.length / (width * height);
  if (channels !== 3 && channels !== 4) {
    throw new KdequantError(
      'usage',
      `${data.length} bytes are no ${width}x${height} picture: give 3 (RGB) or 4 (RGBA) bytes a pixel`,
    );
  }
  ask(() => sink.reserve(width, height, channels)).set(data);
}

/** Pixels as RGBA of their own memory, ready for ImageData. */
export function toRgba({ data, width, height }: Pixels): RgbaPixels {
  const pixels = width * height;
  const rgba = new Uint8ClampedArray(4 * pixels);
  if (data.length === 4 * pixels) {
    rgba.set(data);
  } else {
    for (let i = 0; i < pixels; ++i) {
      for (let c = 0; c < 3; ++c) rgba[4 * i + c] = data[3 * i + c] ?? 0;
      rgba[4 * i + 3] = 255;
    }
  }
  return { data: rgba, width, height };
}

export function isPixels(picture: PictureInput): picture is Pixels {
  return typeof picture === 'object' && 'data' in picture && 'width' in picture && 'height' in picture;
}

export function isDrawable(picture: unknown): picture is DrawablePicture {
  const kinds = [
    'ImageBitmap',
    'HTMLImageElement',
    'HTMLCanvasElement',
    'OffscreenCanvas',
    'HTMLVideoElement',
    'VideoFrame',
  ];
  return kinds.some((kind) => {
    const type = (globalThis as Record<string, unknown>)[kind];
    return typeof type === 'function' && picture instanceof type;
  });
}

async function decodeOurselves(file: Blob | ArrayBuffer | Uint8Array): Promise<Pixels> {
  const module = await loadDecoder();
  const bytes =
    file instanceof Uint8Array ? file : new Uint8Array(file instanceof Blob ? await file.arrayBuffer() : file);
  const native = ask(() => module.Bytes.create(bytes.length));
  try {
    native.view(0, bytes.length).set(bytes);
    return ask(() => module.decode(native, bytes.length));
  } finally {
    native.delete();
  }
}

async function decodeByPlatform(file: Blob | ArrayBuffer | Uint8Array): Promise<Pixels> {
  const blob = file instanceof Blob ? file : new Blob([file as BlobPart]);
  let bitmap: ImageBitmap;
  try {
    // Numbers as they are in the file, which is what networks are trained on.
    bitmap = await createImageBitmap(blob, { imageOrientation: 'from-image', colorSpaceConversion: 'none' });
  } catch (error) {
    throw new KdequantError(
      'bad-input',
      `this is no picture that the browser can read (${describe(error)}); give a JPEG, PNG or WebP`,
      undefined,
      { cause: error },
    );
  }
  try {
    return draw(bitmap, bitmap);
  } finally {
    bitmap.close();
  }
}

interface Size {
  readonly width: number;
  readonly height: number;
}

function sizeOf(picture: DrawablePicture): Size {
  if ('naturalWidth' in picture) return { width: picture.naturalWidth, height: picture.naturalHeight };
  if ('videoWidth' in picture) return { width: picture.videoWidth, height: picture.videoHeight };
  if ('displayWidth' in picture) return { width: picture.displayWidth, height: picture.displayHeight };
  return picture;
}

function draw(picture: DrawablePicture, size: Size): Pixels {
  if (size.width < 1 || size.height < 1) {
    throw new KdequantError(
      'usage',
      'this picture is empty; wait until it has loaded (image.decode(), or a video frame)',
    );
  }
  const factor = Math.ceil(Math.sqrt((size.width * size.height) / maxCanvasPixels));
  const width = Math.max(1, Math.floor(size.width / factor));
  const height = Math.max(1, Math.floor(size.height / factor));
  const context = canvasContext(width, height);
  try {
    context.imageSmoothingQuality = 'high';
    context.drawImage(picture, 0, 0, width, height);
    return context.getImageData(0, 0, width, height);
  } catch (error) {
    throw new KdequantError(
      'cannot-read',
      `this picture's pixels cannot be read (${describe(error)}); if it is from another site, load it with crossorigin="anonymous"`,
      undefined,
      { cause: error },
    );
  }
}

function canvasContext(width: number, height: number): OffscreenCanvasRenderingContext2D | CanvasRenderingContext2D {
  const settings: CanvasRenderingContext2DSettings = { willReadFrequently: true };
  const context =
    typeof OffscreenCanvas === 'function'
      ? new OffscreenCanvas(width, height).getContext('2d', settings)
      : htmlCanvas(width, height).getContext('2d', settings);
  if (context) return context;
  throw new KdequantError(
    'environment',
    `there is no canvas of ${width}x${height} pixels here; give { data, width, height }`,
  );
}

function htmlCanvas(width: number, height: number): HTMLCanvasElement {
  if (typeof document === 'undefined') {
    throw new KdequantError(
      'environment',
      'there is no canvas here to read this picture with; give { data, width, height }, or set the option decoder to "own"',
    );
  }
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  return canvas;
}
