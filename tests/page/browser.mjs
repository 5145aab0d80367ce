/* global document, HTMLCanvasElement, MutationObserver */
// Opens the built page in a real Chromium, and watches what a visitor never should see.
import { existsSync, readdirSync, readFileSync } from 'node:fs';

import { chromium } from 'playwright-core';

import { serve } from '../../scripts/lib/serve.mjs';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const LONG = 120_000;

/**
 * @returns {Promise<{page: import('playwright-core').Page, url: string, problems: string[], requests: {method: string, url: string}[], close: () => Promise<void>}>}
 * `mounts`: other folders to serve, by the first segment of the path. `beforeLoad` runs in the page before its own scripts. `block` fails requests for addresses that match, after the first `letThrough` of them.
 * `workerPrelude` runs in the page's worker before its own script.
 * `problems` collects console errors, uncaught exceptions and failed requests.
 */
export async function openPage({
  viewport = { width: 1280, height: 900 },
  colorScheme = 'light',
  folder = 'dist/site',
  headers = {},
  mounts = {},
  hash = '',
  path = '',
  beforeLoad = undefined,
  block = undefined,
  letThrough = 0,
  workerPrelude = undefined,
  deviceScaleFactor = 1,
  hasTouch = false,
  reducedMotion = undefined,
  args = [],
  permissions = [],
} = {}) {
  if (!existsSync(CHROMIUM))
    throw new Error(`no Chromium at ${CHROMIUM}; scripts/setup installs it, or name one in CHROMIUM`);
  const server = await serve(folder, 0, headers, mounts);
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    // WebGL by SwiftShader, for the laboratory; the page itself is put together without it, which takes a third less time.
    args: [
      '--no-sandbox',
      '--use-angle=swiftshader',
      '--enable-unsafe-swiftshader',
      '--disable-gpu-compositing',
      ...args,
    ],
  });
  const context = await browser.newContext({
    viewport,
    colorScheme,
    deviceScaleFactor,
    hasTouch,
    reducedMotion,
    acceptDownloads: true,
    permissions,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(LONG);
  const problems = [];
  const requests = [];
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('requestfailed', (request) => problems.push(`${request.url()}: ${request.failure()?.errorText}`));
  page.on('request', (request) => requests.push({ method: request.method(), url: request.url() }));
  if (block) {
    let passed = 0;
    await page.route(block, (route) => (passed++ < letThrough ? route.continue() : route.abort()));
  }
  if (workerPrelude) {
    await page.route(/worker[^/]*\.js$/, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: `${workerPrelude}\n${await response.text()}` });
    });
  }
  if (beforeLoad) await page.addInitScript(beforeLoad);
  await page.goto(server.url + path + hash);
  return {
    page,
    context,
    url: server.url,
    problems,
    requests,
    close: async () => {
      await browser.close();
      await server.close();
    },
  };
}

/** What a server sends whose pages may use threads. */
export const ISOLATING = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** For `beforeLoad`: a browser without WebGL 2. */
export function withoutWebGl() {
  const original = HTMLCanvasElement.prototype.getContext;
  HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
    return kind === 'webgl2' ? null : original.call(this, kind, ...rest);
  };
}

/** Waits until the network has been loaded. */
export async function waitForModel(page) {
  await page.locator('#quantize-card button[type=submit]:enabled').waitFor();
}

/** The settings of a quantization that takes a second: no pictures. For tests that need some 4-bit network, not a good one. */
export const QUICK = '#calibration=none';

/** Presses "Quantize" and waits for the result. */
export async function quantize(page) {
  // A small network takes so little time that nobody sees the button to cancel it: the page itself notes that it was there.
  const begun = page.evaluate(
    () =>
      new Promise((resolve) => {
        const observer = new MutationObserver(() => {
          if (![...document.querySelectorAll('button')].some(({ textContent }) => textContent === 'Cancel')) return;
          observer.disconnect();
          resolve();
        });
        observer.observe(document.body, { childList: true, subtree: true });
      }),
  );
  await Promise.all([begun, page.getByRole('button', { name: 'Quantize', exact: true }).click()]);
  await page.getByRole('button', { name: 'Cancel' }).waitFor({ state: 'detached' });
  await page.locator('.headline strong').waitFor();
}

/** Opens a view by its tab. */
export async function openView(page, title) {
  await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: title }).click();
  await page.getByRole('heading', { level: 1 }).waitFor();
}

/** Drops files and folders, by their paths, on the middle of the page, as a hand would. */
export async function drop(page, paths) {
  const session = await page.context().newCDPSession(page);
  const { width, height } = page.viewportSize();
  const data = { items: [], files: paths, dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'])
    await session.send('Input.dispatchDragEvent', { type, x: width / 2, y: height / 2, data });
  await session.detach();
}

/** Megabytes that the largest page of our browsers, workers and all, holds now. */
export function pageMegabytes() {
  const read = (process, file) => {
    try {
      return readFileSync(`/proc/${process}/${file}`, 'utf8');
    } catch {
      return ''; // it has ended
    }
  };
  const isOurs = (process) => {
    if (process === String(globalThis.process.pid)) return true;
    const parent = /PPid:\s+(\d+)/.exec(read(process, 'status'))?.[1];
    return parent !== undefined && parent !== '0' && isOurs(parent);
  };
  const sizes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && read(name, 'cmdline').includes('--type=renderer') && isOurs(name))
    .map((name) => Number(/RssAnon:\s+(\d+)/.exec(read(name, 'status'))?.[1] ?? 0) / 1000);
  return Math.max(0, ...sizes);
}
