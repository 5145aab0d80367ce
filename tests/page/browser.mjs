// Opens the built page in a real Chromium, and watches what a visitor never should see.
import { existsSync } from 'node:fs';

import { chromium } from 'playwright-core';

import { serve } from '../../scripts/lib/serve.mjs';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const LONG = 120_000;

/**
 * @returns {Promise<{page: import('playwright-core').Page, url: string, problems: string[], requests: {method: string, url: string}[], close: () => Promise<void>}>}
 * `problems` collects console errors, uncaught exceptions and failed requests.
 */
export async function openPage({
  viewport = { width: 1280, height: 900 },
  colorScheme = 'light',
  folder = 'dist/site',
} = {}) {
  if (!existsSync(CHROMIUM))
    throw new Error(`no Chromium at ${CHROMIUM}; scripts/setup installs it, or name one in CHROMIUM`);
  const server = await serve(folder);
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
  });
  const context = await browser.newContext({ viewport, colorScheme, acceptDownloads: true });
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
  await page.goto(server.url);
  return {
    page,
    url: server.url,
    problems,
    requests,
    close: async () => {
      await browser.close();
      await server.close();
    },
  };
}

/** Waits until the network has been loaded. */
export async function waitForModel(page) {
  await page.locator('#quantize-card button[type=submit]:enabled').waitFor();
}

/** Presses "Quantize" and waits for the result. */
export async function quantize(page) {
  await page.getByRole('button', { name: 'Quantize' }).click();
  await page.locator('.headline').waitFor();
}
