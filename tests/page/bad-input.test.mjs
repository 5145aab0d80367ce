/* global document, dispatchEvent, MessageEvent, scrollTo, scrollY */
// Wrong files and interrupted work: a sentence, and nothing lost.
import assert from 'node:assert/strict';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { crc32, deflateSync } from 'node:zlib';

import { drop, openPage, openView, pageMegabytes, QUICK, quantize, waitForModel } from './browser.mjs';
import { largeNetwork, tinyNetwork } from '../package/onnx.mjs';

let site;
before(async () => {
  site = await openPage({ hash: QUICK });
  await waitForModel(site.page);
});
after(() => site?.close());

test('a file that is no ONNX file is refused by name, in sight of somebody who has scrolled, and the network stays', async () => {
  const { page } = site;
  await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
  await page.locator('#model-file').setInputFiles({
    name: 'notes.onnx',
    mimeType: 'application/octet-stream',
    buffer: Buffer.from('this is not a network, it is a text of some length'),
  });
  const alert = page.getByRole('alert');
  await alert.getByText(/“notes\.onnx”.*ONNX/).waitFor();
  assert.ok(await page.evaluate(() => scrollY > 0), 'still scrolled');
  const { y, height } = await alert.locator('.alert').boundingBox();
  assert.ok(y >= 0 && y + height <= 900, `from ${y}, ${height} pixels high`);
  assert.match(await page.locator('.facts').textContent(), /EfficientNet-Lite0/);
  await alert.getByRole('button', { name: 'Dismiss' }).click();
  assert.equal((await page.locator('#alerts').textContent()).trim(), '');
});

test('a photo that is no picture says so in its own place', async () => {
  const { page } = site;
  await page
    .locator('#photo-file')
    .setInputFiles({ name: 'broken.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('JFIF? no.') });
  const photo = page.locator('.result').first();
  await photo.locator('.alert').waitFor();
  assert.match(await photo.textContent(), /broken\.jpg/);
});

test('a HEIC photo is explained on this view, too', async () => {
  const { page } = site;
  const heic = Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from('ftypheic0000mif1heic')]);
  await page.locator('#photo-file').setInputFiles({ name: 'holiday.heic', mimeType: 'image/heic', buffer: heic });
  await page
    .locator('.result', { hasText: 'holiday.heic' })
    .getByText(/HEIC photo, which this browser cannot read/)
    .waitFor();
});

test('cancelling a second quantization keeps the first result', async () => {
  const { page } = site;
  await quantize(page);
  const headline = await page.locator('.headline').textContent();
  await page.getByLabel('Levels', { exact: true }).selectOption('optimal');
  await page.getByRole('button', { name: 'Quantize', exact: true }).click();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.locator('#quantize-card button[type=submit]:enabled').waitFor();
  assert.equal(await page.locator('.headline').textContent(), headline);
});

test('operators that kdequant does not know are named', async () => {
  const { page } = site;
  await page.locator('#model-file').setInputFiles(onnx('strange.onnx', tinyNetwork({ op: 'NonZero' })));
  await page
    .getByRole('alert')
    .getByText(/NonZero/)
    .waitFor();
  assert.match(await page.locator('.facts').textContent(), /EfficientNet-Lite0/);
});

test('a file above the limit is refused before it is read, and the limit is named', async () => {
  const { page } = site;
  await chooseZeros(page, 'huge.onnx', 700e6);
  await page
    .getByRole('alert')
    .getByText(/“huge\.onnx” has 700 MB.*up to 600 MB/)
    .waitFor();
});

test('a network of 540 MB is read and answers, in less memory than two of it take', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kdequant-page-'));
  const { page, close } = await openPage({ hash: QUICK });
  let most = 0;
  const watch = setInterval(() => (most = Math.max(most, pageMegabytes())), 50);
  try {
    const path = join(folder, 'large.onnx');
    const { chunks, length } = largeNetwork(6, 150);
    const file = await open(path, 'w');
    for (const { at, bytes } of chunks) await file.write(bytes, 0, bytes.length, at);
    await file.truncate(length);
    await file.close();
    await waitForModel(page);
    await page.locator('#model-file').setInputFiles(path);
    await page.locator('.facts').getByText('large.onnx').waitFor();
    await page.locator('.answer__label').getByText('class ').first().waitFor();
    assert.match(await page.locator('.facts').textContent(), /135,475,200/);
    assert.ok(most > 500 && most < 1700, `${most} MB`);
  } finally {
    clearInterval(watch);
    await close();
    await rm(folder, { recursive: true });
  }
});

test('a photo of a hundred megapixels is answered', async () => {
  const { page } = site;
  await page
    .locator('#photo-file')
    .setInputFiles({ name: 'wall.png', mimeType: 'image/png', buffer: blackPng(10_000, 10_000) });
  await page.locator('.result', { hasText: 'wall.png' }).locator('.answer').first().waitFor();
});

test('labels that are too few are counted for the reader, and a file of the right length is taken', async () => {
  const { page } = site;
  await page.getByText('How a photo goes in').click();
  const labels = page.locator('#labels-file');
  await labels.setInputFiles({ name: 'three.txt', mimeType: 'text/plain', buffer: Buffer.from('a\nb\nc\n') });
  await page
    .getByRole('alert')
    .getByText(/has 3 names and the network 1,?000 outputs/)
    .waitFor();
  const thousand = Array.from({ length: 1000 }, (_, index) => `thing ${index}`).join('\n');
  await labels.setInputFiles({ name: 'things.txt', mimeType: 'text/plain', buffer: Buffer.from(thousand) });
  await page
    .locator('.answer__label')
    .getByText(/^thing \d+$/)
    .first()
    .waitFor();
});

