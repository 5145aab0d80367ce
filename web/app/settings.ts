// How to quantize. Every setting lives in the address.
import { type Bandwidth, type Granularity, type Method, type QuantizeOptions, type Sampling } from 'kdequant';

import { addressed, flag, integerBetween, numberBetween, oneOf } from './address.js';

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

export const settings = {
  method: addressed<Method>('method', oneOf(METHODS), 'kde-lm'),
  granularity: addressed<Granularity>('granularity', oneOf(GRANULARITIES), 'channel-scale'),
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

/** The package's options for the present settings; the user's photos are added by whoever has them. */
export function quantizeOptions(photos: readonly Blob[] = []): QuantizeOptions {
  const calibration = settings.calibration.value;
  return {
    method: settings.method.value,
    granularity: settings.granularity.value,
    bits: settings.bits.value,
    sampling: settings.sampling.value,
    samples: settings.samples.value,
    bandwidth: settings.bandwidth.value,
    bandwidthFactor: settings.bandwidthFactor.value,
    seed: settings.seed.value,
    ...(calibration === 'none'
      ? { calibration, effort: 'plain' }
      : {
          calibration: calibration === 'photos' ? photos : calibration,
          pictures: settings.pictures.value,
          compensation: settings.compensation.value,
        }),
  };
}
