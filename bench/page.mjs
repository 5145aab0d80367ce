// Measures the built page in Chromium: seconds to quantize at each effort, milliseconds a photo, bytes a visitor downloads.
//
//     node bench/page.mjs [--picture docs/images/page.png]      # after npm run build; prints JSON
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { openPage, quantize, waitForModel } from '../tests/page/browser.mjs';

const SITE = 'dist/site';
const picture = process.argv[2] === '--picture' ? process.argv[3] : undefined;

/** Gzipped bytes by kind of file; one of the two engines (with and without relaxed SIMD) is loaded. */
function downloads() {
  const bytes = {};
  for (const entry of readdirSync(SITE, { recursive: true })) {
    const path = join(SITE, String(entry));
    if (!statSync(path).isFile()) continue;
    const kind = String(entry)
      .split('/')
      .at(-1)
      .replace(/-[\w-]{8}(\.\w+)$/, '$1');
    bytes[kind] = gzipSync(readFileSync(path)).length;
  }
  return bytes;
}

const milliseconds = async (page, network) =>
  Number.parseFloat(
    (
      await page
        .getByRole('region', { name: `Answers of the ${network} network` })
        .first()
        .textContent()
    ).match(/([\d.]+) ms/)[1],
  );

/** As the page calls them. */
const EFFORTS = {
  plain: 'none: only the weights',
  fast: '16 synthetic pictures: ranges and bias only',
  default: '64 synthetic pictures, errors compensated',
};

const site = await openPage();
const { page } = site;
const results = { chromium: site.page.context().browser().version(), quantizeSeconds: {} };
try {
  for (const [effort, label] of Object.entries(EFFORTS)) {
    await page.reload();
    await waitForModel(page);
    await page.getByLabel('Calibration').selectOption({ label });
    await quantize(page);
    const [, time, unit] = /in ([\d.]+) (m?s)/.exec(await page.locator('.headline').textContent());
    results.quantizeSeconds[effort] = unit === 'ms' ? Number(time) / 1000 : Number(time);
  }
  await page.locator('[data-photo="chelsea.jpg"]').click();
  await page.locator('.badge').first().waitFor();
  results.millisecondsPerPhoto = {
    float: await milliseconds(page, 'float'),
    fourBit: await milliseconds(page, '4-bit'),
  };
  if (picture) await page.screenshot({ path: picture, fullPage: true });
} finally {
  await site.close();
}
results.gzippedBytes = downloads();
console.log(JSON.stringify(results, undefined, 2));
