// The command behind `scripts/bench quantize`: seconds a network takes to be quantized in Chromium, and the memory.
import { existsSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { serveBench, withPage } from './browser.mjs';
import { markdown, number } from './table.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    efforts: { type: 'string', default: 'plain,fast,default' },
    build: { type: 'string', default: 'relaxed' },
    json: { type: 'boolean', default: false },
  },
});

const [file] = positionals;
if (positionals.length !== 1 || !existsSync(file)) {
  console.error(`error: ${file === undefined ? 'no model given' : `there is no ${file}`}; give one ONNX file`);
  process.exit(2);
}

/** In the page. Memory never shrinks, so that what it is in the end is what it was at most. */
async function measure({ url, effort, build }) {
  let memory;
  const { grow } = WebAssembly.Memory.prototype;
  WebAssembly.Memory.prototype.grow = function (pages) {
    memory = this;
    return grow.call(this, pages);
  };
  const { loadModel } = await import('/kdequant/index.js');
  const { ceilingOf, loadCeiling } = await import('/ceiling.mjs');
  const float = await loadModel(url, { build });
  const start = performance.now();
  const { report } = await float.quantize({ effort });
  const seconds = (performance.now() - start) / 1000;
  const bytes = memory.buffer.byteLength;
  const ceiling = await loadCeiling(await (await fetch(`/build/wasm-${build}/bench/ceiling.wasm`)).arrayBuffer());
  return {
    effort,
    seconds,
    memory: bytes,
    bytesOut: report.bytesOut,
    gflops: ceilingOf(ceiling.measure(), 'f32', build),
  };
}

const server = await serveBench({ network: dirname(resolve(file)) });
try {
  const rows = [];
  for (const effort of values.efforts.split(',')) {
    const options = { url: `/network/${basename(file)}`, effort, build: values.build };
    // A new browser each: memory that one took would be there for the next.
    const row = await withPage(server.url, async (page, version) => ({
      model: basename(file),
      build: values.build,
      chromium: version,
      ...(await page.evaluate(measure, options)),
    }));
    rows.push(row);
    if (values.json) console.log(JSON.stringify(row));
    else console.error(`${effort}: ${row.seconds.toFixed(1)} s`);
  }
  if (!values.json) {
    console.log(
      markdown(
        ['effort', 'seconds', 'memory MB', 'file MB', 'f32 ceiling, GFLOP/s'],
        rows.map(({ effort, seconds, memory, bytesOut, gflops }) => [
          effort,
          number(seconds),
          number(memory / 1e6),
          number(bytesOut / 1e6),
          number(gflops),
        ]),
      ),
    );
  }
} finally {
  await server.close();
}
