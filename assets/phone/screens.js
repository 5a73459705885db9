// What is seen: one screen at a time, in one language at a time. Screens are
// sections of index.html; a language change fills them in again and loses
// nothing.

import { texts } from './texts.js';

const root = document.documentElement;
const at = (id) => document.getElementById(id);
const languages = root.dataset.languages.split(' ').filter((l) => texts[l]);
const steps = { ask: 0, busy: 0, digits: 1 }; // the last screen has the whole key

let language = chooseLanguage();
let current = '';
let redraw = () => {};

function chooseLanguage() {
  let kept = '';
  try {
    kept = localStorage.getItem('language');
  } catch { /* storage is off: nothing kept */ }
  const wanted = [kept, ...(navigator.languages || [navigator.language]).map((l) => l.slice(0, 2))];
  return wanted.find((l) => languages.includes(l)) || languages[0] || 'nl';
}

export const currentLanguage = () => language;

/** A text with its {names} filled in; portal, pocket and support always are. */
export function say(key, values = {}) {
  return fill(texts[language][key], values);
}

function fill(text, values = {}) {
  const all = { portal: root.dataset.portal, pocket: root.dataset.pocket, support: root.dataset.support, ...values };
  const filled = text.replace(/\{(\w+)\}/g, (_, name) => all[name] ?? '');
  return filled.replace(/(QR|[Ss]ms)-(?=code)/g, '$1-\u2060'); // one word: no line break behind the hyphen
}

function drawTexts() {
  root.lang = language;
  for (const e of document.querySelectorAll('[data-t]')) e.textContent = say(e.dataset.t);
  at('languages').setAttribute('aria-label', say('language'));
  for (const b of at('languages').children) b.setAttribute('aria-pressed', String(b.lang === language));
  at('help').hidden = !root.dataset.support;
  at('help').textContent = say('help');
  redraw();
  drawTitle();
}

function drawTitle() {
  const h = document.querySelector(`[data-screen="${current}"] h1`);
  document.title = h ? `${h.textContent} – ${root.dataset.pocket}` : root.dataset.pocket;
}

function drawLanguages() {
  const group = at('languages');
  group.hidden = languages.length < 2;
  for (const l of languages) {
    const b = document.createElement('button');
    b.type = 'button';
    b.lang = l;
    b.textContent = l.toUpperCase();
    b.addEventListener('click', () => {
      language = l;
      try {
        localStorage.setItem('language', l);
      } catch { /* storage is off: the choice lasts as long as the page */ }
      drawTexts();
    });
    group.append(b);
  }
}

/** Shows a screen. draw fills in what depends on data, again in each language. */
export function show(name, draw = () => {}) {
  const changed = current !== name;
  current = name;
  redraw = draw;
  drawTexts();
  for (const s of document.querySelectorAll('[data-screen]')) s.hidden = s.dataset.screen !== name;
  drawRail(name);
  if (!changed) return;
  const h = document.querySelector(`[data-screen="${name}"] h1`);
  if (name !== 'approve') at('news').textContent = '';
  scrollTo(0, 0);
  h.focus({ preventScroll: true });
  root.dataset.shown = name;
}

function drawRail(name) {
  const rail = at('rail');
  rail.hidden = !(name in steps);
  [...rail.children].forEach((li, i) => {
    const done = i < steps[name];
    li.className = done ? 'past' : i === steps[name] ? 'now' : '';
    li.firstElementChild.textContent = done ? '✓' : String(i + 1);
    if (i === steps[name]) li.setAttribute('aria-current', 'step');
    else li.removeAttribute('aria-current');
  });
}

/** A line at the top for what passes by itself; '' takes it away. */
export function banner(code) {
  const b = at('banner');
  b.hidden = !code;
  b.textContent = code ? say({ 'too-many': 'busy' }[code] || code) : '';
}

/** Says what went wrong and what to do next. actions: again, scan, type, notme, home. */
export function problem(code, id, actions) {
  show('problem', () => {
    const known = texts[language].problems;
    const [title, text, next] = known[code] || known.internal;
    at('problem-title').textContent = fill(title, {});
    at('problem-text').textContent = fill(text, {});
    at('problem-next').textContent = fill(next, {});
    call('problem-call', code === 'ask-call');
    at('problem-code').textContent = id && say('helpCode', { id });
    for (const a of ['again', 'scan', 'type', 'notme', 'home']) at('problem-' + a).hidden = !actions.includes(a);
  });
  root.dataset.problem = code;
}

