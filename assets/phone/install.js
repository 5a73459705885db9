// Pocket as an app: the shell is kept by a service worker, and the page can be
// put on the home screen. On iOS it has to be, before it gets a key.

let prompt = null; // the browser's own question whether to install, where it has one

// What may become a script, beside the page's own files, is this one name.
const scripts = self.trustedTypes
  ? self.trustedTypes.createPolicy('pocket', {
    createScriptURL(url) {
      if (url !== 'sw.js') throw new TypeError('not a script of this page');
      return url;
    },
  })
  : { createScriptURL: (url) => url };

/**
 * Keeps the shell. When the service has a new one the page starts anew, as soon
 * as idle() says that nothing is lost by it.
 */
export async function keepShell(idle) {
  if (!navigator.serviceWorker) return;
  let replaced = Boolean(navigator.serviceWorker.controller);
  navigator.serviceWorker.addEventListener('controllerchange', () => {
    if (replaced && idle()) location.reload();
    replaced = true;
  });
  try {
    const kept = await navigator.serviceWorker.register(scripts.createScriptURL('sw.js'), { scope: './', updateViaCache: 'none' });
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') kept.update().catch(() => {});
    });
  } catch { /* the browser keeps none: the page needs a network then */ }
}

export const standalone = () => navigator.standalone === true || matchMedia('(display-mode: standalone)').matches;

// An iPad says that it is a Mac, which has no touch screen.
const iOS = () => /iPhone|iPad|iPod/.test(navigator.userAgent) ||
  (/Macintosh/.test(navigator.userAgent) && navigator.maxTouchPoints > 1);

const here = 'pocket.here'; // the person goes on in the browser

/**
 * Whether the page has to be an app before it may get a key: iOS gives an app a
 * storage of its own, and throws a page's away that was not opened for a week.
 */
export const neededFirst = () => iOS() && !standalone() && !sessionStorage.getItem(here);

/** Whether the browser has promised not to throw the storage away. */
export async function promised() {
  try {
    return await navigator.storage.persisted() || await navigator.storage.persist();
  } catch {
    return false;
  }
}

/** Goes on in the browser, as far as this tab lives. */
export const goOnHere = () => sessionStorage.setItem(here, '1');

/** Calls changed(whether it can be asked) whenever that changes. */
export function offer(changed) {
  addEventListener('beforeinstallprompt', (event) => {
    event.preventDefault();
    prompt = event;
    changed(true);
  });
  addEventListener('appinstalled', () => {
    prompt = null;
    changed(false);
  });
}

export async function ask() {
  if (!prompt) return;
  const asked = prompt;
  prompt = null;
  await asked.prompt();
}

export const canAsk = () => prompt !== null;
