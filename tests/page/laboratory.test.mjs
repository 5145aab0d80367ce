/* global document, location */
// The laboratory: levels re-designed as a control moves, on the canvas and in the form, and every figure in words.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { openPage, waitForModel, withoutWebGl } from './browser.mjs';

/** Opens the view from its tab and waits for levels and for what they are compared with. */
async function openLaboratory(page) {
  await waitForModel(page);
  await page.getByRole('link', { name: 'Laboratory' }).click();
  await settled(page);
}

/** Until the figures are complete: whatever changed them, the references come last. */
async function settled(page) {
  await page.locator('.laboratory .facts').getByText('being computed').first().waitFor({ state: 'detached' });
  await page.locator('.laboratory .facts').waitFor();
}

/** The view; other views, hidden, have controls of the same names. */
const bench = (page) => page.locator('#view-laboratory');
const figure = (page, name) => page.locator('.laboratory .facts__item', { hasText: name }).locator('dd').textContent();
const sqnr = async (page) => Number.parseFloat(await figure(page, 'Signal over rounding error'));
const levels = (page) => page.locator('.laboratory__table tbody td:nth-child(2)').allTextContents();

async function openForm(page) {
  const details = page.locator('.laboratory__controls');
  if (!(await details.evaluate((element) => element.open))) await details.locator('summary').click();
}

let site;
before(async () => {
  site = await openPage();
  await openLaboratory(site.page);
});
after(() => site?.close());

test('the first layer is there: 16 levels from a sample, hardly worse than Lloyd-Max on all weights', async () => {
  const { page } = site;
  assert.equal((await levels(page)).length, 16);
  assert.ok((await sqnr(page)) > 15);
  const reference = await figure(page, 'Lloyd-Max on all weights');
  const difference = Number(/\(([−+][\d.]+)\)/.exec(reference)[1].replace('−', '-'));
  assert.ok(difference > -0.5 && difference <= 0.01, reference);
  const shares = await page.locator('.laboratory__table tbody td:nth-child(4)').allTextContents();
  const total = shares.reduce((sum, share) => sum + Number.parseFloat(share), 0);
  assert.ok(Math.abs(total - 100) < 1, `${total} %`);
  await page.locator('#laboratory-summary', { hasText: /16 levels .* dB signal over rounding error/ }).waitFor();
});

test('dragging a slider on the canvas designs other levels, and the form follows', async () => {
  const { page } = site;
  const before = await levels(page);
  const good = await sqnr(page);
  const canvas = page.locator('#laboratory-canvas');
  await canvas.scrollIntoViewIfNeeded();
  const { x, y } = await canvas.boundingBox();
  // The panel on the left holds the sliders: look for the number of levels, the first of them.
  const slider = await findSlider(page, x + 132, y);
  await page.mouse.move(x + 132, slider);
  await page.mouse.down();
  await page.mouse.move(x + 60, slider, { steps: 6 });
  await page.mouse.up();
  await page.waitForFunction(() => !location.hash.includes('lab.levels=16') && location.hash.includes('lab.levels='));
  await settled(page);
  const after = await levels(page);
  assert.ok(after.length < 16, `${after.length} levels`);
  assert.notDeepEqual(after, before);
  assert.ok((await sqnr(page)) < good);
  await openForm(page);
  assert.equal(await bench(page).getByLabel('Number of levels').inputValue(), String(after.length - 2));

  /** Moves down the panel until a press changes the number of levels; the cursor tells what can be held. */
  async function findSlider(page, column, top) {
    for (let row = top + 215; row < top + 330; row += 8) {
      const before = await page.evaluate(() => location.hash);
      await page.mouse.move(column, row);
      await page.waitForTimeout(150);
      if ((await canvas.evaluate((element) => element.style.cursor)) !== 'pointer') continue;
      await page.mouse.down();
      await page.waitForTimeout(150);
      await page.mouse.up();
      await page.waitForTimeout(500);
      if ((await page.evaluate(() => location.hash)) !== before) return row;
      await page.keyboard.press('Escape');
    }
    return assert.fail('no slider under the pointer');
  }
});

