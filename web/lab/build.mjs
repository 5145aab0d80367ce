// Builds the laboratory's module into build/lab, where vite.config.js finds it: node web/lab/build.mjs. Quick when nothing changed.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

import { emscriptenEnvironment } from '../../scripts/lib/emscripten.mjs';

const root = new URL('../../', import.meta.url);
const PRESET = 'wasm-simd128';
const FILES = [
  `build/${PRESET}/web/lab/kdequant-lab.mjs`,
  `build/${PRESET}/web/lab/kdequant-lab.wasm`,
  'build/laboratory/Roboto-Regular.ttf',
  'build/laboratory/NOTICE.txt',
];

const env = emscriptenEnvironment();
const cmake = (...options) => {
  execFileSync('cmake', options, { cwd: fileURLToPath(root), env, stdio: ['ignore', 'inherit', 'inherit'] });
};
if (!existsSync(new URL(`build/${PRESET}/build.ninja`, root))) cmake('--preset', PRESET);
cmake('--build', '--preset', 'wasm-lab');

const target = new URL('build/lab/', root);
mkdirSync(target, { recursive: true });
let size = 0;
for (const file of FILES) {
  const built = new URL(file, root);
  copyFileSync(built, new URL(file.slice(file.lastIndexOf('/') + 1), target));
  if (file.includes('kdequant-lab')) size += gzipSync(readFileSync(built)).length;
}
console.log(`kdequant-lab: ${(size / 1024).toFixed(1)} KB gzipped`);
