// The canvas: hands pointers and keys to the module, and draws when there is something new.
import { effect } from '@preact/signals';

import { theme } from '../../shell/theme.js';
import { view } from '../../shell/views.js';
import { type Experiment } from './experiment.js';

/** By the names of the page's style, in the order of web/lab/view.h's Theme. */
const COLOURS = [
  'ink',
  'ink-soft',
  'card',
  'sunken',
  'line',
  'control-line',
  'accent',
  'accent-ink',
  'accent-soft',
  'float',
  'float-soft',
  'small',
  'small-ink',
  'small-soft',
];

/** ImGui needs a few frames to settle after an event. */
const FRAMES_AFTER_EVENT = 4;

/** Keeps `canvas` drawn. `redraw` is called where there is no WebGL2 instead: the film then plays there. */
export class Stage {
  readonly #experiment: Experiment;
  readonly #canvas: HTMLCanvasElement;
  readonly #hasCanvas: boolean;
  #frames = 0;
  #isWaiting = false;
  #width = 0;
  #height = 0;
  #scale = 1;

  constructor(experiment: Experiment, canvas: HTMLCanvasElement, hasCanvas: boolean) {
    this.#experiment = experiment;
    this.#canvas = canvas;
    this.#hasCanvas = hasCanvas;
    experiment.onChange(() => {
      this.wake();
    });
    if (hasCanvas) {
      new ResizeObserver(() => {
        this.#fit();
      }).observe(canvas.parentElement ?? canvas);
      this.#watchDensity();
      this.#watchTheme();
      this.#listen();
      this.#fit();
    }
    effect(() => {
      if (view.value === 'laboratory') this.wake();
    });
  }

  /** Draws soon, and a few times. */
  wake(): void {
    this.#frames = FRAMES_AFTER_EVENT;
    if (this.#isWaiting || view.peek() !== 'laboratory') return;
    this.#isWaiting = true;
    requestAnimationFrame((now) => {
      this.#draw(now);
    });
  }

  #draw(now: number): void {
    this.#isWaiting = false;
    const { laboratory } = this.#experiment;
    laboratory.tick(now);
    if (this.#hasCanvas) {
      const density = this.#canvas.width / this.#width;
      if (laboratory.draw(now, this.#width, this.#height, density)) this.#experiment.takeOptions();
      this.#canvas.style.cursor = laboratory.cursor();
    }
    this.#experiment.publish();
    this.#frames -= 1;
    if (this.#frames > 0 || laboratory.isPlaying()) {
      const left = this.#frames;
      this.wake();
      this.#frames = left;
    }
  }

  // Sizes are in units of a sixteenth of the page's type size, so that the picture grows with the page.
  #fit(): void {
    const parent = this.#canvas.parentElement;
    if (parent === null || parent.clientWidth === 0) return;
    this.#scale = Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
    this.#width = parent.clientWidth / this.#scale;
    this.#height = this.#experiment.heightFor(this.#width);
    this.#canvas.style.height = `${this.#height * this.#scale}px`;
    this.#canvas.width = Math.round(parent.clientWidth * devicePixelRatio);
    this.#canvas.height = Math.round(this.#height * this.#scale * devicePixelRatio);
    this.wake();
  }

  #watchDensity(): void {
    matchMedia(`(resolution: ${devicePixelRatio}dppx)`).addEventListener(
      'change',
      () => {
        this.#fit();
        this.#watchDensity();
      },
      { once: true },
    );
  }

  #watchTheme(): void {
    const set = (): void => {
      this.#experiment.laboratory.setTheme(coloursOf(this.#canvas));
      this.wake();
    };
    theme.subscribe(() => {
      queueMicrotask(set); // when the document has it
    });
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', set);
    matchMedia('(prefers-contrast: more)').addEventListener('change', set);
  }

  #listen(): void {
    const { laboratory } = this.#experiment;
    const canvas = this.#canvas;
    const move = (event: PointerEvent): void => {
      laboratory.movePointer(event.offsetX / this.#scale, event.offsetY / this.#scale, event.pointerType === 'touch');
      this.wake();
    };
    const release = (event: PointerEvent): void => {
      move(event);
      laboratory.pressPointer(BUTTONS[event.button] ?? 0, false);
      if (event.pointerType === 'touch') laboratory.leavePointer();
    };
    canvas.addEventListener('pointermove', move);
    canvas.addEventListener('pointerdown', (event) => {
      canvas.setPointerCapture(event.pointerId);
      move(event);
      laboratory.pressPointer(BUTTONS[event.button] ?? 0, true);
    });
    canvas.addEventListener('pointerup', release);
    canvas.addEventListener('pointercancel', release);
    canvas.addEventListener('pointerleave', () => {
      laboratory.leavePointer();
      this.wake();
    });
    canvas.addEventListener('contextmenu', (event) => {
      event.preventDefault();
    });
    // The wheel alone scrolls the page; with Ctrl, which is also what a pinch on a touchpad says, it zooms the plot.
    canvas.addEventListener(
      'wheel',
      (event) => {
        if (!event.ctrlKey) return;
        event.preventDefault();
        laboratory.turnWheel(0, -Math.sign(event.deltaY) * Math.min(Math.abs(event.deltaY) / 40, 1));
        this.wake();
      },
      { passive: false },
    );
    canvas.addEventListener('blur', () => {
      laboratory.loseFocus();
      this.wake();
    });
    canvas.addEventListener('keydown', (event) => {
      if (!pressKey(this.#experiment, event.key)) return;
      event.preventDefault();
      this.#experiment.publish();
      this.wake();
    });
  }
}

/** ImGui's numbers of the DOM's buttons: left, middle, right. */
const BUTTONS = [0, 2, 1];

/** The film by keys; true if it was one of them. */
function pressKey({ laboratory }: Experiment, key: string): boolean {
  const { frame, playing } = laboratory.figures();
  switch (key) {
    case ' ':
      if (playing) laboratory.pause();
      else laboratory.play();
      return true;
    case 'ArrowRight':
      laboratory.showFrame(frame + 1);
      return true;
    case 'ArrowLeft':
      laboratory.showFrame(Math.max(frame - 1, 0));
      return true;
    case 'Home':
      laboratory.showFrame(0);
      return true;
    default:
      return false;
  }
}

/** Red, green and blue of the page's colours as `element` has them, 0 to 1. */
function coloursOf(element: HTMLElement): Float64Array {
  const before = element.style.color;
  const parts = COLOURS.flatMap((name) => {
    element.style.color = `var(--${name})`;
    const [red = '0', green = '0', blue = '0'] = getComputedStyle(element).color.match(/[\d.]+/g) ?? [];
    return [red, green, blue].map((part) => Number(part) / 255);
  });
  element.style.color = before;
  return new Float64Array(parts);
}
