// Tables of what a sweep measured: per network and engine, and the ratios that matter.
import { markdown, number } from '../table.mjs';

const key = ({ model, engine, variant, build, threads }) => [model, engine, variant, build, threads].join('|');
const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
};
const least = (values) => (values.includes(null) ? null : Math.min(...values));

/** The rounds of a sweep made one: medians of medians, best of best, least processor time; sizes as they are. */
export function merge(lines) {
  const groups = new Map();
  for (const line of lines) groups.set(key(line), [...(groups.get(key(line)) ?? []), line]);
  return [...groups.values()].map((rounds) => ({
    ...rounds[0],
    median_ms: median(rounds.map((line) => line.median_ms)),
    best_ms: least(rounds.map((line) => line.best_ms)),
    cpu_ms: least(rounds.map((line) => line.cpu_ms)),
    first_ms: median(rounds.map((line) => line.first_ms)),
    load_ms: median(rounds.map((line) => line.load_ms)),
    start_ms: least(rounds.map((line) => line.load_ms + line.first_ms)),
    wasm_mb: Math.max(...rounds.map((line) => line.wasm_mb)),
    rounds: rounds.length,
  }));
}

const geometricMean = (values) => Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

/** ours / theirs of one quantity, network by network; `aim` as the table shows it. */
export const COMPARISONS = [
  ['best time', 'best_ms', 'kdequant/w4a8/relaxed', 'litert/int8/relaxed', '<= 1 each, 0.85 mean'],
  ['median time', 'median_ms', 'kdequant/w4a8/relaxed', 'litert/int8/relaxed', '<= 1 each, 0.85 mean'],
  ['processor time', 'cpu_ms', 'kdequant/w4a8/relaxed', 'litert/int8/relaxed', ''],
  ['best time', 'best_ms', 'kdequant/w4a8/simd128', 'litert/int8/simd128', '<= 0.7 mean'],
  ['median time', 'median_ms', 'kdequant/w4a8/simd128', 'litert/int8/simd128', '<= 0.7 mean'],
  ['processor time', 'cpu_ms', 'kdequant/w4a8/simd128', 'litert/int8/simd128', ''],
  ['best time', 'best_ms', 'kdequant/w4a8/relaxed', 'ort-web/f32/simd128', '<= 0.25 mean'],
  ['median time', 'median_ms', 'kdequant/w4a8/relaxed', 'ort-web/f32/simd128', '<= 0.25 mean'],
  ['processor time', 'cpu_ms', 'kdequant/w4a8/relaxed', 'ort-web/f32/simd128', ''],
  ['best time', 'best_ms', 'kdequant/f32/relaxed', 'litert/f32/relaxed', '<= 1 mean'],
  ['median time', 'median_ms', 'kdequant/f32/relaxed', 'litert/f32/relaxed', '<= 1 mean'],
  ['processor time', 'cpu_ms', 'kdequant/f32/relaxed', 'litert/f32/relaxed', ''],
  ['load + first answer', 'start_ms', 'kdequant/w4a8/relaxed', 'litert/int8/relaxed', '<= 0.6'],
  ['WebAssembly memory', 'wasm_mb', 'kdequant/w4a8/relaxed', 'litert/f32/relaxed', '<= 0.25'],
  ['WebAssembly memory', 'wasm_mb', 'kdequant/w4a8/relaxed', 'litert/int8/relaxed', '<= 0.6'],
  ['file', 'file_bytes', 'kdequant/w4a8/relaxed', 'kdequant/f32/relaxed', '<= 0.142'],
  ['runtime, gzipped', 'runtime_gz_bytes', 'kdequant/w4a8/relaxed', 'litert/int8/relaxed', ''],
];

const threadsOf = (rows) => Math.min(...rows.map((row) => row.threads));
const find = (rows, model, name, threads) =>
  rows.find(
    (row) => row.model === model && [row.engine, row.variant, row.build].join('/') === name && row.threads === threads,
  );

/** [{what, ours, theirs, aim, ratios: {model: ratio}, mean}] for the comparisons of which both sides were measured. */
export function ratios(rows) {
  const models = [...new Set(rows.map((row) => row.model))];
  const threads = threadsOf(rows);
  return COMPARISONS.flatMap(([what, quantity, ours, theirs, aim]) => {
    const entries = models.flatMap((model) => {
      const [a, b] = [find(rows, model, ours, threads), find(rows, model, theirs, threads)];
      return a?.[quantity] && b?.[quantity] ? [[model, a[quantity] / b[quantity]]] : [];
    });
    if (entries.length === 0) return [];
    return [
      { what, ours, theirs, aim, ratios: Object.fromEntries(entries), mean: geometricMean(entries.map(([, r]) => r)) },
    ];
  });
}

/** One table a network. */
export function networkTable(rows, model) {
  const header = [
    'engine',
    'build',
    'median ms',
    'best ms',
    'processor ms',
    'first ms',
    'load ms',
    'file MB',
    'runtime KB',
    'memory MB',
    'cosine',
  ];
  const cells = rows
    .filter((row) => row.model === model)
    .map((row) => [
      `${row.engine} ${row.variant}${row.threads > 1 ? `, ${row.threads} threads` : ''}`,
      row.build,
      ...[row.median_ms, row.best_ms, row.cpu_ms, row.first_ms, row.load_ms, row.file_bytes / 1e6].map(number),
      (row.runtime_gz_bytes / 1e3).toFixed(0),
      number(row.wasm_mb),
      row.cosine.toFixed(4),
    ]);
  return markdown(header, cells);
}

/** Ours over theirs, a row a comparison and a column a network. */
export function ratioTable(rows) {
  const models = [...new Set(rows.map((row) => row.model))];
  const name = (configuration) => configuration.split('/').join(' ');
  return markdown(
    ['ours / theirs', 'of', ...models, 'geometric mean', 'aim'],
    ratios(rows).map(({ what, ours, theirs, aim, ratios: byModel, mean }) => [
      `${name(ours)} / ${name(theirs)}`,
      what,
      ...models.map((model) => (model in byModel ? byModel[model].toFixed(3) : '')),
      mean.toFixed(3),
      aim,
    ]),
  );
}

/** Everything, for people. */
export function report(lines) {
  const rows = merge(lines);
  const models = [...new Set(rows.map((row) => row.model))];
  return [
    ...models.map((model) => `### ${model}\n\n${networkTable(rows, model)}`),
    `### Ratios\n\n${ratioTable(rows)}`,
  ].join('\n\n');
}
