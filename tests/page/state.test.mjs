/* global document, location */
// What survives: the address reproduces the view, interrupted downloads go on, runs are there after a reload.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { openPage, QUICK, quantize, waitForModel } from './browser.mjs';

let site;
before(async () => {
  site = await openPage({ hash: `${QUICK}&method=uniform-mse&photo=coffee.jpg` });
  await waitForModel(site.page);
});
after(() => site?.close());

test('a link sets what it names, and what one sets is in the address', async () => {
  const { page } = site;
  const levels = page.getByLabel('Levels', { exact: true });
  assert.equal(await levels.inputValue(), 'uniform-mse');
  await page.locator('.result').getByRole('heading', { name: 'Coffee' }).waitFor();
  await levels.selectOption('nf4');
  await page.waitForURL(/method=nf4/);
  assert.match(page.url(), /calibration=none/);
  await levels.selectOption('kde-lm');
  await page.waitForURL((url) => !url.hash.includes('method='), { timeout: 5000 });
});

test('Back wins over a setting that was changed a moment before', async () => {
  const { page } = site;
  await page.getByRole('link', { name: 'Speed' }).click();
  await page.getByRole('link', { name: 'Quantize' }).click();
  await page.getByLabel('Levels', { exact: true }).selectOption('nf4');
  await page.evaluate(async () => {
    // Until just before the address is written.
    await new Promise((resolve) => setTimeout(resolve, 340));
    globalThis.history.back();
    await new Promise((resolve) => setTimeout(resolve, 1000));
  });
  assert.match(page.url(), /view=speed/);
  await page.getByRole('link', { name: 'Quantize' }).click();
});

test('nonsense in the address is the default', async () => {
  const { page } = site;
  await page.evaluate(() => (location.hash = '#calibration=none&method=magic&bits=99&samples=-4'));
  await page.waitForFunction(
    () => !location.hash.includes('magic') || document.querySelector('select').value === 'kde-lm',
  );
  assert.equal(await page.getByLabel('Levels', { exact: true }).inputValue(), 'kde-lm');
});

test('runs are kept, renamed, shown again after a reload, and deleted', async () => {
  const { page } = site;
  await quantize(page);
  await page.getByLabel('Levels', { exact: true }).selectOption('nf4');
  await quantize(page);
  const rows = page.locator('#runs-card tbody tr');
  assert.equal(await rows.count(), 2);
  const name = rows.first().getByRole('textbox');
  assert.match(await name.inputValue(), /^NF4/);
  await name.fill('my fixed table');
  await name.press('Enter');
  await page.waitForTimeout(500);
  await page.reload();
  await waitForModel(page);
  await page.locator('#runs-card tbody tr').first().waitFor();
  assert.equal(await rows.count(), 2);
  assert.equal(await rows.first().getByRole('textbox').inputValue(), 'my fixed table');
  await rows.first().getByRole('button', { name: /^Show/ }).click();
  await page.locator('.headline strong').waitFor();
  await rows.first().getByText('Shown').waitFor();
  await page.locator('.result .badge').first().waitFor();
  await rows
    .last()
    .getByRole('button', { name: /^Delete/ })
    .click();
  await page.waitForFunction(() => document.querySelectorAll('#runs-card tbody tr').length === 1);
});

test('when the runs have filled their room, the oldest goes only if the visitor says so', async () => {
  const { page, close } = await openPage({ hash: QUICK });
  try {
    await waitForModel(page);
    await quantize(page);
    await page.waitForTimeout(500);
    await page.evaluate(
      () =>
        new Promise((resolve) => {
          globalThis.indexedDB.open('kdequant').onsuccess = ({ target }) => {
            const transaction = target.result.transaction('runs', 'readwrite');
            const store = transaction.objectStore('runs');
            store.getAll().onsuccess = ({ target: { result } }) => {
              const [run] = result;
              store.put({ ...run, title: 'the old one', report: { ...run.report, bytesOut: 199e6 } });
            };
            transaction.oncomplete = resolve;
          };
        }),
    );
    await page.reload();
    await waitForModel(page);
    const rows = page.locator('#runs-card tbody tr');
    const question = page.getByRole('alertdialog');
    await quantize(page);
    await question.getByText(/filled their 200 MB.*“the old one”/).waitFor();
    await question.getByRole('button', { name: 'Do not keep' }).click();
    await page.getByText(/is here until the page is closed/).waitFor();
    assert.equal(await rows.count(), 2);
    await quantize(page);
    await question.getByRole('button', { name: 'Delete it' }).click();
    await question.waitFor({ state: 'detached' });
    await page.waitForTimeout(500);
    await page.reload();
    await rows.first().waitFor();
    assert.equal(await rows.count(), 1);
    assert.doesNotMatch(await rows.first().getByRole('textbox').inputValue(), /old/);
  } finally {
    await close();
  }
});

test('the table of runs and the layers of one are files for a spreadsheet', async () => {
  const { page } = site;
  const read = async (button) => {
    const downloading = page.waitForEvent('download');
    await button.click();
    const stream = await (await downloading).createReadStream();
    let text = '';
    for await (const chunk of stream) text += chunk;
    return text.trim().split('\r\n');
  };
  const runs = await read(page.getByRole('button', { name: /Export the table/ }));
  assert.match(runs[0], /^network,run,made,bytes_in,bytes_out/);
  assert.match(runs[1], /^EfficientNet-Lite0,my fixed table,/);
  const layers = await read(page.locator('#runs-card').getByRole('button', { name: /as CSV/ }));
  assert.equal(layers.length, 51);
  assert.match(layers[1], /^stem,Conv,32x3x3x3,864,4,/);
});

test('a download that was interrupted goes on with the parts that are missing', async () => {
  const { page, close } = await openPage({ hash: '#view=quantize', block: /\.part$/, letThrough: 6 });
  try {
    await page
      .getByRole('alert')
      .getByText(/stopped.*try again/i)
      .waitFor();
    const asked = [];
    page.on('request', (request) => {
      if (request.url().endsWith('.part')) asked.push(request.url());
    });
    await page.unrouteAll();
    await page.getByRole('button', { name: 'Try again' }).click();
    await waitForModel(page);
    assert.ok(asked.length > 0 && asked.length <= 9 - 4, `${asked.length} parts were asked for again`);
  } finally {
    await close();
  }
});