test('every control of the form changes the levels or their origin', async () => {
  const { page } = site;
  await openForm(page);
  const changes = [
    () => bench(page).getByLabel('Number of levels').fill('18'),
    () => bench(page).getByLabel('Bandwidth rule').selectOption('isj'),
    () => bench(page).getByLabel('Bandwidth factor').fill('50'),
    () => bench(page).getByLabel('Sampled weights').fill('3'),
    () => bench(page).getByLabel('Sampling', { exact: true }).selectOption('random'),
    () => bench(page).getByLabel('Weights', { exact: true }).selectOption('tensor'),
    () => bench(page).getByLabel('Method', { exact: true }).selectOption('kde-km'),
    () => bench(page).getByLabel('Method', { exact: true }).selectOption('uniform-minmax'),
  ];
  for (const change of changes) {
    const before = (await levels(page)).join();
    await change();
    await page
      .waitForFunction(
        (old) =>
          [...document.querySelectorAll('.laboratory__table tbody td:nth-child(2)')]
            .map((td) => td.textContent)
            .join() !== old,
        before,
        { timeout: 20_000 },
      )
      .catch(() => assert.fail(`the levels stayed after ${change}`));
  }
  assert.equal(await figure(page, 'Bandwidth'), 'no density');
  await page.waitForFunction(() => location.hash.includes('lab.method=uniform-minmax'));
  const link = page.url();
  for (const key of ['lab.method=uniform-minmax', 'lab.sampling=random', 'lab.units=tensor']) {
    assert.ok(decodeURIComponent(link).includes(key), link);
  }
});

test('the film starts badly, gains with its steps, and ends where Lloyd’s iteration ends', async () => {
  const { page } = site;
  await openForm(page);
  await bench(page).getByLabel('Method', { exact: true }).selectOption('lloyd-max');
  await settled(page);
  const designed = await sqnr(page);
  await bench(page).getByLabel('Start', { exact: true }).selectOption('uniform');
  await bench(page).getByRole('button', { name: 'Start over' }).click();
  assert.match(await figure(page, 'Film'), /^step 0 of \d+$/);
  const first = await sqnr(page);
  assert.ok(first < designed - 1, `${first} and ${designed} dB`);
  await bench(page).getByRole('button', { name: 'Step on' }).click();
  assert.match(await figure(page, 'Film'), /^step 1 of/);
  assert.ok((await sqnr(page)) > first);
  await bench(page).getByRole('button', { name: 'Play' }).click();
  await page
    .locator('.laboratory .facts')
    .getByText(/^step [4-9]/)
    .waitFor();
  await bench(page).getByRole('button', { name: 'Pause' }).click();
  await bench(page).getByRole('button', { name: 'Close the film' }).click();
  assert.equal(await figure(page, 'Film'), 'off');
  assert.equal(await sqnr(page), designed);
});

test('a level moved by hand costs signal', async () => {
  const { page } = site;
  const designed = await sqnr(page);
  await bench(page).getByLabel('Move by hand: level').fill('7');
  const value = page.locator('#laboratory-move');
  await value.fill(await value.getAttribute('max'));
  assert.match(await figure(page, 'Film'), /^step 0 of/);
  assert.ok((await sqnr(page)) < designed - 0.05);
  await bench(page).getByRole('button', { name: 'Close the film' }).click();
});

test('another layer brings other weights', async () => {
  const { page } = site;
  const weights = await figure(page, 'Weights scanned');
  await bench(page).getByRole('button', { name: /Later/ }).click();
  await page.waitForFunction(
    (old) =>
      [...document.querySelectorAll('.laboratory .facts__item')].find(({ textContent }) =>
        textContent.startsWith('Weights scanned'),
      )?.lastChild.textContent !== old,
    weights,
  );
});

test('nothing went wrong unseen, and only same-origin GET requests were made', () => {
  const { problems, requests, url } = site;
  assert.deepEqual(problems, []);
  for (const request of requests) {
    assert.equal(request.method, 'GET', request.url);
    assert.ok(request.url.startsWith(url) || request.url.startsWith('blob:'), request.url);
  }
});

test('the canvas is drawn as fine as the screen, in the theme’s colours', async () => {
  for (const colorScheme of ['light', 'dark']) {
    const { page, close } = await openPage({ colorScheme, deviceScaleFactor: 2 });
    try {
      await openLaboratory(page);
      const canvas = page.locator('#laboratory-canvas');
      const { width } = await canvas.boundingBox();
      assert.ok(Math.abs((await canvas.evaluate((element) => element.width)) - 2 * width) <= 1);
      const corner = await canvas.screenshot({ path: undefined });
      assert.ok(corner.length > 10_000, 'more than one colour');
      const card = await page
        .locator('.laboratory')
        .evaluate((element) => globalThis.getComputedStyle(element).backgroundColor);
      const drawn = await pixelOf(page, corner);
      assert.equal(drawn, card);
    } finally {
      await close();
    }
  }

  /** The colour of the second pixel of a screenshot, as CSS says it. */
  function pixelOf(page, png) {
    return page.evaluate(
      async (bytes) => {
        const bitmap = await globalThis.createImageBitmap(new Blob([new Uint8Array(bytes)], { type: 'image/png' }));
        const canvas = document.createElement('canvas');
        const context = canvas.getContext('2d');
        // The corner itself is rounded off.
        context.drawImage(bitmap, -bitmap.width / 2, -2, bitmap.width, bitmap.height);
        const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
        return `rgb(${red}, ${green}, ${blue})`;
      },
      [...png],
    );
  }
});

