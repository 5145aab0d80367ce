// Measures the built page in Chromium: seconds to quantize as the page does by itself, milliseconds a photo, bytes a visitor
// downloads. (scripts/bench quantize measures the efforts.)
//
//     node bench/page.mjs [--picture docs/images/page.png]      # after npm run build; prints JSON
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { openPage, quantize, waitForModel } from '../tests/page/browser.mjs';

const SITE = 'dist/site';
const picture = process.argv[2] === '--picture' ? process.argv[3] : undefined;

/** Gzipped bytes by kind of file; one of the three engines is loaded, and of the networks one. */
function downloads() {
  const bytes = {};
  for (const entry of readdirSync(SITE, { recursive: true })) {
    const path = join(SITE, String(entry));
    if (!statSync(path).isFile()) continue;
    const name = String(entry).split('/').at(-1);
    const kind = name.endsWith('.part') ? 'networks' : name.replace(/-[\w-]{8}(\.\w+)$/, '$1');
    bytes[kind] = (bytes[kind] ?? 0) + gzipSync(readFileSync(path)).length;
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

const site = await openPage();
const { page } = site;
const results = { chromium: site.page.context().browser().version() };
try {
  await waitForModel(page);
  await quantize(page);
  const [, time, unit] = /in ([\d.]+) (m?s)/.exec(await page.locator('.headline').textContent());
  results.quantizeSeconds = unit === 'ms' ? Number(time) / 1000 : Number(time);
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