test('another network dropped while quantizing, on whatever view, takes the place of both', async () => {
  const { page } = site;
  await page.getByRole('button', { name: 'Quantize', exact: true }).click();
  await openView(page, 'Classify');
  const folder = await mkdtemp(join(tmpdir(), 'kdequant-page-'));
  await writeFile(join(folder, 'tiny.onnx'), tinyNetwork());
  await drop(page, [join(folder, 'tiny.onnx')]);
  await page.getByRole('heading', { name: /Make it 4-bit/ }).waitFor();
  await page.locator('.facts').getByText('tiny.onnx').waitFor();
  await waitForModel(page);
  await rm(folder, { recursive: true });
  assert.equal(await page.locator('.headline strong').count(), 0);
  await quantize(page);
});

test('when the worker crashes another is started, and the runs are there', async () => {
  const { page } = site;
  await page.getByRole('button', { name: 'EfficientNet-Lite0' }).click();
  await page.locator('.facts').getByText('EfficientNet-Lite0').waitFor();
  await waitForModel(page);
  const runs = await page.locator('#runs-card tbody tr').count();
  assert.ok(runs > 0);
  await page.getByLabel('Levels', { exact: true }).selectOption('optimal');
  await page.getByRole('button', { name: 'Quantize', exact: true }).click();
  const worker = page.workers().find((one) => one.url().includes('worker'));
  await worker.evaluate(() => {
    setTimeout(() => {
      throw new Error('out of luck');
    });
  });
  await page
    .getByRole('alert')
    .getByText(/was started again.*runs are kept/)
    .waitFor();
  await waitForModel(page);
  assert.equal(await page.locator('#runs-card tbody tr').count(), runs);
  await page.getByLabel('Levels', { exact: true }).selectOption('kde-lm');
  await quantize(page);
});

test('when memory runs out the page says so, and what was there is still there', async () => {
  const { page, close } = await openPage({
    hash: QUICK,
    workerPrelude: `let full = false;
      addEventListener('message', ({ data }) => { if (data === 'full') full = true; });
      const grow = WebAssembly.Memory.prototype.grow;
      WebAssembly.Memory.prototype.grow = function (pages) {
        if (full) throw new RangeError('no more memory');
        return grow.call(this, pages);
      };`,
  });
  try {
    await waitForModel(page);
    await page.locator('.result .answer').first().waitFor();
    const worker = page.workers().find((one) => one.url().includes('worker'));
    await worker.evaluate(() => dispatchEvent(new MessageEvent('message', { data: 'full' })));
    await chooseZeros(page, 'large.onnx', 300e6);
    await page
      .getByRole('alert')
      .getByText(/memory/)
      .waitFor();
    await waitForModel(page);
    assert.match(await page.locator('.facts').textContent(), /EfficientNet-Lite0/);
    await quantize(page);
  } finally {
    await close();
  }
});

test('a hidden tab goes on, and shows its result when it is looked at again', async () => {
  const { page, context, close } = await openPage({ hash: QUICK });
  try {
    await waitForModel(page);
    const session = await context.newCDPSession(page);
    await page.getByRole('button', { name: 'Quantize', exact: true }).click();
    await session.send('Page.setWebLifecycleState', { state: 'frozen' });
    await new Promise((resolve) => setTimeout(resolve, 5000));
    await session.send('Page.setWebLifecycleState', { state: 'active' });
    await page.locator('.headline strong').waitFor();
    await page.locator('.result .badge').first().waitFor();
  } finally {
    await close();
  }
});

test('where storage is full a run is shown all the same, and the reason is told', async () => {
  const { page, close } = await openPage({
    hash: QUICK,
    beforeLoad: () => {
      globalThis.IDBObjectStore.prototype.put = () => {
        throw new DOMException('no room', 'QuotaExceededError');
      };
    },
  });
  try {
    await waitForModel(page);
    await quantize(page);
    await page
      .locator('#runs-card')
      .getByText(/storage is full/)
      .waitFor();
    assert.equal(await page.locator('#runs-card tbody tr').count(), 1);
    const downloading = page.waitForEvent('download');
    await page.getByRole('button', { name: /Download the 4-bit/ }).click();
    await downloading;
  } finally {
    await close();
  }
});

test('a browser without WebAssembly SIMD is told so', async () => {
  const { page, close } = await openPage({ workerPrelude: 'WebAssembly.validate = () => false;' });
  try {
    await page
      .getByRole('alert')
      .getByText(/lacks WebAssembly SIMD.*newer/)
      .waitFor();
    await page.getByText('There is no network yet.').waitFor();
  } finally {
    await close();
  }
});

const onnx = (name, bytes) => ({ name, mimeType: 'application/octet-stream', buffer: Buffer.from(bytes) });

/** Chooses a file of zeros as the network. */
async function chooseZeros(page, name, bytes) {
  const folder = await mkdtemp(join(tmpdir(), 'kdequant-page-'));
  try {
    const file = await open(join(folder, name), 'w');
    await file.truncate(bytes);
    await file.close();
    await page.locator('#model-file').setInputFiles(join(folder, name));
    await page.locator('#alerts .alert').waitFor();
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A black picture, one bit a pixel. */
function blackPng(width, height) {
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const framed = Buffer.alloc(body.length + 8);
    framed.writeUInt32BE(data.length);
    body.copy(framed, 4);
    framed.writeUInt32BE(crc32(body), body.length + 4);
    return framed;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 1; // bits a pixel; the other bytes: grey, deflate, no filter, not interlaced
  const rows = deflateSync(Buffer.alloc((1 + Math.ceil(width / 8)) * height));
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))]);
}