test('the drawing of the kernel stands clear of the levels', async () => {
  const { page, close } = await openPage();
  try {
    await openLaboratory(page);
    await page.waitForTimeout(500);
    const shot = await page.locator('#laboratory-canvas').screenshot();
    // The band of its words: columns in the colour of levels, and columns in that of the words.
    const found = await page.evaluate(
      async (bytes) => {
        const bitmap = await globalThis.createImageBitmap(new Blob([new Uint8Array(bytes)], { type: 'image/png' }));
        const canvas = document.createElement('canvas');
        [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
        const context = canvas.getContext('2d');
        context.drawImage(bitmap, 0, 0);
        const [left, top, width, height] = [300, 80, 400, 24]; // right of the controls
        const { data } = context.getImageData(left, top, width, height);
        const columns = (colour) =>
          Array.from({ length: width }, (_, x) => x).filter((x) =>
            Array.from({ length: height }, (_, y) => 4 * (y * width + x)).some((at) =>
              colour.every((part, i) => Math.abs(data[at + i] - part) < 40),
            ),
          );
        return { level: columns([217, 87, 28])[0], word: columns([85, 95, 117]).at(-1) };
      },
      [...shot],
    );
    assert.ok(found.word > 10 && found.word + 4 < found.level, JSON.stringify(found));
  } finally {
    await close();
  }
});

test('a finger drags a slider of the canvas, and levels', async () => {
  const { page, context, close } = await openPage({ viewport: { width: 412, height: 915 }, hasTouch: true });
  try {
    await openLaboratory(page);
    const canvas = page.locator('#laboratory-canvas');
    await canvas.evaluate((element) => element.scrollIntoView({ block: 'end' }));
    const { x, width, y, height } = await canvas.boundingBox();
    const session = await context.newCDPSession(page);
    const touch = (type, ...points) => session.send('Input.dispatchTouchEvent', { type, touchPoints: points });
    const drag = async (from, to) => {
      await touch('touchStart', from);
      for (let i = 1; i <= 8; ++i) {
        await touch('touchMove', { x: from.x + ((to.x - from.x) * i) / 8, y: from.y });
        await page.waitForTimeout(40);
      }
      await touch('touchEnd');
      await page.waitForTimeout(600);
    };
    const hash = () => page.evaluate(() => location.hash);
    // The sliders stand under the plot; the one that changes the number of levels is the first of them.
    for (let row = y + height - 360; row < y + height && !(await hash()).includes('lab.levels='); row += 12)
      await drag({ x: x + width / 2, y: row }, { x: x + 20, y: row });
    assert.match(await hash(), /lab\.levels=/);
    await settled(page);
    assert.ok((await levels(page)).length < 16);
  } finally {
    await close();
  }
});

test('without WebGL 2 the page says so, and controls, figures and a plainer drawing remain', async () => {
  const { page, problems, close } = await openPage({ beforeLoad: withoutWebGl });
  try {
    await openLaboratory(page);
    await page.getByText('gives no WebGL 2').waitFor();
    assert.ok(await page.locator('.laboratory__plot').isVisible());
    assert.ok(!(await page.locator('#laboratory-canvas').isVisible()));
    const before = await sqnr(page);
    await bench(page).getByLabel('Number of levels').fill('2');
    await page.locator('.laboratory__table tbody tr:nth-child(5)').waitFor({ state: 'detached' });
    await settled(page);
    assert.equal(await page.locator('.laboratory__plot .laboratory__level').count(), 4);
    assert.ok((await sqnr(page)) < before - 5);
    await bench(page).getByRole('button', { name: 'Play' }).click();
    await page
      .locator('.laboratory .facts')
      .getByText(/^step [2-9]/)
      .waitFor();
    assert.deepEqual(problems, []);
  } finally {
    await close();
  }
});
