// More networks than one: the chooser offers what was fetched before the page was built.
import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { openPage, waitForModel } from './browser.mjs';

let folder;
let site;
before(async () => {
  // The page's own network once more, by another name: what is tested is the choice.
  folder = await mkdtemp(join(tmpdir(), 'kdequant-page-'));
  await cp('dist/site/networks', folder, { recursive: true });
  const [first] = JSON.parse(await readFile(join(folder, 'networks.json'), 'utf8'));
  const second = { ...first, id: 'second', name: 'Second network', about: 'The same again.' };
  await writeFile(join(folder, 'networks.json'), JSON.stringify([first, second]));
  site = await openPage({ mounts: { networks: folder } });
});
after(async () => {
  await site?.close();
  if (folder) await rm(folder, { recursive: true });
});

const partsAsked = () => site.requests.filter(({ url }) => url.endsWith('.part')).length;

/** Waits until the network of that name is chosen and loaded. */
async function atHand(name) {
  const { page } = site;
  await page.getByRole('button', { name, exact: true, pressed: true }).waitFor();
  await page.locator('.model-card__state dl', { hasText: name }).waitFor();
  await waitForModel(page);
}

test('the first of the networks offered is loaded, the others wait', async () => {
  const { page } = site;
  await atHand('EfficientNet-Lite0');
  const choices = page.getByRole('group', { name: 'Networks' }).locator('.button--choice');
  assert.deepEqual(await choices.allTextContents(), ['EfficientNet-Lite0', 'Second network', 'Your ONNX file…']);
  assert.equal(await choices.nth(1).getAttribute('aria-pressed'), 'false');
});

test('another one is a click away, stands in the address, and asks for no part that is there already', async () => {
  const { page } = site;
  const before = partsAsked();
  await page.getByRole('button', { name: 'Second network' }).click();
  await atHand('Second network');
  await page.waitForURL(/network=second/);
  assert.equal(partsAsked(), before);
  assert.deepEqual(site.problems, []);
});

test('a link to it opens it', async () => {
  const { page } = site;
  await page.reload();
  await atHand('Second network');
});
