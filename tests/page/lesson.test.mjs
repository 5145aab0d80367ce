/* global document, getComputedStyle */
// The lesson operates the real page, step by step, by mouse, keyboard and address.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { openPage } from './browser.mjs';

let site;
before(async () => {
  site = await openPage({ hash: '#view=lesson' });
});
after(() => site?.close());

/** Waits until the step with this title is open. */
const step = (page, title) => page.locator('.lesson h2').getByText(title, { exact: true }).waitFor();

test('it begins at the first step, beside the view where that happens', async () => {
  const { page } = site;
  await page.getByRole('button', { name: 'Begin' }).click();
  await step(page, 'Why four bits?');
  await page.getByRole('heading', { name: /Make it 4-bit/ }).waitFor();
  assert.match(page.url(), /lesson=1/);
});

test('its buttons set what they say and quantize', async () => {
  const { page } = site;
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByRole('button', { name: 'Equal steps' }).click();
  await page.locator('.headline strong').waitFor();
  assert.equal(await page.getByLabel('Levels', { exact: true }).inputValue(), 'uniform-minmax');
  assert.match(await page.locator('#runs-card tbody tr').first().getByRole('textbox').inputValue(), /uniform/);
});

test('the answer is there when asked for, and gone at the next step', async () => {
  const { page } = site;
  assert.equal(await page.locator('.lesson__answer').count(), 0);
  await page.getByRole('button', { name: 'Show the answer' }).click();
  assert.match(await page.locator('.lesson__answer').textContent(), /near zero/);
  await page.getByRole('button', { name: 'Next' }).click();
  await step(page, 'A thousand weights are enough');
  assert.equal(await page.locator('.lesson__answer').count(), 0);
});

test('where it is about the density, its buttons work in the laboratory', async () => {
  const { page } = site;
  await page.getByRole('heading', { level: 1, name: 'Laboratory' }).waitFor();
  const figure = (name) => page.locator('.laboratory .facts__item', { hasText: name }).locator('dd');
  await figure('Weights sampled').getByText('1,024 of').waitFor();
  await page.getByRole('button', { name: '64 at random' }).click();
  await figure('Weights sampled').getByText('64 of').waitFor();
  await page.waitForURL(/lab\.sampling=random/);
  await page.getByRole('button', { name: '1,024, stratified' }).click();
  await figure('Weights sampled').getByText('1,024 of').waitFor();
});

test('Back of the browser returns a step, and an address opens one', async () => {
  const { page, url } = site;
  await page.goBack();
  await step(page, 'Equal steps, or steps that fit');
  assert.match(page.url(), /lesson=2/);
  const address = `${url}#lesson=5&view=quantize`;
  await page.goto('about:blank');
  await page.goto(address);
  await step(page, 'Outliers and channels');
});

test('a presenter turns pages with the keys, in large type', async () => {
  const { page } = site;
  const size = () => page.evaluate(() => parseFloat(getComputedStyle(document.documentElement).fontSize));
  const before = await size();
  await page.getByRole('button', { name: 'Large type' }).click();
  await page.locator('[data-presenting]').waitFor();
  assert.ok((await size()) > before * 1.2);
  await page.locator('.lesson h2').focus();
  await page.keyboard.press('PageDown');
  await step(page, 'Making up for errors');
  await page.keyboard.press('ArrowLeft');
  await step(page, 'Outliers and channels');
});

test('the worksheet is what is printed: every question with room for an answer, answers on their own page', async () => {
  const { page } = site;
  await page.getByRole('button', { name: 'End' }).click();
  await page.getByRole('button', { name: 'Print the worksheet' }).waitFor();
  await page.emulateMedia({ media: 'print' });
  assert.equal(await page.locator('.worksheet__step:visible').count(), 8);
  assert.equal(await page.locator('.worksheet__answers li:visible').count(), 8);
  assert.equal(await page.locator('.masthead:visible, .lesson:visible, .screen-only:visible').count(), 0);
  await page.emulateMedia({ media: null });
});
