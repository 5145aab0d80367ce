/* global ClipboardEvent, document, File, DataTransfer, navigator */
// The view "Classify": photos, folders and the camera through both networks.
import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { deflateSync } from 'node:zlib';

import { drop, openPage, openView, quantize, QUICK, waitForModel } from './browser.mjs';

const photosFolder = new URL('../../build/assets/photos/', import.meta.url);
const photo = (name) => new URL(name, photosFolder);

let site;
let scratch;
before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'kdequant-'));
  site = await openPage({ hash: QUICK });
  await waitForModel(site.page);
});
after(async () => {
  await site?.close();
  await rm(scratch, { recursive: true, force: true });
});

const result = (page, name) => page.getByRole('article', { name, exact: true });

/** Rows of the table: [class, float, 4-bit, change], numbers in percent. */
async function rows(article) {
  await article.getByRole('columnheader', { name: '4-bit' }).waitFor();
  return article.locator('tbody tr').evaluateAll((found) =>
    found.map((row) => {
      const [name, ...cells] = [...row.cells].map((cell) => cell.innerText.trim());
      return [name, ...cells.map((cell) => Number.parseFloat(cell.replace('−', '-').replace('< ', '')))];
    }),
  );
}

test('before there is a 4-bit network the float one answers, and one button makes the other', async () => {
  const { page } = site;
  await openView(page, 'Classify');
  const cat = result(page, 'Chelsea the cat');
  await cat.getByRole('columnheader', { name: 'float' }).waitFor();
  assert.equal(await cat.getByRole('columnheader', { name: '4-bit' }).count(), 0);
  await page.getByRole('button', { name: 'Quantize to 4 bits' }).click();
  await cat.getByRole('columnheader', { name: '4-bit' }).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Quantize to 4 bits' }).count(), 0);
});

test('the answers of both networks stand in one table, with what changed', async () => {
  const { page } = site;
  const found = await rows(result(page, 'Chelsea the cat'));
  assert.ok(found.length >= 5 && found.length <= 10, `${found.length} rows`);
  assert.match(found[0][0], /cat|tabby/i);
  for (const [name, float, small, change] of found) {
    assert.ok(Math.abs(small - float - change) < 0.2, `${name}: ${float} to ${small} is not ${change}`);
  }
});

test('several photos at once are answered, the latest first, and each can be removed', async () => {
  const { page } = site;
  await page.locator('#classify-files').setInputFiles([photo('coffee.jpg').pathname, photo('rocket.jpg').pathname]);
  for (const [name, what] of [
    ['coffee.jpg', /espresso|cup|coffee/i],
    ['rocket.jpg', /missile|projectile|stage|crane|pole|drilling|bridge/i],
  ]) {
    const found = await rows(result(page, name));
    assert.ok(
      found.some(([label]) => what.test(label)),
      `${name}: ${found.map(([label]) => label)}`,
    );
  }
  await page.getByRole('button', { name: 'Remove coffee.jpg' }).click();
  assert.equal(await result(page, 'coffee.jpg').count(), 0);
});

test('a HEIC photo, an animation and a photo of 100 megapixels have their own answers', async () => {
  const { page } = site;
  const heic = Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from('ftypheic0000mif1heic')]);
  await page.locator('#classify-files').setInputFiles([
    { name: 'holiday.HEIC', mimeType: 'image/heic', buffer: heic },
    { name: 'dance.gif', mimeType: 'image/gif', buffer: animatedGif() },
    { name: 'huge.png', mimeType: 'image/png', buffer: hugePng(10_000) },
  ]);
  await result(page, 'holiday.HEIC')
    .getByText(/HEIC photo, which this browser cannot read.*JPEG/)
    .waitFor();
  await result(page, 'dance.gif')
    .getByText(/first frame/)
    .waitFor();
  assert.ok((await rows(result(page, 'dance.gif'))).length >= 5);
  assert.ok((await rows(result(page, 'huge.png'))).length >= 5);
});

