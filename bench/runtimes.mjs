// profile.mjs in the runtimes that matter: Chromium, and Node.js in a process of its own.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

import { serveBench, withPage } from './browser.mjs';

const ceilingFile = (build) => `build/wasm-${build}/bench/ceiling.wasm`;

/**
 * Profiles networks one after another in one page of a new Chromium.
 * @param {{file: string, precision?: string, build: string, runs: number, seconds: number}[]} tasks
 * @param {(task: object, result: object) => void} onResult
 */
export async function profileInChromium(tasks, onResult) {
  for (const folder of new Set(tasks.map(({ file }) => dirname(file)))) {
    const server = await serveBench({ networks: folder });
    try {
      await withPage(server.url, async (page, version) => {
        for (const task of tasks.filter(({ file }) => dirname(file) === folder)) {
          const options = {
            ...task,
            model: `/networks/${basename(task.file)}`,
            ceiling: `/${ceilingFile(task.build)}`,
          };
          const result = await page.evaluate(async ({ ceiling, ...rest }) => {
            const { profile } = await import('/profile.mjs');
            const { loadModel } = await import('/kdequant/index.js');
            return profile({ ...rest, loadModel, ceiling: await (await fetch(ceiling)).arrayBuffer() });
          }, options);
          onResult(task, { ...result, env: `chromium ${version}` });
        }
      });
    } finally {
      await server.close();
    }
  }
}

/** The same in the Node.js binary `node`. */
export function profileInNode(node, tasks, onResult) {
  for (const task of tasks) {
    const output = execFileSync(node, [fileURLToPath(import.meta.url), JSON.stringify(task)], { encoding: 'utf8' });
    onResult(task, JSON.parse(output));
  }
}

// The child that profileInNode starts.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { profile } = await import('./profile.mjs');
  const { loadModel } = await import('../wasm/dist/index.js');
  const task = JSON.parse(process.argv[2]);
  const result = await profile({
    ...task,
    loadModel,
    model: task.file,
    ceiling: readFileSync(ceilingFile(task.build)),
  });
  console.log(JSON.stringify({ ...result, env: `node ${process.versions.node}` }));
}
