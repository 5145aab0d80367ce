// The main path in the other two browser engines: load, quantize, see the cat twice, take the file away.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { serve } from '../../scripts/lib/serve.mjs';
import { QUICK } from './browser.mjs';
import { openFirefox, openWebKit } from './engines.mjs';

const LONG = 120_000;

/** Runs in the page: what `find` gives, as soon as that is something. */
const until = (find) => `new Promise((resolve, reject) => {
  const end = Date.now() + ${LONG};
  const look = () => {
    const found = (() => ${find})();
    if (found) resolve(found);
    else if (Date.now() > end) reject(new Error('never there: ' + ${JSON.stringify(find)}));
    else setTimeout(look, 100);
  };
  look();
})`;
const first = (network) =>
  `document.querySelector('.result [aria-label="Answers of the ${network} network"] .answer__label')?.textContent`;
const button = (name) =>
  `[...document.querySelectorAll('button:enabled')].find((one) => one.textContent.trim().startsWith(${JSON.stringify(name)}))`;

for (const [name, open] of [
  ['Firefox', openFirefox],
  ['WebKit', openWebKit],
]) {
  test(`${name}: the network loads, is quantized, knows the cat as before, and is downloaded`, async () => {
    const server = await serve('dist/site');
    const engine = await open();
    try {
      await engine.open(`${server.url}${QUICK}`);
      const ready = `document.querySelector('#quantize-card button[type=submit]:enabled') !== null`;
      await engine.evaluate(until(ready));
      assert.match(await engine.evaluate(until(first('float'))), /cat|tabby/i);

      await engine.evaluate(`void ${button('Quantize')}.click()`);
      assert.match(await engine.evaluate(until(first('4-bit'))), /cat|tabby/i);
      const headline = await engine.evaluate(until(`document.querySelector('.headline strong')?.textContent`));
      assert.match(headline, /^7\.\d times smaller/);

      const file = await engine.evaluate(`(async () => {
        const saved = new Promise((resolve) => {
          HTMLAnchorElement.prototype.click = function () {
            resolve({ name: this.download, address: this.href });
          };
        });
        (${button('Download the 4-bit')}).click();
        const { name, address } = await saved;
        const response = await fetch(address);
        return { name, bytes: (await response.arrayBuffer()).byteLength };
      })()`);
      assert.equal(file.name, 'efficientnet-lite0.4bit.onnx');
      assert.ok(file.bytes > 2.4e6 && file.bytes < 3e6, `${file.bytes} bytes`);
      assert.equal(await engine.evaluate(`document.querySelector('#alerts').textContent.trim()`), '');
    } finally {
      await engine.close();
      await server.close();
    }
  });
}
