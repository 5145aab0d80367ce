// The command behind `scripts/bench peers`, once everything is built: reads the options, sweeps, prints.
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';

import { chart } from './chart.mjs';
import { report } from './report.mjs';
import { CONFIGURATIONS, hasGpu, sweep } from './sweep.mjs';

const { values } = parseArgs({
  options: {
    peers: { type: 'string' },
    models: { type: 'string' },
    only: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '1.5' },
    runs: { type: 'string', default: '15' },
    threads: { type: 'string', default: '1' },
    out: { type: 'string', default: 'build/bench/peers.jsonl' },
    report: { type: 'string' },
    chart: { type: 'string' },
    quantity: { type: 'string', default: 'best_ms' },
    title: { type: 'string', default: 'One picture in Chromium, one thread' },
    json: { type: 'boolean', default: false },
  },
});

function fail(message) {
  console.error(`error: ${message}`);
  process.exit(2);
}

function positive(name, text = values[name]) {
  const value = Number(text);
  if (!(value > 0)) fail(`--${name} takes a number above 0, not "${text}"`);
  return value;
}

/** The configurations whose engine/variant/build begins with one of the comma-separated names. */
function chosen(names) {
  if (names === undefined) return CONFIGURATIONS;
  const wanted = names.split(',');
  const label = ({ engine, variant, build }) => `${engine}/${variant}/${build}/`;
  for (const name of wanted) {
    if (!CONFIGURATIONS.some((configuration) => label(configuration).startsWith(`${name}/`))) {
      fail(`nothing is called "${name}"; there are: ${CONFIGURATIONS.map((c) => label(c).slice(0, -1)).join(' ')}`);
    }
  }
  return CONFIGURATIONS.filter((configuration) => wanted.some((name) => label(configuration).startsWith(`${name}/`)));
}

if (values.report) {
  const lines = readFileSync(values.report, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  if (values.chart) writeFileSync(values.chart, chart(lines, values.quantity, values.title));
  else console.log(report(lines));
  process.exit(0);
}

let configurations = chosen(values.only);
if (configurations.some(({ build }) => build === 'webgpu') && !(await hasGpu(values.peers))) {
  console.error('no WebGPU adapter in this browser: its row is left out');
  configurations = configurations.filter(({ build }) => build !== 'webgpu');
}
const lines = [];
mkdirSync(dirname(values.out), { recursive: true });
writeFileSync(values.out, '');
let failures = 0;
await sweep({
  peers: values.peers,
  models: values.models.split(','),
  configurations,
  rounds: positive('rounds'),
  seconds: positive('seconds'),
  runs: positive('runs'),
  threads: values.threads.split(',').map((count) => positive('threads', count)),
  onLine(line) {
    lines.push(line);
    const text = JSON.stringify(line);
    appendFileSync(values.out, `${text}\n`);
    if (values.json) console.log(text);
    else
      console.error(
        `round ${line.round}: ${line.model} ${line.engine} ${line.variant} ${line.build}, ${line.threads} thread(s): best ${line.best_ms} ms`,
      );
  },
  onFailure(task, error) {
    failures++;
    console.error(
      `error: ${task.model} in ${task.engine} ${task.variant} ${task.build}: ${error.message.split('\n')[0]}`,
    );
  },
});
if (!values.json && lines.length > 0) console.log(report(lines));
process.exit(failures > 0 ? 1 : 0);
