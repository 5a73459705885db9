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

function fill(text, values) {
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

/** Says what went wrong and what to do next. actions: again, scan, type. */
export function problem(code, id, actions) {
  show('problem', () => {
    const known = texts[language].problems;
    const [title, text, next] = known[code] || known.internal;
    at('problem-title').textContent = fill(title, {});
    at('problem-text').textContent = fill(text, {});
    at('problem-next').textContent = fill(next, {});
    at('problem-code').textContent = id && say('helpCode', { id });
    for (const a of ['again', 'scan', 'type']) at('problem-' + a).hidden = !actions.includes(a);
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

/** Time left, in seconds of a whole. */
export function timeLeft(seconds, whole) {
  const s = Math.max(0, Math.ceil(seconds));
  at('left').textContent = `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`;
  at('left-bar').max = whole;
  at('left-bar').value = Math.max(0, seconds);
}

/** Rows of a name and a value. */
export function rows(list, pairs) {
  list.replaceChildren(...pairs.filter(([, value]) => value).flatMap(([name, value]) => {
    const dt = document.createElement('dt');
    const dd = document.createElement('dd');
    dt.textContent = name;
    dd.textContent = value;
    return [dt, dd];
  }));
}

/** The accounts of this phone. */
export function accounts(list) {
  at('no-accounts').hidden = list.length > 0;
  const date = (ms) => new Intl.DateTimeFormat(language, { dateStyle: 'long' }).format(ms);
  at('accounts').replaceChildren(...list.map((a) => {
    const card = document.createElement('article');
    card.className = 'card account';
    for (const [tag, text] of [['h2', a.portal], ['p', a.organisation], ['p', say('homeAccount')],
      ['small', say('since', { date: date(a.paired) })]]) {
      const e = document.createElement(tag);
      e.textContent = text;
      if (text) card.append(e);
    }
    return card;
  }));
}

drawLanguages();
