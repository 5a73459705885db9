// Pocket on a phone: the way through pairing, and what it opens with. What is
// under way is kept before it is sent, so that a reload, a dead battery or a lost
// answer loses nothing: the same messages go out again, and the service gives the
// same answers.

import * as approvals from './approvals.js';
import * as install from './install.js';
import * as marks from './marks.js';
import * as protocol from './protocol.js';
import * as screens from './screens.js';
import * as service from './service.js';
import * as store from './store.js';
import { begin, run as runTo } from './flow.js';
import { NoCamera, scan } from './scan.js';

const at = (id) => document.getElementById(id);
const publicURL = location.origin;

/** Runs a flow; every end that is not success becomes a screen. */
const run = (work) => runTo(work, (e) => ended(e));

// Refusals after which the pairing can never succeed. After any other end its
// key is kept: the service may have finished what it failed to answer.
const final = ['expired', 'unknown', 'claimed-already', 'wrong-proof', 'wrong-nonce', 'wrong-digits', 'stopped', 'failed'];

async function ended(e) {
  if (!(e instanceof service.Refused)) {
    const storage = e instanceof DOMException && e.name !== 'OperationError';
    screens.problem(storage ? 'storage' : 'internal', '', ['again']);
    return;
  }
  const over = final.includes(e.code);
  if (over) await store.dropPending();
  screens.problem(e.code, e.id, over ? ['scan', 'type'] : ['again']);
}

// ---- the QR code, as opened by the phone's camera

const asked = 'pocket.asked'; // survives a reload of the question, not the tab

function takeFragment() {
  const qr = protocol.parseFragment(location.hash);
  if (location.hash) history.replaceState(null, '', location.pathname);
  if (qr) sessionStorage.setItem(asked, JSON.stringify(qr));
  return qr || JSON.parse(sessionStorage.getItem(asked) || 'null');
}

async function ask(qr) {
  begin();
  const model = await phoneModel();
  screens.show('ask', () => {
    const label = protocol.deviceLabel(navigator.userAgent, model, screens.currentLanguage());
    at('label').textContent = screens.say('askLabel', { label });
  });
  actions.pair = () => run((signal) => claim(qr.pairing, qr.secret, signal));
}

async function phoneModel() {
  try {
    return (await navigator.userAgentData.getHighEntropyValues(['model'])).model || '';
  } catch {
    return '';
  }
}

// ---- the pairing

async function claim(pairing, shown, signal) {
  screens.show('busy');
  let pending = await store.pending();
  if (!pending || pending.pairing !== pairing) {
    const key = await protocol.newKey();
    const label = protocol.deviceLabel(navigator.userAgent, await phoneModel(), screens.currentLanguage());
    const message = await protocol.sign(key, 'pocket-claim+jws', {
      aud: publicURL, pairing, label, proof: await protocol.claimProof(shown, pairing, key.thumbprint),
    });
    pending = { pairing, key, label, message, made: Date.now() };
    await store.keepPending(pending);
  }
  sessionStorage.removeItem(asked);
  await follow(pending, signal);
}

/** The pairing under way; one that nobody has come back to for an hour is not. */
async function underWay() {
  const pending = await store.pending();
  if (!pending || Date.now() - pending.made < 3600e3) return pending;
  await store.dropPending();
  return undefined;
}

/** From wherever the pairing is to its end. */
async function follow(pending, signal) {
  screens.show('busy');
  if (!pending.nonce) {
    const claimed = await service.jose('claim', pending.message, signal, screens.banner);
    // Time left is counted on this phone's own clock, from now.
    Object.assign(pending, { nonce: claimed.nonce, whole: claimed.seconds, until: Date.now() + claimed.seconds * 1000 });
    await store.keepPending(pending);
  }
  const code = await protocol.digits(pending.pairing, pending.key.thumbprint, pending.nonce);
  screens.show('digits', () => screens.digits(code));
  const stop = countDown(pending, signal);
  try {
    await confirmed(pending, signal);
  } finally {
    stop();
  }
  await finish(pending, signal);
}

function countDown(pending, signal) {
  const tick = () => screens.timeLeft('', (pending.until - Date.now()) / 1000, pending.whole);
  const timer = setInterval(tick, 500);
  tick();
  const awake = stayAwake(signal);
  return () => {
    clearInterval(timer);
    awake.then((lock) => lock && lock.release());
  };
}

/** Keeps the digits on the screen, where the browser can. */
async function stayAwake(signal) {
  try {
    return signal.aborted ? null : await navigator.wakeLock.request('screen');
  } catch {
    return null;
  }
}

async function confirmed(pending, signal) {
  for (;;) {
    const message = await protocol.sign(pending.key, 'pocket-status+jws', { aud: publicURL, pairing: pending.pairing });
    const { state, reason } = await service.jose('status', message, signal, (code) => {
      // Nothing can have come of it, unless this phone tried to finish before.
      if (code && !pending.finishing && Date.now() > pending.until + 15000) throw new service.Refused('expired');
      screens.banner(code);
    });
    if (state === 'failed') throw new service.Refused(reason || 'failed');
    if (state !== 'claimed') return;
  }
}

