// Firefox and WebKitGTK for the page's tests, each behind the same few calls. Chromium has a richer driver: browser.mjs.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';

import puppeteer from 'puppeteer-core';

const LONG = 120_000;
const FIREFOX = process.env.FIREFOX ?? '/usr/bin/firefox-esr';
const WEBKIT_DRIVER = process.env.WEBKIT_DRIVER ?? '/usr/bin/WebKitWebDriver';
const MINI_BROWSER = process.env.MINI_BROWSER ?? `/usr/lib/${machine()}-linux-gnu/webkit2gtk-4.1/MiniBrowser`;

/**
 * @typedef {object} Engine
 * @property {(address: string) => Promise<void>} open
 * @property {(script: string) => Promise<any>} evaluate the value of an expression, or of a promise
 * @property {() => Promise<void>} close
 */

/** @returns {Promise<Engine>} */
export async function openFirefox() {
  need(FIREFOX, 'FIREFOX');
  const display = await startDisplay();
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: FIREFOX,
    headless: true,
    protocolTimeout: LONG,
    env: { ...process.env, DISPLAY: display.name },
  });
  const page = await browser.newPage();
  return {
    open: async (address) => void (await page.goto(address)),
    evaluate: (script) => page.evaluate(script),
    close: async () => {
      await browser.close();
      await display.close();
    },
  };
}

/** @returns {Promise<Engine>} */
export async function openWebKit() {
  need(WEBKIT_DRIVER, 'WEBKIT_DRIVER');
  need(MINI_BROWSER, 'MINI_BROWSER');
  const display = await startDisplay();
  const port = await freePort();
  const driver = spawn(WEBKIT_DRIVER, ['-p', String(port)], {
    stdio: 'ignore',
    env: { ...process.env, DISPLAY: display.name },
  });
  const root = `http://127.0.0.1:${port}`;
  await ready(root);
  const { sessionId } = await send(root, 'POST', '/session', {
    capabilities: {
      alwaysMatch: {
        browserName: 'MiniBrowser',
        'webkitgtk:browserOptions': { binary: MINI_BROWSER, args: ['--automation'] },
      },
    },
  });
  const session = `${root}/session/${sessionId}`;
  await send(session, 'POST', '/timeouts', { script: LONG, pageLoad: LONG });
  return {
    open: async (url) => void (await send(session, 'POST', '/url', { url })),
    evaluate: async (script) => {
      const { value, error } = await send(session, 'POST', '/execute/async', {
        script: `Promise.resolve().then(() => (${script})).then(
          (value) => arguments[0]({ value }), (error) => arguments[0]({ error: String(error) }))`,
        args: [],
      });
      if (error !== undefined) throw new Error(error);
      return value;
    },
    close: async () => {
      await send(session, 'DELETE', '');
      await stop(driver);
      await display.close();
    },
  };
}

async function send(root, method, path, body) {
  const response = await fetch(root + path, { method, ...(body && { body: JSON.stringify(body) }) });
  const { value } = await response.json();
  if (!response.ok) throw new Error(`${method} ${path}: ${value.error}: ${value.message}`);
  return value;
}

async function ready(root) {
  for (const end = Date.now() + 30_000; ;) {
    try {
      await send(root, 'GET', '/status');
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** An X server that draws into memory: without one WebKitWebDriver hangs and Firefox has no WebGL. */
async function startDisplay() {
  const server = spawn('Xvfb', ['-displayfd', '3', '-nolisten', 'tcp', '-screen', '0', '1280x900x24'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const number = await new Promise((resolve, reject) => {
    server.on('error', () => reject(new Error('no Xvfb; scripts/setup installs it')));
    server.on('exit', () => reject(new Error('Xvfb did not start')));
    server.stdio[3].once('data', (data) => resolve(String(data).trim()));
  });
  return { name: `:${number}`, close: () => stop(server) };
}

function stop(child) {
  return new Promise((resolve) => {
    if (child.exitCode !== null) return resolve();
    child.on('exit', resolve);
    child.kill();
  });
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function need(path, variable) {
  if (!existsSync(path)) throw new Error(`no ${path}; scripts/setup installs it, or name another in ${variable}`);
}

function machine() {
  return process.arch === 'arm64' ? 'aarch64' : 'x86_64';
}
