// Builds the page into dist/site. The network and the photos that scripts/fetch-model puts into build/assets are served beside it.
import { defineConfig } from 'vite';

export default defineConfig({
  base: './', // works from any folder of any static server
  publicDir: 'build/assets',
  build: {
    outDir: 'dist/site',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0, // the page's security policy allows no data: scripts or styles
    modulePreload: { polyfill: false },
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  worker: { format: 'es' },
});