test('a folder with a labels.csv is scored, and what both say differently is listed', async () => {
  const { page } = site;
  const folder = join(scratch, 'cats and cups');
  await mkdir(folder);
  for (const name of ['chelsea.jpg', 'coffee.jpg', 'rocket.jpg', 'astronaut.jpg', 'camera.jpg'])
    await cp(photo(name), join(folder, name));
  await writeFile(join(folder, 'labels.csv'), 'file,class_index\nchelsea.jpg,285\ncoffee.jpg,967\nrocket.jpg,744\n');
  await page.locator('#classify-folder').setInputFiles(folder);
  const panel = page.getByRole('region', { name: 'cats and cups' });
  await panel.getByText(/3 pictures in/).waitFor();
  assert.match(await panel.innerText(), /classes are those of labels\.csv\. 2 other files are left out/);
  for (const name of ['same answer', 'right: float', 'right: 4-bit', 'right among five: 4-bit']) {
    const value = await panel
      .locator('dt', { hasText: new RegExp(`^${name}$`) })
      .locator('+ dd')
      .innerText();
    assert.match(value, /^(0|33\.3|66\.7|100)(\.0)? %$/, name);
  }
  assert.match(await panel.innerText(), /95 % confidence/);
  const agreement = await panel.locator('dt', { hasText: 'same answer' }).locator('+ dd').innerText();
  if (agreement === '100.0 %') assert.match(await panel.innerText(), /same answer to every picture/);
  else assert.ok((await panel.locator('.confusion img').count()) > 0);
});

test('one subfolder a class works too; without classes only the agreement is counted', async () => {
  const { page } = site;
  const folder = join(scratch, 'by class');
  await mkdir(join(folder, 'espresso'), { recursive: true });
  await mkdir(join(folder, 'nonsense'), { recursive: true });
  await cp(photo('coffee.jpg'), join(folder, 'espresso', 'coffee.jpg'));
  await cp(photo('rocket.jpg'), join(folder, 'nonsense', 'rocket.jpg'));
  await page.locator('#classify-folder').setInputFiles(folder);
  const panel = page.getByRole('region', { name: 'by class' });
  await panel.getByText(/2 pictures in/).waitFor();
  assert.match(await panel.innerText(), /1 has a class.*No class of this network: “nonsense”/);
  await page.locator('#classify-folder').setInputFiles(join(folder, 'nonsense'));
  const plain = page.getByRole('region', { name: 'nonsense' });
  await plain.getByText(/1 picture in/).waitFor();
  assert.match(await plain.innerText(), /only the agreement/);
  assert.equal(await plain.getByText('right: float').count(), 0);
});

/**
 * Calls `body` with a page of its own. Chromium was seen never to hand over a folder's files, dropped or chosen, until it was
 * started anew: then the page gets another browser, once.
 */
async function withFolders(body) {
  for (const isLast of [false, true]) {
    const { page, problems, close } = await openPage({ hash: QUICK });
    try {
      await waitForModel(page);
      if (!isLast) page.setDefaultTimeout(40_000);
      await body(page);
      assert.deepEqual(problems, []);
      return;
    } catch (error) {
      if (isLast || error.name !== 'TimeoutError') throw error;
    } finally {
      await close();
    }
  }
}

test('photos can be dropped and pasted', async () => {
  const { page } = site;
  await drop(page, [photo('camera.jpg').pathname]);
  await result(page, 'camera.jpg').waitFor();
  await page.evaluate(async () => {
    const answer = await fetch('./photos/astronaut.jpg');
    const clipboardData = new DataTransfer();
    clipboardData.items.add(new File([await answer.blob()], 'pasted.jpg', { type: 'image/jpeg' }));
    document.dispatchEvent(new ClipboardEvent('paste', { clipboardData }));
  });
  assert.ok((await rows(result(page, 'pasted.jpg'))).length >= 5);
});

test('a folder dropped on any view is scored, and an empty one said to be empty', async () => {
  const folder = join(scratch, 'dropped');
  await mkdir(join(folder, 'espresso'), { recursive: true });
  await cp(photo('coffee.jpg'), join(folder, 'espresso', 'coffee.jpg'));
  await mkdir(join(scratch, 'empty'));
  await withFolders(async (page) => {
    await openView(page, 'Look inside');
    await drop(page, [folder]);
    const panel = page.getByRole('region', { name: 'dropped' });
    await panel.getByText(/1 picture in/).waitFor();
    assert.match(await panel.innerText(), /1 has a class, by the name of their folder/);
    await drop(page, [join(scratch, 'empty')]);
    await page
      .getByRole('region', { name: 'empty' })
      .getByText(/folder is empty/)
      .waitFor();
    await page.getByRole('button', { name: 'Close' }).click();
    assert.equal(await page.getByRole('region', { name: 'empty' }).count(), 0);
  });
});

