// The camera: frame after frame through both networks, as fast as they answer.
import { signal } from '@preact/signals';
import { type Classification, type Session } from 'kdequant';

import { messageOf } from '../../app/alerts.js';
import { ASKED } from '../../app/answers.js';
import { network } from '../../app/network.js';
import { addPhotos } from '../../app/photos.js';
import { small } from '../../app/quantization.js';

export interface LiveAnswer {
  readonly float: Classification;
  readonly small: Classification | undefined;
  readonly framesPerSecond: number;
}

export type CameraState =
  | { readonly kind: 'off' }
  | { readonly kind: 'starting' }
  | { readonly kind: 'live'; readonly stream: MediaStream }
  | { readonly kind: 'failed'; readonly message: string };

export const camera = signal<CameraState>({ kind: 'off' });
export const live = signal<LiveAnswer | undefined>(undefined);

/** Networks see some 224 pixels: a larger frame only costs time on its way to the worker. */
const SHORT_SIDE = 320;

let photoCount = 0;

export async function startCamera(): Promise<void> {
  // Undefined on pages from http: other than localhost.
  const devices = (navigator as { mediaDevices?: MediaDevices }).mediaDevices;
  if (devices === undefined) {
    camera.value = {
      kind: 'failed',
      message: 'This browser gives no camera to this page; it needs https:// (or localhost). Photos work all the same.',
    };
    return;
  }
  camera.value = { kind: 'starting' };
  try {
    const stream = await devices.getUserMedia({ video: { facingMode: 'environment' } });
    // The camera may be unplugged or taken away at any time.
    stream.getVideoTracks()[0]?.addEventListener('ended', stopCamera);
    camera.value = { kind: 'live', stream };
  } catch (error) {
    camera.value = { kind: 'failed', message: reason(error) };
  }
}

export function stopCamera(): void {
  const state = camera.peek();
  if (state.kind === 'live') for (const track of state.stream.getTracks()) track.stop();
  camera.value = { kind: 'off' };
  live.value = undefined;
}

/** Answers the frames of `video` until `isWanted` says no. */
export async function answerFrames(video: HTMLVideoElement, isWanted: () => boolean): Promise<void> {
  const times: number[] = [];
  while (isWanted()) {
    const float = network.peek();
    // A video knows its size before it has its first picture, and cannot be read until then.
    const hasPicture = video.videoWidth > 0 && video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA;
    if (float.kind !== 'ready' || !hasPicture || document.hidden) {
      await nextFrame();
      continue;
    }
    try {
      const frame = await grab(video);
      const [first, second] = await Promise.all([
        classify(float.session, frame),
        classify(small.peek()?.session, frame),
      ]);
      frame.close();
      times.push(performance.now());
      while (times.length > 1 && (times.at(-1) ?? 0) - (times[0] ?? 0) > 1000) times.shift();
      const span = (times.at(-1) ?? 0) - (times[0] ?? 0);
      if (isWanted() && first !== undefined) {
        live.value = {
          float: first,
          small: second,
          framesPerSecond: span > 0 ? (1000 * (times.length - 1)) / span : 0,
        };
      }
    } catch (error) {
      // A session that is replaced meanwhile answers no more: the next frame goes to the new one.
      if (network.peek() === float && small.peek() !== undefined && isWanted()) {
        camera.value = { kind: 'failed', message: messageOf(error) };
      }
    }
    await nextFrame();
  }
}

/** Puts what the camera sees now among the photos. */
export async function takePhoto(video: HTMLVideoElement): Promise<void> {
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext('2d')?.drawImage(video, 0, 0);
  const blob = await new Promise<Blob | null>((resolve) => {
    canvas.toBlob(resolve, 'image/jpeg', 0.92);
  });
  if (blob !== null) addPhotos([new File([blob], `Camera ${++photoCount}`, { type: 'image/jpeg' })]);
}

function classify(session: Session | undefined, frame: ImageBitmap): Promise<Classification> | undefined {
  return session?.classify(frame, { top: ASKED });
}

function grab(video: HTMLVideoElement): Promise<ImageBitmap> {
  const scale = Math.min(1, SHORT_SIDE / Math.min(video.videoWidth, video.videoHeight));
  return createImageBitmap(video, {
    resizeWidth: Math.max(1, Math.round(video.videoWidth * scale)),
    resizeHeight: Math.max(1, Math.round(video.videoHeight * scale)),
    resizeQuality: 'medium',
  });
}

function nextFrame(): Promise<unknown> {
  // Hidden tabs get no animation frames, and nothing should be computed for them.
  return new Promise((resolve) => requestAnimationFrame(resolve));
}

function reason(error: unknown): string {
  const name = error instanceof DOMException ? error.name : '';
  if (name === 'NotAllowedError') {
    return 'The camera was refused. Allow it in the browser’s address bar and try again, or take a photo with another app and choose it here.';
  }
  if (name === 'NotFoundError') return 'There is no camera here. Photos from files work all the same.';
  if (name === 'NotReadableError') return 'The camera is used by another program. Close that, and try again.';
  return messageOf(error);
}
