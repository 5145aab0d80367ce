// Measures the laboratory in Chromium: how long levels take to be designed anew, and their error measured on all weights, while a
// control of the form is moved through all its notches.
//
//     node bench/laboratory.mjs > bench/results/laboratory.json      # after npm run build
/* global document, Event */
import { cpus } from 'node:os';

import { openPage, withoutWebGl } from '../tests/page/browser.mjs';

/** The largest layer, one of middling size and a small one. */
const LAYERS = 3;
const CONTROLS = ['Bandwidth factor', 'Number of levels', 'Sampled weights'];
const METHODS = ['kde-lm', 'kde-km', 'lloyd-max', 'k-means', 'optimal', 'uniform-mse', 'uniform-minmax'];

/** `canvas`: whether the laboratory is drawn too, which takes a processor where there is no graphics card. */
async function measure(canvas) {
  const site = await openPage({ hash: '#view=laboratory', beforeLoad: canvas ? undefined : withoutWebGl });
  const { page } = site;
  const milliseconds = {};
  try {
    await page.locator('.laboratory .facts').waitFor();
    await page.locator('.laboratory__controls').evaluate((details) => (details.open = true));
    const layers = await page.evaluate(largestLayers, LAYERS);
    const densities = [];
    for (const method of METHODS) {
      const times = [];
      for (const { name } of layers) {
        await page.locator('.laboratory__layers select').selectOption(name);
        await page.locator('#view-laboratory').getByLabel('Method', { exact: true }).selectOption(method);
        // Without a density, only the number of levels matters.
        for (const label of method.startsWith('kde') ? CONTROLS : ['Number of levels']) {
          const found = await page.locator('#view-laboratory').getByRole('slider', { name: label }).evaluate(sweep);
          times.push(...found);
          if (method.startsWith('kde')) densities.push(...found);
        }
      }
      milliseconds[method] = summary(times);
    }
    milliseconds['kde-lm and kde-km'] = summary(densities);
    milliseconds['kde-lm and kde-km, up to 16 levels'] = summary(densities.filter(([levels]) => levels <= 16));
    return { chromium: page.context().browser().version(), layers, milliseconds };
  } finally {
    await site.close();
  }
}

const { chromium, layers, milliseconds } = await measure(true);
const withoutCanvas = (await measure(false)).milliseconds;
console.log(JSON.stringify({ chromium, cpu: cpus()[0].model, layers, milliseconds, withoutCanvas }, undefined, 2));

/** Moves a slider to each of its notches and back to where it was; levels and time of each design that followed. In the page. */
async function sweep(slider) {
  const shown = () =>
    [...document.querySelectorAll('.laboratory .facts__item')].find(({ textContent }) =>
      textContent.startsWith('Designed and measured in'),
    ).lastChild.textContent;
  const frame = () => new Promise((resolve) => globalThis.requestAnimationFrame(() => setTimeout(resolve)));
  const levels = () => document.querySelectorAll('.laboratory__table tbody tr').length;
  const before = slider.value;
  const times = [];
  for (let notch = Number(slider.min); notch <= Number(slider.max); ++notch) {
    slider.value = notch;
    slider.dispatchEvent(new Event('input', { bubbles: true }));
    await frame();
    times.push([levels(), Number.parseFloat(shown())]);
  }
  slider.value = before;
  slider.dispatchEvent(new Event('input', { bubbles: true }));
  await frame();
  return times;
}

/** In the page: name and number of weights of the largest layer and of smaller ones, each a tenth of the one before. */
async function largestLayers(count) {
  const select = document.querySelector('.laboratory__layers select');
  const layers = [...select.options]
    .filter(({ text }) => !text.includes('depthwise'))
    .map(({ value, text }) => ({
      name: value,
      weights: text
        .slice(text.lastIndexOf(',') + 1)
        .split('×')
        .reduce((product, side) => product * Number(side), 1),
    }))
    .sort((a, b) => b.weights - a.weights);
  return Array.from({ length: count }, (_, i) => layers.find(({ weights }) => weights <= layers[0].weights / 10 ** i));
}

function summary(designs) {
  const sorted = designs.map(([, time]) => time).toSorted((a, b) => a - b);
  const quantile = (q) => sorted[Math.min(Math.floor(q * sorted.length), sorted.length - 1)];
  return { designs: sorted.length, median: quantile(0.5), p95: quantile(0.95), worst: sorted.at(-1) };
}
