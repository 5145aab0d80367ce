// The laboratory's WebAssembly module (web/lab): its types, and loading it.
import { type Bandwidth, type LayerHistogram, type LayerSample, type Method, type Sampling } from 'kdequant';
import fontUrl from 'kdequant-lab/Roboto-Regular.ttf?url';
import wasmUrl from 'kdequant-lab/kdequant-lab.wasm?url';

export interface Options {
  readonly method: Method;
  readonly levels: number;
  readonly sampling: Sampling;
  readonly samples: number;
  readonly bandwidth: Bandwidth;
  readonly bandwidthFactor: number;
}

export const FILM_STARTS = ['k-means++', 'uniform', 'companding', 'designer'] as const;
export type FilmStart = (typeof FILM_STARTS)[number];

/** Everything that the canvas shows, as numbers. */
export interface Figures {
  /** A sentence if the last change could not be carried out. */
  readonly error: string;
  readonly levels: Float64Array;
  readonly thresholds: Float64Array;
  /** What part of all weights is nearest to each level. */
  readonly shares: Float64Array;
  /** On all weights, like the errors; Infinity where every weight is a level. */
  readonly sqnrDb: number;
  readonly mse: number;
  readonly maxError: number;
  readonly entropyBits: number;
  /** 0 for methods without a density. */
  readonly bandwidth: number;
  readonly samples: number;
  readonly scanned: number;
  readonly weights: number;
  /** How long the last design took, the measuring of its error included. */
  readonly milliseconds: number;
  /** Null until it is computed. */
  readonly lloydMaxDb: number | null;
  readonly optimalDb: number | null;
  readonly filmStart: FilmStart | 'by-hand';
  /** 0 while no film is on. */
  readonly frames: number;
  readonly frame: number;
  readonly playing: boolean;
}

export interface Curves {
  readonly barLow: number;
  readonly barWidth: number;
  readonly bars: Float64Array;
  readonly densityLow: number;
  readonly densityStep: number;
  readonly density: Float64Array;
}

/** The class of web/lab/module.cpp, which says what each does. */
export interface Laboratory {
  attach(selector: string, font: Uint8Array): boolean;
  detach(): void;
  setTheme(colours: Float64Array): void;
  setWeights(histogram: LayerHistogram, unit: string): void;
  setSample(sample: LayerSample): void;
  setOptions(options: Options): string;
  options(): Options;
  update(): boolean;
  computeReferences(): void;
  revision(): number;
  figures(): Figures;
  curves(low: number, high: number, bars: number): Curves;
  startFilm(start: FilmStart): void;
  play(): void;
  pause(): void;
  isPlaying(): boolean;
  showFrame(frame: number): void;
  moveLevel(level: number, to: number): void;
  endFilm(): void;
  tick(now: number): boolean;
  draw(now: number, width: number, height: number, density: number): boolean;
  cursor(): string;
  movePointer(x: number, y: number, touch: boolean): void;
  leavePointer(): void;
  pressPointer(button: number, down: boolean): void;
  turnWheel(x: number, y: number): void;
  loseFocus(): void;
}

export interface LaboratoryModule {
  readonly Laboratory: {
    new (): Laboratory;
    heightFor(width: number): number;
  };
}

export async function loadLaboratory(): Promise<LaboratoryModule> {
  const [{ default: factory }, module] = await Promise.all([
    import('kdequant-lab/kdequant-lab.mjs'),
    received(wasmUrl).then((bytes) => WebAssembly.compile(bytes)),
  ]);
  return new Promise((resolve, reject) => {
    factory({
      instantiateWasm(imports, receive) {
        WebAssembly.instantiate(module, imports).then((instance) => {
          receive(instance, module);
        }, reject);
        return {};
      },
    }).then(resolve, reject);
  });
}

export async function loadFont(): Promise<Uint8Array> {
  return new Uint8Array(await received(fontUrl));
}

async function received(url: string): Promise<ArrayBuffer> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`the server answered ${answer.status} for ${url}`);
  return answer.arrayBuffer();
}
