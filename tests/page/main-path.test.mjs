// What a visitor comes for: quantize the bundled network, compare answers on a photo, take the file away.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import { openPage, QUICK, quantize, waitForModel } from './browser.mjs';

let site;
before(async () => {
  site = await openPage();
});
after(() => site?.close());

/** The labels that stand under one of the two networks, most probable first. */
const labels = (photo, network) =>
  photo
    .getByRole('region', { name: `Answers of the ${network} network` })
    .locator('.answer__label')
    .allTextContents();

test('the float network loads and names a cat', async () => {
  const { page } = site;
  await waitForModel(page);
  await page.locator('[data-photo="chelsea.jpg"]').click();
  const photo = page.locator('.result', { hasText: 'Chelsea' });
  await photo.locator('.answer__label').first().waitFor();
  assert.match((await labels(photo, 'float'))[0], /cat/i);
  assert.match(await photo.textContent(), /Quantize the network above/);
});

test('the engine is asked for while the network is still on its way', () => {
  const order = site.requests.map(({ url }) => url);
  const engine = order.findIndex((url) => /kdequant-\w+-.*\.wasm$/.test(url));
  assert.ok(engine >= 0 && engine < order.findLastIndex((url) => url.endsWith('.part')), order.join('\n'));
});

test('quantizing shows every layer and gives a file a seventh as large', async () => {
  const { page } = site;
  await quantize(page);
  const headline = await page.locator('.headline').textContent();
  const ratio = Number(/^([\d.]+) times smaller/.exec(headline)?.[1]);
  assert.ok(ratio > 6.8 && ratio < 8, headline);
  assert.match(await page.locator('#quantize-card').textContent(), /50 of 50/);
});

test('a layer is drawn with its weights, the density of the sample and 16 levels', async () => {
  const { page } = site;
  const stage = page.locator('.stage');
  await stage.getByText(/as bars, 16 levels \(the first of \d+ codebooks\), density from 1,024 of them/).waitFor();
  assert.equal(await stage.locator('.layer-figure__level').count(), 16);
  const curve = await stage.locator('.layer-figure__density').getAttribute('points');
  const heights = curve.split(' ').map((point) => Number(point.split(',')[1]));
  // It peaks where the weights are, in the middle, and lies on the axis at both ends.
  const peak = heights.indexOf(Math.min(...heights)) / heights.length;
  assert.ok(peak > 0.4 && peak < 0.6, `peak at ${peak}`);
  const [bottom, top] = [Math.max(...heights), Math.min(...heights)];
  assert.ok(top < 30 && bottom - heights[0] < 5 && bottom - heights.at(-1) < 5, heights.join());
});

test('the 4-bit network sees the cat too, beside the float one', async () => {
  const { page } = site;
  const photo = page.locator('.result').first();
  await photo.locator('.badge').waitFor();
  const [float, small] = [await labels(photo, 'float'), await labels(photo, '4-bit')];
  // Which of the cats comes first is a matter of a percent: the float network gives two of them 37 % each.
  assert.match(small[0], /cat|tabby/i);
  assert.equal(small.length, 5);
  assert.ok(small.filter((label) => float.includes(label)).length >= 4, small.join(', '));
  const badge = await photo.locator('.badge').textContent();
  assert.equal(badge, small[0] === float[0] ? 'same answer' : 'answers differ');
});

test('the downloaded file loads again as a network of its own and answers', async () => {
  const { page } = site;
  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: /Download/ }).click();
  const download = await downloading;
  assert.equal(download.suggestedFilename(), 'efficientnet-lite0.4bit.onnx');
  const bytes = await readFile(await download.path());
  assert.ok(bytes.length < 3e6);
  await page
    .locator('#model-file')
    .setInputFiles({ name: 'again.onnx', mimeType: 'application/octet-stream', buffer: bytes });
  await page.locator('.facts').getByText('again.onnx').waitFor();
  const photo = page.locator('.result').first();
  await photo.getByText('Quantize the network above').waitFor();
  assert.match((await labels(photo, 'float'))[0], /cat|tabby/i);
});

test('all of it needed only same-origin GET requests, and nothing went wrong unseen', () => {
  const { requests, problems, url } = site;
  for (const request of requests) {
    assert.equal(request.method, 'GET', request.url);
    assert.ok(request.url.startsWith(url) || request.url.startsWith('blob:'), request.url);
  }
  assert.deepEqual(problems, []);
});

test('levels alone, without any picture, keep the cat a cat', async () => {
  const { page, close } = await openPage({ hash: QUICK });
  try {
    await waitForModel(page);
    await quantize(page);
    const photo = page.locator('.result').first();
    await photo.locator('.badge').waitFor();
    assert.match((await labels(photo, '4-bit'))[0], /cat|tabby/i);
  } finally {
    await close();
  }
});
