// Keeps the page's shell on the phone, so that Pocket opens without a network
// too. The service writes two constants above this: version, which changes with
// any of the files, and files. A version is kept whole or not at all, so that
// files of two versions never meet. The protocol below v1/ never passes here.

const prefix = 'pocket-';
const current = prefix + version;

self.addEventListener('install', (event) => event.waitUntil((async () => {
  const cache = await caches.open(current);
  await cache.addAll(files.map((f) => new Request(f, { cache: 'no-cache' })));
  await self.skipWaiting(); // app.js decides when it is a good moment to reload
})()));

self.addEventListener('activate', (event) => event.waitUntil((async () => {
  const old = (await caches.keys()).filter((k) => k.startsWith(prefix) && k !== current);
  await Promise.all(old.map((k) => caches.delete(k)));
  await self.clients.claim();
})()));

self.addEventListener('fetch', (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (event.request.method !== 'GET' || origin !== location.origin || !files.includes(pathname)) return;
  event.respondWith((async () => {
    const cache = await caches.open(current);
    return await cache.match(pathname, { ignoreVary: true }) || fetch(event.request);
  })());
});
