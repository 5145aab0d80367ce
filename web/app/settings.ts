// How to quantize. Every setting lives in the address.
import { type Signal, batch, signal } from '@preact/signals';
import { type Bandwidth, type Granularity, type Method, type QuantizeOptions, type Sampling } from 'kdequant';

import { addressed, flag, integerBetween, numberBetween, oneOf } from './address.js';
import { photos } from './photos.js';
import { type RunSettings } from './run-store.js';

export type Calibration = 'synthetic' | 'photos' | 'none';

export const METHODS = [
  'kde-lm',
  'kde-km',
  'lloyd-max',
  'k-means',
  'optimal',
  'uniform-mse',
  'uniform-minmax',
  'nf4',
] as const satisfies readonly Method[];
export const GRANULARITIES = ['channel-scale', 'tensor', 'channel'] as const satisfies readonly Granularity[];
export const SAMPLINGS = ['stratified', 'random', 'stratified-blind'] as const satisfies readonly Sampling[];
export const BANDWIDTHS = ['silverman', 'isj'] as const satisfies readonly Bandwidth[];
export const CALIBRATIONS = ['synthetic', 'photos', 'none'] as const satisfies readonly Calibration[];

/** The package's, wherever it has pictures; the page's, whatever it has. */
const USUAL_CODEBOOKS = 16;

export const settings = {
  method: addressed<Method>('method', oneOf(METHODS), 'kde-lm'),
  granularity: addressed<Granularity>('granularity', oneOf(GRANULARITIES), 'channel-scale'),
  codebooks: addressed('codebooks', integerBetween(1, 16), USUAL_CODEBOOKS),
  bits: addressed('bits', integerBetween(2, 8), 4),
  sampling: addressed<Sampling>('sampling', oneOf(SAMPLINGS), 'stratified'),
  samples: addressed('samples', integerBetween(16, 65536), 1024),
  bandwidth: addressed<Bandwidth>('bandwidth', oneOf(BANDWIDTHS), 'silverman'),
  bandwidthFactor: addressed('factor', numberBetween(0.05, 8), 0.5),
  calibration: addressed<Calibration>('calibration', oneOf(CALIBRATIONS), 'synthetic'),
  pictures: addressed('pictures', integerBetween(1, 1024), 64),
  compensation: addressed('compensation', flag, true),
  seed: addressed('seed', integerBetween(0, 2 ** 32 - 1), 1),
};

/** The values of all settings. */
export type Settings = { -readonly [K in keyof typeof settings]: (typeof settings)[K]['value'] };

/** Sets some of the settings at once. */
export function applySettings(values: Partial<Settings>): void {
  batch(() => {
    for (const [key, value] of Object.entries(values))
      (settings[key as keyof Settings] as Signal<unknown>).value = value;
  });
}

/** The visitor's photos to calibrate on; without any, the photos that are shown are taken. */
export const calibrationPhotos = signal<readonly File[]>([]);

function picturesOf(): readonly Blob[] {
  return calibrationPhotos.value.length > 0 ? calibrationPhotos.value : photos.value.map(({ blob }) => blob);
}

/** The present settings as they are noted with a run. */
export function runSettings(): RunSettings {
  const calibration = settings.calibration.value;
  return {
    method: settings.method.value,
    granularity: settings.granularity.value,
    ...(settings.granularity.value === 'channel-scale' ? { codebooks: settings.codebooks.value } : {}),
    bits: settings.bits.value,
    sampling: settings.sampling.value,
    samples: settings.samples.value,
    bandwidth: settings.bandwidth.value,
    bandwidthFactor: settings.bandwidthFactor.value,
    seed: settings.seed.value,
    calibration,
    ...(calibration === 'none'
      ? { effort: 'plain' }
      : {
          pictures:
            calibration === 'photos' ? Math.min(settings.pictures.value, picturesOf().length) : settings.pictures.value,
          compensation: settings.compensation.value,
        }),
  };
}

/** The package's options for the present settings. */
export function quantizeOptions(): QuantizeOptions {
  const { calibration, ...others } = runSettings();
  return { ...others, calibration: calibration === 'photos' ? picturesOf() : calibration };
}

/** What differs from the package's defaults. */
export function changedSettings(run: RunSettings): Partial<RunSettings> {
  const defaults: RunSettings = {
    method: 'kde-lm',
    granularity: 'channel-scale',
    codebooks: run.effort === 'plain' ? 1 : USUAL_CODEBOOKS,
    bits: 4,
    sampling: 'stratified',
    samples: 1024,
    bandwidth: 'silverman',
    bandwidthFactor: 0.5,
    seed: 1,
    calibration: 'synthetic',
    pictures: 64,
    compensation: true,
  };
  return Object.fromEntries(Object.entries(run).filter(([key, value]) => value !== defaults[key as keyof RunSettings]));
}

const METHOD_NAMES: Readonly<Record<Method, string>> = {
  'kde-lm': 'KDE-LM',
  'kde-km': 'KDE-KM',
  'lloyd-max': 'Lloyd-Max',
  'k-means': 'k-means',
  optimal: 'optimum',
  'uniform-mse': 'uniform',
  'uniform-minmax': 'uniform, min to max',
  nf4: 'NF4',
};

/** A title for a run: the method, and what is unusual about it. */
export function describeSettings(run: RunSettings): string {
  const { codebooks } = run;
  const { method, bits, granularity, calibration, compensation, samples, pictures } = changedSettings(run);
  return [
    METHOD_NAMES[method ?? 'kde-lm'],
    ...(bits === undefined ? [] : [`${bits} bits`]),
    ...(granularity === undefined ? [] : [granularity === 'tensor' ? 'one table a layer' : 'a table a channel']),
    ...(codebooks === undefined || codebooks === USUAL_CODEBOOKS
      ? []
      : [codebooks === 1 ? 'one codebook a layer' : `${codebooks} codebooks a layer`]),
    ...(samples === undefined ? [] : [`${samples} samples`]),
    ...(calibration === 'none' ? ['no pictures'] : calibration === 'photos' ? ['on photos'] : []),
    ...(calibration === undefined && pictures !== undefined ? [`${pictures} pictures`] : []),
    ...(compensation === false ? ['uncompensated'] : []),
  ].join(', ');
}
