// Writes the service worker: web/service-worker.js with the list of the build's own files put in, and a version made of them, so
// that every build is another version and is taken as a whole.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** Parts of networks are kept by the page itself, which knows which of them it needs. */
const isCachedByPage = (file) => file.endsWith('.part');

/** A Vite plugin that writes `service-worker.js`; it comes last, when the other files are known. */
export function serviceWorker() {
  return {
    name: 'kdequant-service-worker',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        const hash = createHash('sha256');
        const files = Object.keys(bundle)
          .filter((file) => !isCachedByPage(file) && !file.endsWith('.map'))
          .sort();
        for (const file of files) {
          const item = bundle[file];
          hash.update(file).update(item.type === 'chunk' ? item.code : item.source);
        }
        const source = readFileSync('web/service-worker.js', 'utf8')
          .replace('__VERSION__', hash.digest('hex').slice(0, 12))
          .replace('= __FILES__', `= ${JSON.stringify(files)}`);
        this.emitFile({ type: 'asset', fileName: 'service-worker.js', source });
      },
    },
  };
}
