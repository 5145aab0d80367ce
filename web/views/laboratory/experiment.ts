// The experiment on the layer at hand: its settings, in the address; its figures; and the module that computes them.
import { batch, computed, effect, signal } from '@preact/signals';
import {
  type Bandwidth,
  type Granularity,
  type LayerSummary,
  type Method,
  type RemoteModel,
  type Sampling,
} from 'kdequant';

import { addressed, integerBetween, numberBetween, oneOf } from '../../app/address.js';
import { showAlert } from '../../app/alerts.js';
import { network } from '../../app/network.js';
import { BANDWIDTHS, METHODS, SAMPLINGS } from '../../app/settings.js';
import { layer } from './layers.js';
import { type Figures, type Laboratory, loadLaboratory, type LaboratoryModule, type Options } from './module.js';

type Units = Exclude<Granularity, 'channel'>;

export const MOST_LEVELS = 64;
export const MOST_SAMPLES = 16384;
const BINS = 4096;
const UNIT = 'weight, in units of its channel’s scale';
/** The references take some 50 ms: not while somebody drags. */
const REFERENCES_AFTER_MS = 250;

export const settings = {
  method: addressed<Method>('lab.method', oneOf(METHODS), 'kde-lm'),
  levels: addressed('lab.levels', integerBetween(2, MOST_LEVELS), 16),
  sampling: addressed<Sampling>('lab.sampling', oneOf(SAMPLINGS), 'stratified'),
  samples: addressed('lab.samples', integerBetween(16, MOST_SAMPLES), 1024),
  bandwidth: addressed<Bandwidth>('lab.bandwidth', oneOf(BANDWIDTHS), 'silverman'),
  bandwidthFactor: addressed('lab.factor', numberBetween(0.05, 8), 0.5),
  units: addressed<Units>('lab.units', oneOf(['channel-scale', 'tensor']), 'channel-scale'),
};

/** What the canvas shows, as numbers; undefined until there are levels. */
export const figures = signal<Figures | undefined>(undefined);

export interface Experiment {
  readonly laboratory: Laboratory;
  readonly heightFor: (width: number) => number;
  /** Calls `listener` whenever there is something new to draw. */
  onChange(listener: () => void): void;
  /** Takes over the options that were changed on the canvas. */
  takeOptions(): void;
  /** Publishes the figures, if they changed; what draws and whoever acts on `laboratory` calls it. */
  publish(): void;
  /** Draws what somebody did to `laboratory`. */
  redraw(): void;
}

let experiment: Promise<Experiment> | undefined;

/** Loads the module at the first call, and again after it failed. */
export function startExperiment(): Promise<Experiment> {
  if (experiment === undefined) {
    experiment = loadLaboratory().then(begin);
    experiment.catch(() => (experiment = undefined));
  }
  return experiment;
}

function begin({ Laboratory }: LaboratoryModule): Experiment {
  const laboratory = new Laboratory();
  const listeners: (() => void)[] = [];
  let references: ReturnType<typeof setTimeout> | undefined;
  let revision = -1;
  let hasLevels = false;

  const publish = (): void => {
    const now = laboratory.revision();
    if (now === revision || !hasLevels) return;
    revision = now;
    figures.value = laboratory.figures();
  };
  const redraw = (): void => {
    for (const listener of listeners) listener();
  };
  const changed = (): void => {
    if (laboratory.update()) {
      hasLevels = true;
      clearTimeout(references);
      references = setTimeout(() => {
        laboratory.computeReferences();
        publish();
        redraw();
      }, REFERENCES_AFTER_MS);
    }
    publish();
    redraw();
  };

  // What the laboratory has the weights of.
  let onBench: Source | undefined;
  const weights = new Latest(changed);
  const sample = new Latest(changed);
  effect(() => {
    const wanted = source.value;
    if (wanted === undefined) {
      hasLevels = false;
      figures.value = undefined;
      return;
    }
    weights.ask(async () => {
      const { model, layer, granularity } = wanted;
      const histogram = await model.layerHistogram(layer.name, { granularity, bins: BINS });
      return () => {
        if (source.peek() !== wanted) return;
        onBench = wanted;
        hasLevels = false;
        laboratory.setWeights(histogram, granularity === 'tensor' ? 'weight' : UNIT);
        askSample();
      };
    });
  });
  const askSample = (): void => {
    const from = onBench;
    if (from === undefined) return;
    const options = {
      granularity: from.granularity,
      sampling: settings.sampling.peek(),
      samples: settings.samples.peek(),
    };
    sample.ask(async () => {
      const drawn = await from.model.layerSample(from.layer.name, options);
      return () => {
        if (onBench === from) laboratory.setSample(drawn);
      };
    });
  };
  settings.sampling.subscribe(askSample);
  settings.samples.subscribe(askSample);
  effect(() => {
    const refused = laboratory.setOptions(optionsNow());
    if (refused !== '') showAlert(new Error(refused));
    changed();
  });

  return {
    laboratory,
    heightFor: (width) => Laboratory.heightFor(width),
    onChange: (listener) => listeners.push(listener),
    takeOptions() {
      const options = laboratory.options();
      batch(() => {
        settings.method.value = options.method;
        settings.levels.value = options.levels;
        settings.sampling.value = options.sampling;
        settings.samples.value = options.samples;
        settings.bandwidth.value = options.bandwidth;
        settings.bandwidthFactor.value = Number(options.bandwidthFactor.toPrecision(4));
      });
      changed();
    },
    publish,
    redraw,
  };
}

interface Source {
  readonly model: RemoteModel;
  readonly layer: LayerSummary;
  readonly granularity: Units;
}

const source = computed<Source | undefined>(() => {
  const { value } = network;
  if (value.kind !== 'ready' || layer.value === undefined) return undefined;
  return { model: value.model, layer: layer.value, granularity: settings.units.value };
});

function optionsNow(): Options {
  const { method, levels, sampling, samples, bandwidth, bandwidthFactor } = settings;
  return {
    method: method.value,
    levels: method.value === 'nf4' ? 16 : levels.value,
    sampling: sampling.value,
    samples: samples.value,
    bandwidth: bandwidth.value,
    bandwidthFactor: bandwidthFactor.value,
  };
}

/** One question to the worker at a time, and after it the latest of those that came meanwhile: a slider asks faster than it answers. */
class Latest {
  readonly #done: () => void;
  #waiting: (() => Promise<() => void>) | undefined;
  #busy = false;

  constructor(done: () => void) {
    this.#done = done;
  }

  /** `question` resolves to what takes the answer over. */
  ask(question: () => Promise<() => void>): void {
    this.#waiting = question;
    if (!this.#busy) void this.#work();
  }

  async #work(): Promise<void> {
    this.#busy = true;
    for (let question = this.#next(); question !== undefined; question = this.#next()) {
      try {
        (await question())();
        this.#done();
      } catch (error) {
        // The network was replaced meanwhile, and another question waits; if not, somebody should know.
        if (!this.#hasNext()) showAlert(error);
      }
    }
    this.#busy = false;
  }

  #hasNext(): boolean {
    return this.#waiting !== undefined;
  }

  #next(): (() => Promise<() => void>) | undefined {
    const question = this.#waiting;
    this.#waiting = undefined;
    return question;
  }
}
