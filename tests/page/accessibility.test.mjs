/* global document */
// axe-core finds nothing serious, the keyboard reaches everything, and a narrow window needs no sideways scrolling.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { seriousFindings } from './axe.mjs';
import { openPage, QUICK, quantize, waitForModel } from './browser.mjs';

for (const colorScheme of ['light', 'dark']) {
  test(`axe-core finds nothing serious in the ${colorScheme} theme, before and after quantizing`, async () => {
    const { page, close } = await openPage({ colorScheme, hash: QUICK });
    try {
      await waitForModel(page);
      assert.deepEqual(await seriousFindings(page), []);
      await page.locator('[data-photo="coffee.jpg"]').click();
      await quantize(page);
      await page.locator('.result').first().locator('.badge').waitFor();
      assert.deepEqual(await seriousFindings(page), []);
    } finally {
      await close();
    }
  });
}

for (const colorScheme of ['light', 'dark']) {
  test(`axe-core finds nothing serious on any view or in the lesson in the ${colorScheme} theme`, async () => {
    const { page, close } = await openPage({ colorScheme, hash: QUICK });
    try {
      await waitForModel(page);
      await quantize(page);
      for (const fold of await page.locator('.view:visible summary').all()) await fold.click();
      assert.deepEqual(await seriousFindings(page), [], 'everything unfolded');
      for (const tab of await page.locator('.tabs__link').all()) {
        await tab.click();
        await page.locator('.view:visible h1').first().waitFor();
        await page.waitForTimeout(1000);
        assert.deepEqual(await seriousFindings(page), [], await tab.textContent());
      }
      await page.getByRole('button', { name: 'Begin' }).click();
      await page.getByRole('button', { name: 'Show the answer' }).click();
      assert.deepEqual(await seriousFindings(page), [], 'a step of the lesson');
    } finally {
      await close();
    }
  });
}

test('a window of 360 pixels shows everything without sideways scrolling', async () => {
  const { page, close } = await openPage({ viewport: { width: 360, height: 640 }, hash: QUICK });
  try {
    await waitForModel(page);
    await page.locator('[data-photo="chelsea.jpg"]').click();
    await quantize(page);
    await page.locator('.result').first().locator('.badge').waitFor();
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    assert.ok(overflow <= 0, `${overflow} pixels too wide`);
  } finally {
    await close();
  }
});

test('the keyboard alone quantizes and classifies', async () => {
  const { page, close } = await openPage({ hash: QUICK });
  try {
    await waitForModel(page);
    const pressUntilFocused = async (selector) => {
      for (let i = 0; i < 60; ++i) {
        await page.keyboard.press('Tab');
        if (await page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector)) return;
      }
      assert.fail(`Tab never reached ${selector}`);
    };
    await pressUntilFocused('#quantize-card button[type=submit]');
    await page.keyboard.press('Enter');
    await page.locator('.headline strong').waitFor();
    await pressUntilFocused('[data-photo="chelsea.jpg"]');
    await page.keyboard.press('Enter');
    await page.locator('.result .badge').first().waitFor();
  } finally {
    await close();
  }
});
