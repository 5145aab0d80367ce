// Takes the pictures of the page that README and docs show: node tools/page_pictures.mjs FOLDER. scripts/pictures calls it.
// The frames of the animation are one a second of the main path; frames.json says how long each is shown.
import { mkdir, writeFile } from 'node:fs/promises';

import { openPage, openView, quantize, waitForModel } from '../tests/page/browser.mjs';

const folder = process.argv[2];
if (folder === undefined) {
  console.error('usage: node tools/page_pictures.mjs FOLDER');
  process.exit(2);
}
await mkdir(folder, { recursive: true });

const size = { width: 1280, height: 1370 };
const frames = [];

await withPage(async (page) => {
  const frame = async (milliseconds) => {
    const file = `frame-${String(frames.length).padStart(3, '0')}.png`;
    await page.screenshot({ path: `${folder}/${file}` });
    frames.push({ file, milliseconds });
  };
  await frame(1500);
  const button = page.getByRole('button', { name: 'Quantize', exact: true });
  await button.hover();
  await frame(600);
  await button.click();
  const cancel = page.getByRole('button', { name: 'Cancel' });
  await cancel.waitFor();
  while (await cancel.isVisible()) {
    await frame(120);
    await page.waitForTimeout(1000);
  }
  await page.locator('.result .badge').first().waitFor();
  await page.waitForTimeout(1000);
  await frame(2500);
  for (const photo of ['coffee.jpg', 'chelsea.jpg']) {
    await page.locator(`#view-quantize [data-photo="${photo}"]`).click();
    await page.waitForTimeout(2500);
    await frame(2000);
  }
});

await withPage(async (page) => {
  await quantize(page);
  await page.locator('.result .badge').first().waitFor();
  await page.waitForTimeout(1500);
  await page.screenshot({ path: `${folder}/page.png` });
  for (const [title, name, complete] of [
    ['Look inside', 'inside', () => page.getByRole('img', { name: /^Differences/ }).waitFor()],
    ['Laboratory', 'laboratory', () => page.locator('.laboratory__table tbody tr').first().waitFor()],
  ]) {
    await openView(page, title);
    await complete();
    await page.waitForTimeout(3000);
    await page.screenshot({ path: `${folder}/${name}.png` });
  }
});

await writeFile(`${folder}/frames.json`, JSON.stringify(frames));

async function withPage(use) {
  const { page, close } = await openPage({ viewport: size });
  try {
    await waitForModel(page);
    await page.locator('.result .answer').first().waitFor();
    await page.waitForTimeout(1000);
    await use(page);
  } finally {
    await close();
  }
}
