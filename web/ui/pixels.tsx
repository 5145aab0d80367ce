// Small pictures made of numbers, side by side on one canvas.
import { useLayoutEffect, useRef } from 'preact/hooks';

/** A colour for a number from 0 to 1, as packed RGBA in the machine's byte order. */
export type Palette = Uint32Array;

/** Pictures of equal size whose pixels are entries of a palette. */
export interface Mosaic {
  readonly width: number;
  readonly height: number;
  readonly count: number;
  readonly columns: number;
  /** Each pixel is drawn as a square of so many. */
  readonly scale: number;
  /** Between two pictures, in drawn pixels. */
  readonly gap: number;
  /** Colours, picture after picture. */
  readonly pixels: Uint32Array;
}

interface MosaicCanvasProps {
  readonly mosaic: Mosaic;
  /** What there is to see, in words. */
  readonly label: string;
}

export function MosaicCanvas({ mosaic, label }: MosaicCanvasProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  // Before the browser paints: a canvas of another size is empty until it is drawn.
  useLayoutEffect(() => {
    if (canvas.current !== null) draw(canvas.current, mosaic);
  }, [mosaic]);
  const rows = Math.ceil(mosaic.count / mosaic.columns);
  return (
    <canvas
      ref={canvas}
      class="mosaic"
      role="img"
      aria-label={label}
      width={mosaic.columns * (mosaic.scale * mosaic.width + mosaic.gap) - mosaic.gap}
      height={rows * (mosaic.scale * mosaic.height + mosaic.gap) - mosaic.gap}
    />
  );
}

function draw(canvas: HTMLCanvasElement, { width, height, count, columns, scale, gap, pixels }: Mosaic): void {
  const context = canvas.getContext('2d');
  if (context === null) return;
  const image = context.createImageData(canvas.width, canvas.height);
  const target = new Uint32Array(image.data.buffer);
  for (let i = 0; i < count; ++i) {
    const left = (i % columns) * (scale * width + gap);
    const top = Math.floor(i / columns) * (scale * height + gap);
    for (let y = 0; y < scale * height; ++y) {
      const row = (top + y) * canvas.width + left;
      const start = (i * height + Math.floor(y / scale)) * width;
      for (let x = 0; x < width; ++x) target.fill(pixels[start + x] ?? 0, row + scale * x, row + scale * (x + 1));
    }
  }
  context.putImageData(image, 0, 0);
}

/** Packs a colour as a canvas stores it. */
export function pack(red: number, green: number, blue: number): number {
  return ((255 << 24) | (Math.round(blue) << 16) | (Math.round(green) << 8) | Math.round(red)) >>> 0;
}

type Stop = readonly [red: number, green: number, blue: number];

/** 256 colours from the first stop to the last. */
function palette(stops: readonly Stop[]): Palette {
  return Uint32Array.from({ length: 256 }, (_, i) => {
    const position = (i / 255) * (stops.length - 1);
    const index = Math.min(Math.floor(position), stops.length - 2);
    const share = position - index;
    const [a, b] = [stops[index], stops[index + 1]];
    if (a === undefined || b === undefined) return 0;
    const mix = (channel: 0 | 1 | 2): number => a[channel] + share * (b[channel] - a[channel]);
    return pack(mix(0), mix(1), mix(2));
  });
}

/** Weights: black is the most negative, white the most positive, zero the grey between. */
export const GREY = palette([
  [12, 14, 18],
  [128, 128, 126],
  [250, 249, 246],
]);

/** Activations: dark where nothing is found, bright where much is; even steps for the eye, also without colour vision. */
export const HEAT = palette([
  [8, 6, 22],
  [58, 18, 96],
  [137, 34, 106],
  [214, 72, 65],
  [249, 149, 36],
  [248, 240, 160],
]);

/** Differences: blue below, orange above, pale where there is none. */
export const DIFFERENCE = palette([
  [18, 58, 160],
  [98, 148, 236],
  [240, 239, 235],
  [244, 152, 90],
  [168, 56, 10],
]);

/** The palette's entry for a number from 0 to 1. */
export function colourOf(colours: Palette, share: number): number {
  return colours[Math.max(0, Math.min(255, Math.round(255 * share)))] ?? 0;
}

/** A palette as a strip, for legends. */
export function Legend({
  colours,
  low,
  high,
}: {
  readonly colours: Palette;
  readonly low: string;
  readonly high: string;
}) {
  const strip: Mosaic = { width: 256, height: 1, count: 1, columns: 1, scale: 1, gap: 0, pixels: colours };
  return (
    <span class="colour-scale">
      <span>{low}</span>
      <span class="colour-scale__strip">
        <MosaicCanvas mosaic={strip} label={`from ${low} to ${high}`} />
      </span>
      <span>{high}</span>
    </span>
  );
}
