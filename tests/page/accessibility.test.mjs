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
    for (const fold of await page.locator('.view:visible summary').all()) await fold.click();
    await page.locator('.preparation canvas').waitFor();
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

test('at 200 % zoom the lesson stands beside the page, and leaves it most of the window', async () => {
  const { page, close } = await openPage({ viewport: { width: 640, height: 450 }, hash: '#lesson=1' });
  try {
    const lesson = await page.locator('.lesson').boundingBox();
    assert.ok(lesson.x > 320 && lesson.height === 450, JSON.stringify(lesson));
    const card = await page.locator('#model-card').boundingBox();
    assert.ok(card.x + card.width <= lesson.x, JSON.stringify(card));
  } finally {
    await close();
  }
});

test('on a wall of pixels the signs grow with the type', async () => {
  const { page, close } = await openPage({ viewport: { width: 3840, height: 2160 } });
  try {
    const { width } = await page.locator('.theme-icon').boundingBox();
    assert.ok(width > 30, `${width} pixels`);
  } finally {
    await close();
  }
});

test('while presenting, nothing of the page’s head is hidden behind the lesson', async () => {
  const { page, close } = await openPage({ viewport: { width: 1600, height: 1000 }, hash: '#lesson=1&present=1' });
  try {
    const lesson = await page.locator('.lesson').boundingBox();
    const { x, width } = await page.getByRole('button', { name: /^Colours/ }).boundingBox();
    assert.ok(x + width <= lesson.x, `${x + width} and ${lesson.x}`);
  } finally {
    await close();
  }
});

test('who asks for less motion gets none', async () => {
  const { page, close } = await openPage({ hash: QUICK, reducedMotion: 'reduce' });
  try {
    await waitForModel(page);
    await quantize(page);
    await page.locator('.result .badge').first().waitFor();
    const moving = await page.evaluate(() =>
      [...document.querySelectorAll('*')]
        .filter((element) => {
          const { transitionDuration, animationName } = globalThis.getComputedStyle(element);
          return animationName !== 'none' || transitionDuration.split(', ').some((time) => parseFloat(time) > 0);
        })
        .map((element) => element.className.baseVal ?? element.className),
    );
    assert.deepEqual(moving, []);
  } finally {
    await close();
  }
});
