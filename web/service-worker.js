// Makes the page work without a network after the first visit, and, where the visitor has switched it on, adds the headers with
// which a browser lets threads share memory, on servers that cannot send them.
//
// Every build has a version of its own and takes all its files from that version's cache. A new version is fetched beside the one
// in use and takes over at the next visit, when no tab has the old one open: a page never sees files of two builds.
/* global self, caches, Request, Headers, __FILES__ */

const version = '__VERSION__';
const files = __FILES__;
const cacheName = `kdequant-page-${version}`;
const isolationCache = 'kdequant-isolation';
const isolationKey = 'switch';

self.addEventListener('install', (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(cacheName);
      // Past the browser's own cache, which may still hold files of the build before.
      await cache.addAll(
        ['./', ...files.filter((file) => file !== 'index.html')].map(
          (file) => new Request(file, { cache: 'no-cache' }),
        ),
      );
    })(),
  );
});

self.addEventListener('activate', (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys())
        if (name.startsWith('kdequant-page-') && name !== cacheName) await caches.delete(name);
      await self.clients.claim();
    })(),
  );
});

self.addEventListener('message', (event) => {
  const { type, on } = event.data ?? {};
  if (type !== 'isolation') return;
  event.waitUntil(
    (async () => {
      const cache = await caches.open(isolationCache);
      if (on) await cache.put(isolationKey, new Response('on'));
      else await cache.delete(isolationKey);
      event.ports[0]?.postMessage('done');
    })(),
  );
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== self.location.origin || url.pathname.endsWith('.part')) return;
  event.respondWith(answer(request));
});

async function answer(request) {
  const cache = await caches.open(cacheName);
  const key = request.mode === 'navigate' ? './' : request;
  const response = (await cache.match(key, { ignoreSearch: true })) ?? (await fetch(request));
  const isolated = await (await caches.open(isolationCache)).match(isolationKey);
  return isolated ? withIsolation(response) : response;
}

function withIsolation(response) {
  if (response.status === 0) return response;
  const headers = new Headers(response.headers);
  headers.set('Cross-Origin-Opener-Policy', 'same-origin');
  headers.set('Cross-Origin-Embedder-Policy', 'require-corp');
  headers.set('Cross-Origin-Resource-Policy', 'same-origin');
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}
