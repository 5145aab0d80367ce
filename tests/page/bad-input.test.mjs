// Wrong files and interrupted work: a sentence, and nothing lost.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { openPage, QUICK, quantize, waitForModel } from './browser.mjs';

let site;
before(async () => {
  site = await openPage({ hash: QUICK });
  await waitForModel(site.page);
});
after(() => site?.close());

test('a file that is no ONNX file is refused by name, and the network stays', async () => {
  const { page } = site;
  await page.locator('#model-file').setInputFiles({
    name: 'notes.onnx',
    mimeType: 'application/octet-stream',
    buffer: Buffer.from('this is not a network, it is a text of some length'),
  });
  const alert = page.getByRole('alert');
  await alert.getByText(/ONNX/).waitFor();
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
