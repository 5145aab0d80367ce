/* global PerformanceObserver, document, File, DataTransfer, Event */
// The page's own thread is free for the visitor, whatever goes on. Times are by the clock, so these run with nothing beside them.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { openPage, openView, QUICK, quantize, waitForModel } from '../browser.mjs';

/** For `beforeLoad`: keeps how long each task held up the page, and how far each unasked shift moved it. */
function watchTasks() {
  globalThis.longTasks = [];
  globalThis.shifts = [];
  new PerformanceObserver((list) =>
    globalThis.longTasks.push(...list.getEntries().map(({ duration }) => duration)),
  ).observe({ type: 'longtask' });
  new PerformanceObserver((list) => {
    for (const { value, hadRecentInput } of list.getEntries()) if (!hadRecentInput) globalThis.shifts.push(value);
  }).observe({ type: 'layout-shift', buffered: true });
}

/** What comes now is counted. */
async function startCounting(page) {
  await page.waitForTimeout(500);
  await page.evaluate(() => (globalThis.longTasks.length = 0));
}

/** Opens a view with both networks there; whatever `use` does then, nothing may hold up the page for long or go wrong. */
async function staysQuick(view, use) {
  const { page, close, problems } = await openPage({ hash: QUICK, beforeLoad: watchTasks });
  try {
    await waitForModel(page);
    await quantize(page);
    await openView(page, view);
    await use(page);
    const longest = Math.max(0, ...(await page.evaluate(() => globalThis.longTasks)));
    assert.ok(longest < 250, `the page was blocked for ${longest} ms`);
    assert.deepEqual(problems, []);
  } finally {
    await close();
  }
}

/** Quantizes once; the long tasks on the way, in milliseconds, and how much the page jumped. */
async function watchQuantizing() {
  const { page, close, problems } = await openPage({
    hash: QUICK,
    beforeLoad: watchTasks,
  });
  try {
    await waitForModel(page);
    await page.locator('.result .answer').first().waitFor();
    await startCounting(page);
    await quantize(page);
    await page.locator('.result .badge').first().waitFor();
    await page.waitForTimeout(500);
    assert.deepEqual(problems, []);
    const tasks = await page.evaluate(() => globalThis.longTasks);
    const shifts = await page.evaluate(() => globalThis.shifts);
    return {
      tasks: tasks.filter((duration) => duration > 50),
      shift: shifts.reduce((sum, value) => sum + value, 0),
    };
  } finally {
    await close();
  }
}

test('quantizing and classifying never block the page, and nothing jumps', async () => {
  // A task is measured by the clock, and a busy machine only ever adds to it: the quietest of a few tries counts.
  let quietest;
  for (let tries = 0; tries < 4 && !(quietest?.tasks.length <= 1); tries += 1) {
    const seen = await watchQuantizing();
    assert.ok(seen.shift < 0.1, `layout shifts add up to ${seen.shift}`);
    if (!(quietest?.tasks.length <= seen.tasks.length)) quietest = seen;
  }
  assert.ok(quietest.tasks.length <= 1, `tasks of ${quietest.tasks.join(', ')} ms`);
});

test('going through the layers never blocks the page for long', () =>
  staysQuick('Look inside', async (page) => {
    await page.getByRole('img', { name: /maps of .* of the 4-bit network/ }).waitFor();
    await startCounting(page);
    for (const index of [49, 48, 47, 3]) {
      await page.getByRole('combobox', { name: /^Layer/ }).selectOption({ index });
      await page.waitForTimeout(500);
    }
  }));

test('ten thousand files are evaluated one by one, the page stays quick, and Stop keeps what is known', () =>
  staysQuick('Classify', async (page) => {
    await page.evaluate(async () => {
      const canvas = document.createElement('canvas');
      canvas.width = canvas.height = 32;
      canvas.getContext('2d').fillRect(4, 4, 20, 20);
      const blob = await new Promise((resolve) => canvas.toBlob(resolve));
      const transfer = new DataTransfer();
      for (let i = 0; i < 10_000; ++i) transfer.items.add(new File([blob], `picture-${i}.png`, { type: 'image/png' }));
      globalThis.transfer = transfer;
    });
    await startCounting(page); // making the files is no work of the page
    await page.evaluate(() => {
      const input = document.getElementById('classify-files');
      input.files = globalThis.transfer.files;
      input.dispatchEvent(new Event('change'));
    });
    const panel = page.getByRole('region', { name: '10000 files' });
    await panel
      .getByText(/\d+ of 10,000/)
      .first()
      .waitFor();
    await page.waitForTimeout(3000);
    await panel.getByRole('button', { name: 'Stop' }).click();
    await panel.getByText(/Stopped after [\d,]+ of 10,000 pictures/).waitFor();
    assert.match(await panel.innerText(), /same answer/);
  }));
