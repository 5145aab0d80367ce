/* global document */
// Classify, Look inside and Speed for everybody: axe-core, both themes, narrow and wide windows, the keyboard.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { seriousFindings } from './axe.mjs';
import { openPage, openView, quantize, QUICK, waitForModel } from './browser.mjs';

/** Each view, and what it shows when it is complete. */
const VIEWS = [
  ['Classify', (page) => page.getByRole('columnheader', { name: '4-bit' }).waitFor()],
  ['Look inside', (page) => page.getByRole('img', { name: /^Differences/ }).waitFor()],
  [
    'Speed',
    async (page) => {
      await page.getByRole('button', { name: 'Measure', exact: true }).click();
      await page.getByRole('button', { name: 'Measure again' }).waitFor();
    },
  ],
];

for (const colorScheme of ['light', 'dark']) {
  for (const width of [360, 1280]) {
    test(`axe-core finds nothing serious in any view, ${colorScheme}, ${width} pixels wide, and nothing scrolls sideways`, async () => {
      const { page, close } = await openPage({ colorScheme, viewport: { width, height: 800 }, hash: QUICK });
      try {
        await waitForModel(page);
        for (const [title] of VIEWS) {
          await openView(page, title);
          assert.deepEqual(await seriousFindings(page), [], `${title}, before quantizing`);
        }
        await openView(page, 'Quantize');
        await quantize(page);
        for (const [title, complete] of VIEWS) {
          await openView(page, title);
          await complete(page);
          assert.deepEqual(await seriousFindings(page), [], title);
          const overflow = await page.evaluate(
            () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
          );
          assert.ok(overflow <= 0, `${title} is ${overflow} pixels too wide`);
        }
      } finally {
        await close();
      }
    });
  }
}

test('the keyboard alone goes through layers, channels and the measurement', async () => {
  const { page, close } = await openPage({ hash: `${QUICK}&view=inside` });
  try {
    const pressUntilFocused = async (name) => {
      for (let i = 0; i < 80; ++i) {
        await page.keyboard.press('Tab');
        if (await page.evaluate((wanted) => document.activeElement?.textContent.includes(wanted), name)) return;
      }
      assert.fail(`Tab never reached ${name}`);
    };
    await page.getByRole('button', { name: 'Quantize to 4 bits' }).waitFor();
    await page.locator('#view-inside button:enabled', { hasText: 'Quantize to 4 bits' }).waitFor();
    await pressUntilFocused('Quantize to 4 bits');
    await page.keyboard.press('Enter');
    await page.getByRole('img', { name: /^Differences/ }).waitFor();
    await pressUntilFocused('Later');
    await page.keyboard.press('Enter');
    await page.getByText('Layer 2 of 50').waitFor();
    await pressUntilFocused('Next channels');
    await page.keyboard.press('Enter');
    await page.getByText('channels 17–32 of 32').waitFor();
    await openView(page, 'Speed');
    await pressUntilFocused('Measure');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Measure again' }).waitFor();
  } finally {
    await close();
  }
});
