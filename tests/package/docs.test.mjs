// The JavaScript of docs/api.md runs, and its TypeScript compiles.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { root } from './support.mjs';

const assets = fileURLToPath(new URL('build/assets/', root));
const text = await readFile(new URL('docs/api.md', root), 'utf8');
const blocks = [...text.matchAll(/^```(js|ts)\n(.*?)^```$/gms)].map(([, language, code]) => ({ language, code }));
assert.ok(blocks.length >= 8, `${blocks.length} blocks`);

for (const [i, { language, code }] of blocks.entries()) {
  test(`block ${i + 1} of docs/api.md ${language === 'js' ? 'runs' : 'compiles'}`, async (t) => {
    // Inside the repository, so that the package is found; one folder a process, because two Nodes may run this at once.
    const folder = new URL(`build/docs-test-${process.pid}/`, root);
    await mkdir(folder, { recursive: true });
    t.after(() => rm(folder, { recursive: true, force: true }));
    const file = fileURLToPath(new URL(`block${i + 1}.${language === 'js' ? 'mjs' : 'ts'}`, folder));
    await writeFile(file, code.replaceAll("'efficientnet-lite0.4bit.onnx'", `'${fileURLToPath(folder)}4bit.onnx'`));
    const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
    const options = ['--module', 'NodeNext', '--target', 'ES2022', '--strict', '--noEmit', '--ignoreConfig'];
    const run = language === 'js' ? [file] : [tsc, ...options, file];
    const { status, stdout, stderr } = spawnSync(process.execPath, run, { cwd: assets, encoding: 'utf8' });
    assert.equal(status, 0, stdout + stderr);
  });
}
