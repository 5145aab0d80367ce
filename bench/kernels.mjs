// The command behind `scripts/bench kernels`: every kernel on the layer shapes of build/bench/kernels, in Chromium and Node.js.
import { readdirSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { profileInChromium, profileInNode } from './runtimes.mjs';
import { markdown, number } from './table.mjs';

const FOLDER = 'build/bench/kernels';

const { values } = parseArgs({
  options: {
    node: { type: 'string' },
    envs: { type: 'string', default: 'chromium,node' },
    builds: { type: 'string', default: 'relaxed,simd128' },
    precisions: { type: 'string', default: 'w4a8,f32' },
    only: { type: 'string', default: '' },
    runs: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '0.4' },
    json: { type: 'boolean', default: false },
  },
});

const names = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.onnx') && !name.endsWith('.w4a8.onnx'))
  .map((name) => name.slice(0, -'.onnx'.length))
  .filter((name) => name.includes(values.only));
const tasks = values.precisions.split(',').flatMap((precision) =>
  values.builds.split(',').flatMap((build) =>
    names.map((name) => ({
      name,
      file: `${FOLDER}/${name}${precision === 'w4a8' ? '.w4a8' : ''}.onnx`,
      precision,
      build,
      runs: Number(values.runs),
      seconds: Number(values.seconds),
    })),
  ),
);

const columnOf = ({ env, precision, build }) => `${env}, ${precision}, ${build}`;
const measured = [];
const ceilings = new Map();
function onResult({ name, precision, build }, { env, kernels, ceiling, steps }) {
  const { macs, milliseconds } = steps.find(({ layer, macs: work }) => layer === 'kernel' && work > 0);
  const line = { env, precision, build, kernels, shape: name, macs, ms: milliseconds };
  measured.push(line);
  ceilings.set(columnOf(line), Math.max(ceilings.get(columnOf(line)) ?? 0, ceiling));
  console.error(`${columnOf(line)}: ${name}`);
}

const envs = values.envs.split(',');
if (envs.includes('chromium')) await profileInChromium(tasks, onResult);
if (envs.includes('node')) profileInNode(values.node, tasks, onResult);

const digits = (value) => Number(value.toPrecision(4));
const lines = measured.map((line) => {
  const ceiling = ceilings.get(columnOf(line));
  const gops = (2 * line.macs) / line.ms / 1e6;
  return {
    ...line,
    ms: digits(line.ms),
    gops: digits(gops),
    ceiling_gops: digits(ceiling),
    percent: Math.round((100 * gops) / ceiling),
  };
});
if (values.json) {
  for (const line of lines) console.log(JSON.stringify(line));
} else {
  const columns = [...ceilings.keys()];
  const rows = names.map((name) => [
    name,
    ...columns.map((column) => {
      const line = lines.find((l) => l.shape === name && columnOf(l) === column);
      return line ? `${number(line.gops)} (${line.percent} %)` : '';
    }),
  ]);
  rows.push(['ceiling', ...[...ceilings.values()].map(number)]);
  console.log(markdown(['GOP/s (% of the ceiling)', ...columns], rows));
}