async function finish(pending, signal) {
  pending.finishing = true;
  await store.keepPending(pending);
  const message = await protocol.sign(pending.key, 'pocket-finish+jws', {
    aud: publicURL, pairing: pending.pairing, nonce: pending.nonce,
  });
  const account = await service.jose('finish', message, signal, screens.banner);
  const { key, label } = pending;
  await store.keepAccount({ ...account, key, label, paired: Date.now() });
  marks.gone(await store.accounts());
  // Asks the browser not to evict the key when space gets tight.
  if (navigator.storage && navigator.storage.persist) navigator.storage.persist().catch(() => {});
  screens.show('done', () => screens.rows(at('done-account'), [
    [screens.say('donePortal'), account.portal],
    [screens.say('doneOrganisation'), account.organisation],
    [screens.say('doneDevice'), label],
  ]));
  at('done-keep').hidden = install.standalone();
  approvals.listen(signal); // whoever has just paired may log in at once
}

// ---- Pocket opened by itself: accounts, scanner, typed code

async function home() {
  const signal = begin();
  const list = await store.accounts();
  if (signal.aborted) return;
  const gone = marks.gone(list);
  if (list.length + gone.length === 0 && install.neededFirst()) {
    await installFirst();
    return;
  }
  screens.show('home', () => screens.accounts(list.filter((a) => !gone.some((g) => g.device === a.device)), gone));
  approvals.listen(signal, () => home().catch(ended));
}

/** Takes a card away that says that a key is gone or counts no more. */
async function forget(button) {
  marks.forget(button.dataset.device);
  await store.dropAccount(button.dataset.device);
  await home();
}

/** On iOS: asks to be put on the home screen, where the key will be kept. */
async function installFirst() {
  begin();
  screens.show('install');
  at('install-here').hidden = !await install.promised();
}

function startScan() {
  if (install.neededFirst()) {
    installFirst();
    return;
  }
  run(async (signal) => {
    let hint = 'scanHint';
    const draw = () => { at('scan-hint').textContent = screens.say(hint); };
    screens.show('scan', draw);
    let qr = null;
    try {
      await scan(at('video'), signal, (content) => {
        qr = protocol.parseQR(content);
        const usable = qr && qr.publicURL === publicURL;
        const next = usable ? 'scanHint' : qr ? 'scanElsewhere' : 'scanOther';
        if (next !== hint) {
          hint = next;
          draw();
        }
        return usable;
      });
    } catch (e) {
      if (!(e instanceof NoCamera)) throw e;
      startType({ none: 'cameraNone', refused: 'cameraRefused', taken: 'cameraTaken' }[e.why]);
      return;
    }
    if (!signal.aborted && qr) await claim(qr.pairing, qr.secret, signal);
  });
}

function startType(error = '') {
  if (install.neededFirst()) {
    installFirst();
    return;
  }
  begin();
  screens.show('type', () => {
    at('code-error').hidden = !error;
    at('code-error').textContent = error && screens.say(error);
    at('code').setAttribute('aria-invalid', String(error === 'typeWrong' || error === 'typeUnknown'));
  });
  at('code').focus();
}

function submitCode(event) {
  event.preventDefault();
  const code = protocol.normaliseCode(at('code').value);
  if (!code) {
    startType('typeWrong');
    return;
  }
  run(async (signal) => {
    screens.show('busy');
    let found;
    try {
      found = await service.json('find', { locator: await protocol.locator(code) }, signal, screens.banner);
    } catch (e) {
      if (!(e instanceof service.Refused) || !['unknown', 'expired'].includes(e.code)) throw e;
      startType('typeUnknown');
      return;
    }
    at('code').value = '';
    await claim(found.pairing, code, signal);
  });
}

/** Groups the code while it is typed at its end; elsewhere it stays as it is. */
function groupCode() {
  const input = at('code');
  if (input.selectionStart !== input.value.length) return;
  const plain = input.value.toUpperCase().replace(/[^0-9A-Z]/g, '');
  if (plain.length <= 12) input.value = protocol.formatCode(plain);
}

// ---- start

const actions = {
  scan: startScan,
  type: () => startType(),
  home: () => home().catch(ended),
  again: () => start(),
  forget: (button) => forget(button).catch(ended),
  here: () => {
    install.goOnHere();
    start();
  },
  install: () => install.ask().catch(() => {}),
  ...approvals.actions,
};

/** Opens at the question, at what is under way, or at the accounts. */
async function start() {
  // A page that is not secure gets neither keys nor, on some browsers, storage.
  if (!self.isSecureContext || !crypto.subtle) {
    history.replaceState(null, '', location.pathname);
    screens.problem('insecure', '', []);
    return;
  }
  try {
    const qr = takeFragment();
    const pending = await underWay();
    if (pending && (!qr || qr.pairing === pending.pairing)) await run((signal) => follow(pending, signal));
    else if (qr && install.neededFirst()) await installFirst();
    else if (qr) await ask(qr);
    else if (!await approvals.resume()) await home();
  } catch (e) {
    await ended(e);
  }
}

document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-act]');
  if (button && actions[button.dataset.act]) actions[button.dataset.act](button);
});
at('type-form').addEventListener('submit', submitCode);
at('code').addEventListener('input', groupCode);
addEventListener('hashchange', () => { if (location.hash) start(); });
install.offer((can) => { for (const b of document.querySelectorAll('[data-act=install]')) b.hidden = !can; });
start();
install.keepShell(() => document.documentElement.dataset.shown === 'home');
