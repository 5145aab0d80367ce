// "Use it yourself": the lines that the page shows run as they stand, and give the very file that the page gives.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { openPage, QUICK, quantize, waitForModel } from './browser.mjs';

const run = promisify(execFile);
const program = resolve('build/bin/kdequant');

let folder;
let shown;
let downloaded;
before(async () => {
  // Below the project, where Node finds the package.
  folder = await mkdtemp(resolve('build/yourself-'));
  await cp('build/assets/efficientnet-lite0.onnx', `${folder}/efficientnet-lite0.onnx`);
  await cp('build/assets/photos/chelsea.jpg', `${folder}/photo.jpg`);
  const { page, close } = await openPage({ hash: `${QUICK}&method=kde-km&samples=512&seed=3` });
  try {
    await waitForModel(page);
    await quantize(page);
    shown = await page.locator('#code-card pre').allInnerTexts();
    const downloading = page.waitForEvent('download');
    await page.getByRole('button', { name: /Download the 4-bit/ }).click();
    downloaded = await readFile(await (await downloading).path());
  } finally {
    await close();
  }
});
after(() => rm(folder, { recursive: true }));

test('the JavaScript, in Node', async () => {
  const lines = [
    "import { readFileSync, writeFileSync } from 'node:fs';",
    "const photo = new Blob([readFileSync('photo.jpg')]);",
    shown[0],
    "writeFileSync('from-javascript.onnx', bytes);",
    'console.log(predictions[0].label);',
  ];
  await writeFile(`${folder}/shown.mjs`, lines.join('\n'));
  const { stdout } = await run(process.execPath, ['shown.mjs'], { cwd: folder });
  assert.match(stdout, /cat|tabby/i);
  assert.ok(downloaded.equals(await readFile(`${folder}/from-javascript.onnx`)), 'another file');
});

test('the command line', { skip: !existsSync(program) && 'the native program is not built' }, async () => {
  const { stdout } = await run('bash', ['-ec', `kdequant() { '${program}' "$@"; }\n${shown[1]}`], { cwd: folder });
  assert.match(stdout, /cat|tabby/i);
  assert.ok(downloaded.equals(await readFile(`${folder}/efficientnet-lite0.4bit.onnx`)), 'another file');
});
