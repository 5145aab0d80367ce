/* global crossOriginIsolated */
// Promises of the page as a whole: quick to draw, never blocked, never jumping, private, at home in any folder, offline.
import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';

import { openPage, QUICK, quantize, waitForModel } from '../browser.mjs';

const folders = [];
const temporaryFolder = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kdequant-page-'));
  folders.push(folder);
  return folder;
};
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

test('first paint and interaction need less than 60 KB gzipped', async () => {
  const html = await readFile('dist/site/index.html', 'utf8');
  const needed = [...html.matchAll(/(?:src|href)="\.\/(assets\/[^"]+\.(?:js|css))"/g)].map(([, file]) => file);
  assert.ok(needed.length >= 2, 'a script and a style');
  const sizes = await Promise.all(
    ['index.html', ...needed].map(async (file) => gzipSync(await readFile(`dist/site/${file}`)).length),
  );
  const total = sizes.reduce((sum, size) => sum + size, 0);
  assert.ok(total < 60 * 1024, `${total} bytes`);
});

test('nothing allows inline scripts, inline styles or eval', async () => {
  const html = await readFile('dist/site/index.html', 'utf8');
  const policy = /http-equiv="Content-Security-Policy"\s+content="([^"]+)"/.exec(html)?.[1];
  assert.match(policy, /default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe-inline|unsafe-eval(?<!wasm-unsafe-eval)|https?:|\*/);
});

test('every view asks only for files of the page, by GET', async () => {
  const { page, close, requests, problems, url } = await openPage({ hash: QUICK });
  try {
    await waitForModel(page);
    await quantize(page);
    for (const tab of await page.locator('.tabs__link').all()) {
      await tab.click();
      await page.locator('.view:visible h1').first().waitFor();
      await page.waitForTimeout(1000);
    }
    for (const request of requests) {
      assert.equal(request.method, 'GET', request.url);
      assert.ok(request.url.startsWith(url) || request.url.startsWith(`blob:${url}`), request.url);
    }
    assert.deepEqual(problems, []);
  } finally {
    await close();
  }
});

test('it works from a folder of a server', async () => {
  const folder = await temporaryFolder();
  await symlink(resolve('dist/site'), join(folder, 'some'));
  const { page, close, problems } = await openPage({ folder, path: 'some/' });
  try {
    await waitForModel(page);
    await page.locator('.result .answer').first().waitFor();
    assert.deepEqual(problems, []);
  } finally {
    await close();
  }
});

test('after the first visit it works offline', async () => {
  const { page, context, close } = await openPage({ hash: QUICK });
  try {
    await waitForModel(page);
    await page.getByText('It works offline, too.').waitFor();
    await context.setOffline(true);
    await page.reload();
    await waitForModel(page);
    await quantize(page);
    await page.locator('.result .badge').first().waitFor();
  } finally {
    await close();
  }
});

test('the switch for threads isolates the page on a server that sends no headers, and back', async () => {
  const { page, close } = await openPage();
  try {
    await waitForModel(page);
    const threads = page.getByLabel(/Use threads/);
    for (const isolated of [true, false]) {
      assert.equal(await page.evaluate(() => crossOriginIsolated), !isolated);
      await Promise.all([page.waitForEvent('load'), threads.click()]);
      await waitForModel(page);
      assert.equal(await page.evaluate(() => crossOriginIsolated), isolated);
      await threads.waitFor();
    }
  } finally {
    await close();
  }
});

test('a new version comes as a whole at the next visit', async () => {
  const folder = await temporaryFolder();
  await cp('dist/site', folder, { recursive: true });
  const { page, close, url } = await openPage({ folder });
  try {
    await page.getByText('It works offline, too.').waitFor();
    const change = async (file, from, to) =>
      writeFile(join(folder, file), (await readFile(join(folder, file), 'utf8')).replace(from, to));
    await change('index.html', '<title>', '<title>Next ');
    await change('service-worker.js', /const version = '/, "const version = 'next");
    await page.reload();
    await page.getByText('A new version is there').waitFor();
    assert.doesNotMatch(await page.title(), /^Next/, 'the old version stays whole');
    await page.goto('about:blank');
    await page.waitForTimeout(1000);
    await page.goto(url);
    assert.match(await page.title(), /^Next/);
  } finally {
    await close();
  }
});

test('everything the build made is reachable from the service worker’s list', async () => {
  const worker = await readFile('dist/site/service-worker.js', 'utf8');
  const files = JSON.parse(/const files = (\[.*?\]);/s.exec(worker)[1]);
  const built = (await readdir('dist/site', { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && !/\.part$|service-worker/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).replace(/^dist\/site\//, ''));
  assert.deepEqual(files.toSorted(), built.toSorted());
});
