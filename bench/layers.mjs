// The command behind `scripts/bench layers`: where the time of a network goes.
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { profileInChromium, profileInNode } from './runtimes.mjs';
import { markdown, number } from './table.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    precision: { type: 'string' },
    build: { type: 'string', default: 'relaxed' },
    runs: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '2' },
    node: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

const [file] = positionals;
if (positionals.length !== 1 || !existsSync(file)) {
  console.error(`error: ${file === undefined ? 'no model given' : `there is no ${file}`}; give one ONNX file`);
  process.exit(2);
}

const gops = (macs, milliseconds) => (milliseconds > 0 ? (2 * macs) / milliseconds / 1e6 : 0);

function print(result) {
  if (values.json) {
    console.log(JSON.stringify(result));
    return;
  }
  const { steps, ceiling } = result;
  const total = steps.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const speed = (macs, milliseconds) => {
    if (macs === 0) return ['', ''];
    const value = gops(macs, milliseconds);
    return [number(value), `${((100 * value) / ceiling).toFixed(0)} %`];
  };
  const share = (milliseconds) => `${((100 * milliseconds) / total).toFixed(1)} %`;
  const rows = steps.map(({ layer, kind, shape, macs, milliseconds }) => [
    layer,
    kind,
    shape.join('x'),
    milliseconds.toFixed(3),
    share(milliseconds),
    ...speed(macs, milliseconds),
  ]);
  console.log(markdown(['layer', 'kind', 'shape', 'ms', 'share', 'GOP/s', 'of ceiling'], rows));
  const kinds = new Map();
  for (const { kind, macs, milliseconds } of steps) {
    const sum = kinds.get(kind) ?? { count: 0, macs: 0, milliseconds: 0 };
    kinds.set(kind, {
      count: sum.count + 1,
      macs: sum.macs + macs,
      milliseconds: sum.milliseconds + milliseconds,
    });
  }
  const byTime = [...kinds].sort(([, a], [, b]) => b.milliseconds - a.milliseconds);
  const groups = byTime.map(([kind, { count, macs, milliseconds }]) => [
    kind,
    count,
    milliseconds.toFixed(3),
    share(milliseconds),
    ...speed(macs, milliseconds),
  ]);
  const macs = steps.reduce((sum, step) => sum + step.macs, 0);
  groups.push(['all', steps.length, total.toFixed(3), '', ...speed(macs, total)]);
  console.log(`\n${markdown(['kind', 'steps', 'ms', 'share', 'GOP/s', 'of ceiling'], groups)}`);
  console.log(
    `\n${result.env}, ${result.precision}, build ${result.build}, kernels ${result.kernels}; ceiling ${number(ceiling)} GOP/s`,
  );
}

const task = {
  file,
  build: values.build,
  runs: Number(values.runs),
  seconds: Number(values.seconds),
  ...(values.precision ? { precision: values.precision } : {}),
};
const onResult = (_, result) => print(result);
if (values.node) profileInNode(values.node, [task], onResult);
else await profileInChromium([task], onResult);
