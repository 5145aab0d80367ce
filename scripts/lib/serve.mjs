// Serves a folder on localhost: node scripts/lib/serve.mjs FOLDER [PORT]. Only for looking at the page; any static server will do.
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const types = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.mjs': 'text/javascript',
  '.onnx': 'application/octet-stream',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
};

/**
 * Starts a static server.
 * @param {string} folder what to serve
 * @param {number} port 0 picks a free one
 * @param {Record<string, string>} headers added to every answer
 * @param {Record<string, string>} mounts other folders, by the first segment of the path: `{ models: 'build/models' }`
 * @returns {Promise<{url: string, close: () => Promise<void>}>}
 */
export function serve(folder, port = 0, headers = {}, mounts = {}) {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://localhost').pathname));
    const [, first, ...rest] = path.split('/');
    const mounted = Object.hasOwn(mounts, first);
    const root = resolve(mounted ? mounts[first] : folder);
    let file = join(root, mounted ? rest.join('/') : path);
    if (!file.startsWith(root)) return response.writeHead(403).end();
    let stat = statSync(file, { throwIfNoEntry: false });
    if (stat?.isDirectory()) {
      file = join(file, 'index.html');
      stat = statSync(file, { throwIfNoEntry: false });
    }
    if (!stat) return response.writeHead(404, { 'content-type': 'text/plain' }).end('not found');
    response.writeHead(200, {
      'cache-control': 'no-cache',
      'content-length': stat.size,
      'content-type': types[extname(file)] ?? 'application/octet-stream',
      ...headers,
    });
    return request.method === 'HEAD' ? response.end() : createReadStream(file).pipe(response);
  });
  return new Promise((done, fail) => {
    server.on('error', fail);
    server.listen(port, '127.0.0.1', () => {
      done({
        url: `http://localhost:${server.address().port}/`,
        close: () => new Promise((closed) => server.close(closed)),
      });
    });
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder, port = '8080'] = process.argv.slice(2);
  if (!folder || !Number.isInteger(Number(port))) {
    console.error('usage: node scripts/lib/serve.mjs FOLDER [PORT]');
    process.exit(2);
  }
  try {
    const { url } = await serve(folder, Number(port));
    console.log(`kdequant is at ${url}  (Ctrl-C stops it)`);
  } catch (error) {
    const reason = error.code === 'EADDRINUSE' ? `port ${port} is in use; choose another with --port` : error.message;
    console.error(`error: ${reason}`);
    process.exit(1);
  }
}
