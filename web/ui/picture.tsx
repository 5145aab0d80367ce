import { useEffect, useRef } from 'preact/hooks';
import { type RgbaPixels } from 'kdequant';

interface PictureProps {
  readonly pixels: RgbaPixels;
  readonly label: string;
  readonly class?: string;
}

/** Pixels of the engine's as a picture. */
export function Picture({ pixels, label, class: style = 'picture' }: PictureProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    canvas.current?.getContext('2d')?.putImageData(new ImageData(pixels.data, pixels.width, pixels.height), 0, 0);
  }, [pixels]);
  return (
    <canvas ref={canvas} class={style} width={pixels.width} height={pixels.height} role="img" aria-label={label} />
  );
}
