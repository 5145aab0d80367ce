// The sample photos and the notice of the bundled network, beside the page.
import { readFileSync, readdirSync } from 'node:fs';

/** A Vite plugin that copies build/assets/photos and the notices. */
export function photos() {
  return {
    name: 'kdequant-photos',
    generateBundle() {
      for (const file of readdirSync('build/assets/photos'))
        this.emitFile({
          type: 'asset',
          fileName: `photos/${file}`,
          source: readFileSync(`build/assets/photos/${file}`),
        });
      for (const file of readdirSync('build/assets').filter((name) => name.startsWith('NOTICE')))
        this.emitFile({ type: 'asset', fileName: file, source: readFileSync(`build/assets/${file}`) });
    },
  };
}
