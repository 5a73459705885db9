// Logins that wait for this phone: asking for them, showing one, and bringing
// the person's answer. An answer is kept before it is sent, so that a page that
// is closed in the middle sends the same bytes again when it is opened.

import * as protocol from './protocol.js';
import * as screens from './screens.js';
import * as service from './service.js';
import * as store from './store.js';
import { begin, run } from './flow.js';

const at = (id) => document.getElementById(id);
const publicURL = location.origin;
const grace = 15000; // ms after the end in which an answer may still be on its way

const identity = (account) => ({ aud: publicURL, subject: account.subject, device: account.device });
const usable = (account) => account.key && account.key.privateKey && !account.revoked;


// ---- asking

/** A signal that ends with another one, or when the page is hidden. */
function whileVisible(signal) {
  const turn = new AbortController();
  const end = () => {
    turn.abort();
    signal.removeEventListener('abort', end);
    document.removeEventListener('visibilitychange', hide);
  };
  const hide = () => document.visibilityState === 'hidden' && end();
  signal.addEventListener('abort', end);
  document.addEventListener('visibilitychange', hide);
  if (signal.aborted || document.visibilityState === 'hidden') end();
  return { signal: turn.signal, end };
}

const visible = (signal) => new Promise((resolve) => {
  const seen = () => {
    if (!signal.aborted && document.visibilityState === 'hidden') return;
    document.removeEventListener('visibilitychange', seen);
    signal.removeEventListener('abort', seen);
    resolve();
  };
  document.addEventListener('visibilitychange', seen);
  signal.addEventListener('abort', seen);
  seen();
});

/** What is in the way of a question, as screens.banner knows it. */
function trouble(e) {
  if (e instanceof service.Refused) return service.passes(e.code) ? e.code : 'unavailable';
  return e instanceof TypeError || e.name === 'AbortError' ? 'offline' : 'unavailable';
}

/**
 * Asks what waits for an account, one question at a time and only while the page
 * is seen, until found(approval or null) returns true. It goes on whatever is in
 * the way, and throws only the refusal of a key that counts no more. rest is how
 * long it leaves between two answers, in ms.
 */
async function follow(account, signal, found, rest = 0) {
  let nonce = '';
  let wait = 1000;
  while (!signal.aborted) {
    await visible(signal);
    const turn = whileVisible(signal);
    const fresh = !nonce;
    let pause = rest;
    try {
      // The nonce is answered at once: with it the page knows that it is online.
      nonce = nonce || (await service.json('nonce', {}, turn.signal, screens.banner)).nonce;
      const message = await protocol.sign(account.key, 'pocket-pending+jws', { ...identity(account), nonce });
      const { approval } = await service.once('pending', 'application/jose', message, turn.signal);
      screens.banner('');
      wait = 1000;
      // Time left is counted on this phone's own clock, from now.
      if (found(approval && { ...approval, until: Date.now() + approval.seconds * 1000 })) return;
    } catch (e) {
      nonce = '';
      if (turn.signal.aborted) continue; // hidden, or left
      const code = e instanceof service.Refused ? e.code : '';
      if (code === 'revoked') throw e;
      if (code === 'wrong-nonce' && !fresh) continue; // it was kept for too long
      screens.banner(trouble(e));
      pause = wait;
      wait = Math.min(wait * 2, 30000);
    } finally {
      turn.end();
    }
    if (pause) await service.pause(pause, signal);
  }
}

/**
 * Asks for all accounts at once, and shows the first login that comes. It ends
 * with the signal. changed() is called when an account's key counts no more.
 */
export async function listen(signal, changed = () => {}) {
  const accounts = (await store.accounts()).filter(usable);
  await Promise.all(accounts.map((account) => follow(account, signal, (approval) => {
    if (!approval || signal.aborted) return false;
    show(account, approval);
    return true;
  }).catch(async () => {
    if (signal.aborted) return;
    await store.keepRevoked(account.device);
    if (!signal.aborted) changed();
  })));
}

// ---- showing one

let asked = null; // what is on the screen: account, approval

function show(account, approval, error = '') {
  const signal = begin();
  asked = { account, approval };
  at('ask-digits').value = '';
  screens.show('approve', () => screens.approval(approval, error));
  if (error) at('ask-digits').focus();
  const tick = () => {
    const left = (approval.until - Date.now()) / 1000;
    screens.timeLeft('ask-', left, approval.seconds);
    if (left <= 0) end('ask-expired', late);
  };
  const timer = setInterval(tick, 500);
  signal.addEventListener('abort', () => clearInterval(timer));
  tick();
  // Another login may take its place, or the person may have left the screen.
  follow(account, signal, (now) => {
    if (signal.aborted) return true;
    if (now && now.challenge === approval.challenge) return false;
    if (now) show(account, now);
    else if (Date.now() < approval.until) end('ask-over', late);
    return true;
  }, 5000).catch((e) => {
    if (!signal.aborted) ended(e, signal, account);
  });
}

