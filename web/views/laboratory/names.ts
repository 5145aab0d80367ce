// What the methods are called on this view.
import { type Method } from 'kdequant';

export const METHOD_NAMES: Readonly<Record<Method, string>> = {
  'kde-lm': 'Lloyd-Max on an estimated density',
  'kde-km': 'k-means on an estimated density',
  'lloyd-max': 'Lloyd-Max on all weights',
  'k-means': 'k-means on all weights',
  optimal: 'dynamic programming (the optimum)',
  'uniform-mse': 'equal steps, least error',
  'uniform-minmax': 'equal steps, whole range',
  nf4: 'NF4’s fixed table',
};