test('a folder without pictures and a wrong table are refused with a sentence', async () => {
  const folder = join(scratch, 'papers');
  const wrong = join(scratch, 'wrong table');
  await mkdir(folder);
  await writeFile(join(folder, 'a.txt'), 'text');
  await mkdir(wrong);
  await cp(photo('coffee.jpg'), join(wrong, 'coffee.jpg'));
  await writeFile(join(wrong, 'labels.csv'), 'file,class_index\nmissing.jpg,1\n');
  await withFolders(async (page) => {
    await openView(page, 'Classify');
    await page.locator('#classify-folder').setInputFiles(folder);
    await page
      .getByRole('region', { name: 'papers' })
      .getByText(/no picture among 1 file/)
      .waitFor();
    await page.locator('#classify-folder').setInputFiles(wrong);
    await page.getByText(/labels\.csv: names "missing\.jpg", which is not in the folder/).waitFor();
  });
});

test('nothing went wrong unseen, and nothing but this page was asked for anything', () => {
  const { problems, requests, url } = site;
  assert.deepEqual(problems, []);
  for (const request of requests) {
    assert.equal(request.method, 'GET');
    assert.ok(request.url.startsWith(url) || request.url.startsWith('blob:'), request.url);
  }
});

test('the camera is answered live by both networks, and takes photos', async () => {
  const { page, close } = await openPage({
    hash: `${QUICK}&photo=`,
    args: ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
    permissions: ['camera'],
  });
  try {
    await waitForModel(page);
    await quantize(page);
    await openView(page, 'Classify');
    await page.getByRole('button', { name: 'Use the camera' }).click();
    const panel = page.getByRole('region', { name: 'Live' });
    await panel.getByText(/frames a second/).waitFor();
    await panel.getByText(/[1-9]\d* frames a second/).waitFor();
    await panel.getByRole('columnheader', { name: '4-bit' }).waitFor();
    await panel.getByRole('button', { name: 'Take a photo' }).click();
    assert.ok((await rows(result(page, 'Camera 1'))).length >= 5);
    await page.getByRole('button', { name: 'Stop the camera' }).click();
    await panel.waitFor({ state: 'detached' });
  } finally {
    await close();
  }
});

test('a camera that is refused, or is not there, is explained', async () => {
  const { page, close } = await openPage({ hash: '#view=classify' });
  try {
    await page.evaluate(() => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'));
    });
    await page.getByRole('button', { name: 'Use the camera' }).click();
    await page.getByText(/The camera was refused\. Allow it/).waitFor();
    await page.evaluate(() => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotFoundError'));
    });
    await page.getByRole('button', { name: 'Use the camera' }).click();
    await page.getByText(/There is no camera here/).waitFor();
  } finally {
    await close();
  }
});

/** Two frames of one pixel that repeat for ever. */
function animatedGif() {
  const frame = [0x21, 0xf9, 4, 0, 10, 0, 0, 0, 0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0];
  return Buffer.from([
    ...Buffer.from('GIF89a'),
    ...[1, 0, 1, 0, 0x80, 0, 0, 255, 0, 0, 0, 0, 255],
    ...[0x21, 0xff, 11, ...Buffer.from('NETSCAPE2.0'), 3, 1, 0, 0, 0],
    ...frame,
    ...frame,
    0x3b,
  ]);
}

/** A black and white PNG of side x side pixels, one bit each. */
function hugePng(side) {
  const rowBytes = 1 + side / 8;
  const pixels = Buffer.alloc(side * rowBytes);
  for (let y = 0; y < side; ++y) pixels.fill(y & 512 ? 0xf0 : 0x0f, y * rowBytes + 1, (y + 1) * rowBytes);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header[8] = 1;
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
  return Buffer.concat([
    signature,
    pngChunk('IHDR', header),
    pngChunk('IDAT', deflateSync(pixels)),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

function pngChunk(type, data) {
  const body = Buffer.concat([Buffer.from(type), data]);
  const chunk = Buffer.alloc(body.length + 8);
  chunk.writeUInt32BE(data.length, 0);
  body.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(body), body.length + 4);
  return chunk;
}

function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; ++bit) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}