/** Says how it ended, and goes on asking. */
function end(code, actions = ['home']) {
  const signal = begin();
  screens.problem(code, '', actions);
  listen(signal);
}

// After these the person can still say that it was not them: an account can be
// frozen when the login is over, too.
const late = ['notme', 'home'];

function said(name) {
  const signal = begin();
  screens.said(name);
  listen(signal);
}

// ---- answering

function typed(event) {
  event.preventDefault();
  const digits = at('ask-digits').value.replace(/\D/g, '');
  if (digits.length === 6) decide('approve', digits);
  else {
    screens.askError('askSix');
    at('ask-digits').focus();
  }
}

/** Keeps digits only, in two groups, while they are typed at the end. */
function groupDigits() {
  const input = at('ask-digits');
  screens.askError('');
  if (input.selectionStart !== input.value.length) return;
  const digits = input.value.replace(/\D/g, '').slice(0, 6);
  input.value = digits.length > 3 ? `${digits.slice(0, 3)} ${digits.slice(3)}` : digits;
}

function decide(answer, digits = '') {
  const { account, approval } = asked;
  run(async (signal) => {
    screens.show('busy');
    const message = await protocol.sign(account.key, 'pocket-decision+jws', {
      ...identity(account), challenge: approval.challenge, nonce: approval.nonce, digits,
      context: await protocol.context(approval), answer,
    });
    const decision = { device: account.device, approval, answer, message, made: Date.now() };
    await store.keepDecision(decision);
    await bring(account, decision, signal);
  }, (e, signal) => ended(e, signal, account, answer));
}

async function bring(account, decision, signal) {
  if (signal.aborted) throw new service.Left();
  const { approval, answer, message } = decision;
  asked = { account, approval };
  screens.show('busy');
  const { state, tries } = await service.jose('decide', message, signal, (code) => {
    // Whether it came in time nobody knows then. A freeze is asked for until it is there.
    if (code && answer !== 'not-me' && Date.now() > approval.until + grace) throw new Late();
    screens.banner(code);
  });
  await store.dropDecision();
  if (signal.aborted) return;
  if (state !== 'wrong-digits') said(state);
  else if (tries > 0 && Date.now() < approval.until) show(account, { ...approval, tries }, 'askWrong');
  else end(tries > 0 ? 'ask-expired' : 'ask-digits', late);
}

class Late extends Error {}

// Refusals of an answer, and what is said of them.
const over = { over: 'ask-over', 'wrong-nonce': 'ask-over', failed: 'ask-changed', malformed: 'ask-changed' };

async function ended(e, signal, account, answer = '') {
  const said = e instanceof service.Refused ? e.code : '';
  if (said === 'revoked') await store.keepRevoked(account.device);
  const known = said === 'revoked' || said in over || e instanceof Late;
  if (known) await store.dropDecision();
  if (signal.aborted) return; // somebody has gone elsewhere meanwhile
  if (!known) {
    const storage = e instanceof DOMException && e.name !== 'OperationError';
    screens.problem(storage ? 'storage' : 'ask-internal', e.id || '', ['again']);
  } else if (e instanceof Late) end('ask-unsure');
  // Who says that it was not them has to hear that nothing was frozen.
  else if (answer === 'not-me') end('ask-call');
  else if (said === 'revoked') end('revoked', ['scan', 'home']);
  else end(over[said], late);
}

/** Brings the answer that was under way when the page was closed, if there is one. */
export async function resume() {
  const decision = await store.decision();
  const account = decision && (await store.accounts()).find((a) => a.device === decision.device);
  // A freeze is worth asking for a day later, anything else is long over.
  const life = decision && decision.answer === 'not-me' ? 24 * 3600e3 : 10 * 60e3;
  if (!account || !usable(account) || Date.now() - decision.made > life) {
    if (decision) await store.dropDecision();
    return false;
  }
  await run((signal) => bring(account, decision, signal), (e, signal) => ended(e, signal, account, decision.answer));
  return true;
}

export const actions = {
  deny: () => decide('deny'),
  notme: () => {
    begin();
    screens.show('notme');
  },
  freeze: () => decide('not-me'),
  ask: () => {
    if (Date.now() < asked.approval.until) show(asked.account, asked.approval);
    else end('ask-expired', late);
  },
};

at('ask-form').addEventListener('submit', typed);
at('ask-digits').addEventListener('input', groupDigits);
// The phone's keys cover half of the screen: what is needed then goes above them.
at('ask-digits').addEventListener('focus', () => setTimeout(() => {
  if (document.activeElement === at('ask-digits')) at('ask-form').scrollIntoView({ block: 'start' });
}, 300));
