// Builds the page into dist/site: the code, and beside it the networks and photos that scripts/fetch-model puts into build/.
import { fileURLToPath } from 'node:url';

import { defineConfig } from 'vite';

import { networks } from './web/vite/networks.js';
import { photos } from './web/vite/photos.js';
import { serviceWorker } from './web/vite/service-worker.js';

export default defineConfig({
  base: './', // works from any folder of any static server
  publicDir: false,
  plugins: [networks(), photos(), serviceWorker()],
  // What web/lab/build.mjs makes.
  resolve: { alias: { 'kdequant-lab': fileURLToPath(new URL('build/lab', import.meta.url)) } },
  build: {
    outDir: 'dist/site',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0, // the page's security policy allows no data: scripts or styles
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  worker: { format: 'es' },
});
