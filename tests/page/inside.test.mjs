/* global document */
// The view "Look inside": the error's way, filters and feature maps.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { openPage, openView, quantize, QUICK, waitForModel } from './browser.mjs';

let site;
before(async () => {
  site = await openPage({ hash: QUICK });
  await waitForModel(site.page);
});
after(() => site?.close());

const card = (page, name) => page.getByRole('region', { name });

/** How many colours a canvas shows; 1 where nothing has been drawn. */
const colours = (canvas) =>
  canvas.evaluate((element) => {
    const { data } = element.getContext('2d').getImageData(0, 0, element.width, element.height);
    return new Set(new Uint32Array(data.buffer)).size;
  });

test('before there is a 4-bit network, the filters and maps of the float one are shown', async () => {
  const { page } = site;
  await openView(page, 'Look inside');
  const filters = card(page, 'Filters').getByRole('img', { name: /in float/ });
  await filters.waitFor();
  assert.ok((await colours(filters)) > 50);
  await page.getByRole('img', { name: /maps of 112 × 112 of the float network/ }).waitFor();
  assert.equal(await page.getByRole('img', { name: /of the 4-bit network/ }).count(), 0);
  await page.getByRole('button', { name: 'Quantize to 4 bits' }).waitFor();
});

test('the error is drawn through all layers and said in words', async () => {
  const { page } = site;
  await openView(page, 'Quantize');
  await quantize(page);
  await openView(page, 'Look inside');
  const path = card(page, 'Where the error goes');
  const sentence = path.getByText(/The signal stands/);
  await sentence.waitFor();
  const [, first, last] = /stands ([\d.]+) dB .* and ([−\d.]+) dB/.exec(await sentence.innerText());
  assert.ok(
    Number(first) > 5 && Number(first) < 60 && Number(last.replace('−', '-')) < Number(first),
    `${first} to ${last} dB`,
  );
  await path.locator('.error-path__target').nth(49).waitFor();
  assert.equal(await path.locator('.error-path__target').count(), 50);
  await path.getByText('As a table').click();
  assert.equal(await path.getByRole('row').count(), 51);
  await path.getByText('As a table').click();
});

test('a point of the chart chooses its layer, and the address holds it', async () => {
  const { page } = site;
  const path = card(page, 'Where the error goes');
  await path.locator('.error-path__target').nth(7).click();
  const chosen = await page.getByRole('combobox', { name: 'Layer 8 of 50' }).inputValue();
  await page.waitForFunction((name) => document.location.hash.includes(`layer=${encodeURIComponent(name)}`), chosen);
  await page.getByRole('button', { name: 'Later' }).click();
  await page.getByRole('combobox', { name: 'Layer 9 of 50' }).waitFor();
});

test('filters and maps stand before, after and as a difference, with words beside them', async () => {
  const { page } = site;
  for (const number of [1, 2, 30, 50]) {
    const picker = page.getByRole('combobox', { name: /^Layer/ });
    await picker.selectOption({ index: number - 1 });
    await page.getByText(`Layer ${number} of 50`).waitFor();
    const filters = card(page, 'Filters');
    await page.waitForFunction(() => document.querySelectorAll('#view-inside [aria-busy=true]').length === 0);
    await filters.getByText(/stand [\d.]+ dB above their error/).waitFor();
    const [before, after] = [
      filters.getByRole('img', { name: /in float/ }),
      filters.getByRole('img', { name: /in 4 bits/ }),
    ];
    assert.ok((await colours(before)) > 1 && (await colours(after)) > 1);
    const maps = card(page, /What it finds in/);
    await maps.getByText(/a point differs by [\d.]+ % of its map’s range/).waitFor();
    for (const image of ['of the float network', 'of the 4-bit network', 'Differences'])
      assert.ok((await colours(maps.getByRole('img', { name: image }))) > 1, `${number}: ${image}`);
  }
});

test('the channels of a layer can be paged through', async () => {
  const { page } = site;
  await page.getByRole('combobox', { name: /^Layer/ }).selectOption({ index: 0 });
  const maps = card(page, /What it finds in/);
  await maps.getByText('channels 1–16 of 32').waitFor();
  await maps.getByRole('button', { name: 'Next channels' }).click();
  await maps.getByText('channels 17–32 of 32').waitFor();
  assert.ok(await maps.getByRole('button', { name: 'Next channels' }).isDisabled());
});

test('another photo gives another way of the error', async () => {
  const { page } = site;
  const sentence = card(page, 'Where the error goes').getByText(/The signal stands/);
  const before = await sentence.innerText();
  await page.locator('#view-inside [data-photo="rocket.jpg"]').click();
  await page.waitForFunction((text) => {
    const found = [...document.querySelectorAll('#view-inside p')].find((p) =>
      p.textContent.startsWith('The signal stands'),
    );
    return found && found.textContent !== text;
  }, before);
  await card(page, /What it finds in “Falcon/).waitFor();
});

test('a link reproduces the view, the layer and the channels', async () => {
  const { page, close } = await openPage({ hash: '#view=inside&layer=stem&channel=16&photo=coffee.jpg' });
  try {
    await page.getByText('channels 17–32 of 32').waitFor();
    await page.getByRole('region', { name: 'What it finds in “Coffee”' }).waitFor();
  } finally {
    await close();
  }
});
