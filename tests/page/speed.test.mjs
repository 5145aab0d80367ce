// The view "Speed".
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { openPage, openView, quantize, QUICK, waitForModel } from './browser.mjs';

test('both networks are measured in every build, charted, and given as text; Cancel stops it', async () => {
  const { page, problems, close } = await openPage({
    hash: QUICK,
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  try {
    await waitForModel(page);
    await openView(page, 'Speed');
    assert.ok(await page.getByRole('button', { name: 'Measure' }).isDisabled());
    await openView(page, 'Quantize');
    await quantize(page);
    await openView(page, 'Speed');
    await page.getByRole('button', { name: 'Measure' }).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Measure' }).click();
    await page.getByRole('button', { name: 'Measure again' }).waitFor();
    const names = await page.locator('.speed tbody th').allInnerTexts();
    assert.deepEqual(names, ['float, plain SIMD', '4-bit, plain SIMD', 'float, relaxed SIMD', '4-bit, relaxed SIMD']);
    const verdict = await page.locator('.speed__verdict').innerText();
    assert.match(verdict, /^The 4-bit network answers in [\d.]+ ms: [\d.]+ times as (fast|slow) as the float one/);
    await page.getByRole('button', { name: 'Copy as text' }).click();
    await page.getByText('Copied.').waitFor();
    const text = await page.evaluate(() => globalThis.navigator.clipboard.readText());
    assert.match(text, /4-bit, relaxed SIMD +[\d.]+ ms median +[\d.]+ ms best/);
    assert.match(text, /browser: Mozilla.*Chrome/);
    assert.match(text, /medians of 15 interleaved runs/);
    assert.deepEqual(problems, []);
  } finally {
    await close();
  }
});

test('a 4-bit network made without pictures is told to be slow, and one made with pictures takes its place', async () => {
  const { page, close } = await openPage({ hash: `${QUICK}&pictures=4&compensation=0` });
  try {
    await waitForModel(page);
    await quantize(page);
    await openView(page, 'Speed');
    await page.getByText(/made without pictures.*takes longer/s).waitFor();
    await page.getByRole('button', { name: 'Make it with pictures' }).click();
    await page.getByText(/made without pictures/).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Measure' }).click();
    await page.getByRole('button', { name: 'Measure again' }).waitFor();
    await page.getByText('KDE-LM, 4 pictures, uncompensated').first().waitFor();
  } finally {
    await close();
  }
});
