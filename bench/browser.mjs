// Chromium for the benchmarks: a fresh process and a page that may import what bench/ holds and what was built.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

import { serve } from '../scripts/lib/serve.mjs';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
export const PATIENCE_MS = 300_000;

/** The page is isolated: threads are allowed, and its clock ticks in microseconds. */
const ISOLATED = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/** Serves bench/ and, under names of their own, the package, what was built and the folders in `mounts`. */
export function serveBench(mounts = {}) {
  return serve('bench', 0, ISOLATED, { kdequant: 'wasm/dist', build: 'build', ...mounts });
}

/** Calls `use(page, version)` with a page of a new Chromium, and ends it. */
export async function withPage(url, use) {
  if (!existsSync(CHROMIUM))
    throw new Error(`no Chromium at ${CHROMIUM}; scripts/setup installs it, or name one in CHROMIUM`);
  const profile = mkdtempSync(join(tmpdir(), 'kdequant-bench-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    headless: true,
    args: ['--no-sandbox', '--no-first-run', '--disable-background-networking', '--disable-component-update'],
  });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    await page.goto(`${url}page.html`);
    return await use(page, context.browser()?.version());
  } finally {
    await context.close().catch(() => undefined);
    rmSync(profile, { recursive: true, force: true });
  }
}
