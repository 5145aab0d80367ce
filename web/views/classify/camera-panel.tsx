import { useEffect, useRef } from 'preact/hooks';

import { showAlert } from '../../app/alerts.js';
import { Announce } from '../../ui/announce.js';
import { PairedBars, Verdict } from '../../photos/paired-bars.js';
import { view } from '../../shell/views.js';
import { answerFrames, camera, live, startCamera, stopCamera, takePhoto } from './camera.js';

export function CameraButton() {
  const { kind } = camera.value;
  return kind === 'live' ? (
    <button type="button" class="button" onClick={stopCamera}>
      Stop the camera
    </button>
  ) : (
    <button
      type="button"
      class="button"
      disabled={kind === 'starting'}
      onClick={() => {
        startCamera().catch(showAlert);
      }}
    >
      {kind === 'starting' ? 'Waiting for the camera…' : 'Use the camera'}
    </button>
  );
}

export function CameraPanel() {
  const state = camera.value;
  const isOpen = view.value === 'classify';
  if (state.kind === 'failed') return <p class="alert">{state.message}</p>;
  if (state.kind !== 'live') return null;
  return <Live stream={state.stream} isOpen={isOpen} />;
}

function Live({ stream, isOpen }: { readonly stream: MediaStream; readonly isOpen: boolean }) {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const element = video.current;
    if (element === null || !isOpen) return undefined;
    element.srcObject = stream;
    element.play().catch(showAlert);
    let wanted = true;
    answerFrames(element, () => wanted).catch(showAlert);
    return () => {
      wanted = false;
    };
  }, [stream, isOpen]);
  const answer = live.value;
  return (
    <section class="card camera" aria-labelledby="camera-heading">
      <header class="row">
        <h2 id="camera-heading">Live</h2>
        {answer !== undefined && (
          <>
            <span class="camera__rate">{answer.framesPerSecond.toFixed(0)} frames a second, through both networks</span>
            <Verdict float={answer.float} small={answer.small} />
          </>
        )}
      </header>
      <div class="photo__body">
        <div class="stack">
          <video ref={video} class="seen camera__video" muted playsInline aria-label="What the camera sees" />
          <button
            type="button"
            class="button button--primary"
            onClick={() => {
              if (video.current !== null) takePhoto(video.current).catch(showAlert);
            }}
          >
            Take a photo
          </button>
        </div>
        {answer === undefined ? (
          <p class="hint">Waiting for the first frame…</p>
        ) : (
          <PairedBars float={answer.float} small={answer.small} name="the camera’s picture" />
        )}
      </div>
      <Announce text={answer === undefined ? '' : `The camera shows: ${answer.float.predictions[0]?.label ?? ''}`} />
    </section>
  );
}