/** The six digits, in two groups of three. */
export function digits(code) {
  const box = at('digits');
  box.replaceChildren(...[...code].map((d) => {
    const b = document.createElement('b');
    b.textContent = d;
    return b;
  }));
  box.setAttribute('aria-label', say('digitsSpoken', { digits: [...code].join(' ') }));
}

/** Time left, in seconds of a whole; prefix says on which screen. */
export function timeLeft(prefix, seconds, whole) {
  const s = Math.max(0, Math.ceil(seconds));
  at(prefix + 'left').textContent = `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`;
  at(prefix + 'left-bar').max = whole;
  at(prefix + 'left-bar').value = Math.max(0, seconds);
}

/** Rows of a name and a value. */
export function rows(list, pairs) {
  list.replaceChildren(...pairs.filter(([, value]) => value).map(([name, value]) => {
    const row = document.createElement('div');
    const dt = document.createElement('dt');
    const dd = document.createElement('dd');
    dt.textContent = name;
    dd.textContent = value;
    row.append(dt, dd);
    return row;
  }));
}

/** The accounts of this phone, and those whose key is gone. */
export function accounts(list, gone) {
  at('no-accounts').hidden = list.length + gone.length > 0;
  at('listening').hidden = !list.some((a) => !a.revoked);
  at('accounts').replaceChildren(
    ...list.map((a) => card(a, a.revoked ? 'homeRevoked' : '')),
    ...gone.map((a) => card(a, 'homeGone')),
  );
}

function card(account, wrong) {
  const date = new Intl.DateTimeFormat(language, { dateStyle: 'long' }).format(account.paired);
  const all = document.createElement('article');
  all.className = wrong ? 'card account wrong' : 'card account';
  const add = (tag, text) => {
    const e = document.createElement(tag);
    e.textContent = text;
    if (text) all.append(e);
    return e;
  };
  add('h2', account.portal);
  add('p', account.organisation);
  add('small', account.label || '');
  add('small', say('since', { date }));
  if (!wrong) return all;
  add('p', say(wrong)).className = 'why';
  const button = add('button', say('forget'));
  button.type = 'button';
  button.className = 'small';
  button.dataset.act = 'forget';
  button.dataset.device = account.device;
  return all;
}

/** A login that asks for this phone. error is a text's key. */
export function approval(a, error) {
  const time = new Intl.DateTimeFormat(language, { timeStyle: 'short' }).format(a.asked * 1000);
  at('ask-title').textContent = say(a.change ? 'askChange' : 'askLogin');
  rows(at('ask-rows'), [
    [say('askPortal'), a.portal],
    [say('askOrganisation'), a.organisation],
    [say('askClient'), say(a.station ? 'askStation' : 'askProgram', { client: a.client })],
    [say('askFrom'), a.from],
    [say('askTime'), time],
  ]);
  askError(error, a.tries);
  at('news').textContent = `${at('ask-title').textContent} ${a.portal}`;
}

/** Whom to call, where that is what to do next. */
function call(id, now) {
  at(id).hidden = !now || !root.dataset.support;
  rows(at(id), [[say('helpdesk'), root.dataset.support]]);
}

/** What is wrong with the typed digits; '' is nothing. */
export function askError(error, tries = 0) {
  at('ask-error').hidden = !error;
  const one = error === 'askWrong' && tries === 1 ? 'askWrongLast' : error;
  at('ask-error').textContent = error && say(one, { tries });
  at('ask-digits').setAttribute('aria-invalid', String(Boolean(error)));
}

/** What came of an answer: approved, denied or frozen. */
export function said(state) {
  if (state === 'approved') {
    show('approved');
    return;
  }
  show('said', () => {
    const [title, text, next] = texts[language].said[state] || texts[language].said.denied;
    at('said-title').textContent = fill(title);
    at('said-text').textContent = fill(text);
    at('said-next').textContent = fill(next);
    call('said-call', state === 'frozen');
  });
  root.dataset.said = state;
}

drawLanguages();
