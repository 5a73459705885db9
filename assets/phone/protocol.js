// The pairing protocol as a phone sees it, byte for byte what the service
// computes. No state, no network, no screen.

const encoder = new TextEncoder();

/** base64url without padding of bytes. */
export function base64url(bytes) {
  let binary = '';
  for (const b of new Uint8Array(bytes)) binary += String.fromCharCode(b);
  return btoa(binary).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}

/** 16 random bytes as base64url. */
export const randomID = () => base64url(crypto.getRandomValues(new Uint8Array(16)));

const joined = (...parts) => encoder.encode(parts.join('\0'));
const sha256 = (bytes) => crypto.subtle.digest('SHA-256', bytes);

/** RFC 7638 thumbprint of a P-256 key. */
export async function thumbprint({ x, y }) {
  return base64url(await sha256(encoder.encode(`{"crv":"P-256","kty":"EC","x":"${x}","y":"${y}"}`)));
}

/** Proof that this phone saw what the station shows: a QR's secret or a normalised code. */
export async function claimProof(shown, pairing, thumb) {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', encoder.encode(shown), algorithm, false, ['sign']);
  return base64url(await crypto.subtle.sign('HMAC', key, joined('pocket-claim', pairing, thumb)));
}

/** The six digits: the first 8 bytes of the hash, big-endian, modulo a million. */
export async function digits(pairing, thumb, nonce) {
  const hash = new Uint8Array(await sha256(joined('sas', pairing, thumb, nonce)));
  let rest = 0;
  for (const b of hash.subarray(0, 8)) rest = (rest * 256 + b) % 1e6;
  return String(rest).padStart(6, '0');
}

/** The hash of what an approval shows: nothing else can be approved by it. */
export async function context(a) {
  return base64url(await sha256(joined('pocket-context', a.challenge, a.portal, a.organisation, a.client, a.from,
    a.change ? 'change' : 'login', String(a.asked))));
}

/** A typed code as 12 characters of Crockford's base32, or '' if it is none. */
export function normaliseCode(typed) {
  const code = typed.toUpperCase().replace(/[\s\p{Pd}.]/gu, '').replace(/O/g, '0').replace(/[IL]/g, '1');
  return /^[0-9A-HJKMNP-TV-Z]{12}$/.test(code) ? code : '';
}

/** A code in three groups, complete or not. */
export const formatCode = (code) => (code.match(/.{1,4}/g) || []).join('-');

/** What the service finds the pairing of a code with. */
export async function locator(code) {
  return base64url((await sha256(joined('pocket-locator', code))).slice(0, 16));
}

/** Reads #1.<pairing>.<secret>; null if it is something else. */
export function parseFragment(fragment) {
  const m = /^#1\.([\w-]{22})\.([\w-]{22,64})$/.exec(fragment);
  return m && { pairing: m[1], secret: m[2] };
}

/** Reads a QR code's content; null if it is not a pairing's. */
export function parseQR(content) {
  const m = /^(https?:\/\/[^/?#@\s]+)\/p\/(#.*)$/.exec(content);
  const qr = m && parseFragment(m[2]);
  if (!qr) return null;
  let url;
  try {
    url = new URL(m[1]);
  } catch {
    return null;
  }
  const loopback = /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  if (url.origin !== m[1] || (url.protocol !== 'https:' && !loopback)) return null;
  return { publicURL: m[1], ...qr };
}

/** A new key that cannot leave this phone, with its public half. */
export async function newKey() {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify']);
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', pair.publicKey);
  const jwk = { kty, crv, x, y };
  return { privateKey: pair.privateKey, jwk, thumbprint: await thumbprint(jwk) };
}

/** A compact JWS (ES256) with the public key in its header. */
export async function sign(key, typ, payload) {
  const part = (o) => base64url(encoder.encode(JSON.stringify(o)));
  const all = { ...payload, iat: Math.floor(Date.now() / 1000), jti: randomID() };
  const input = part({ alg: 'ES256', typ, jwk: key.jwk }) + '.' + part(all);
  const algorithm = { name: 'ECDSA', hash: 'SHA-256' };
  return input + '.' + base64url(await crypto.subtle.sign(algorithm, key.privateKey, encoder.encode(input)));
}

/** A short name for this phone, from what the browser says of itself. */
export function deviceLabel(userAgent, model, language) {
  const android = language === 'en' ? 'Android phone' : 'Android-telefoon';
  if (/iPhone/.test(userAgent)) return 'iPhone';
  if (/iPad/.test(userAgent)) return 'iPad';
  if (!/Android/.test(userAgent)) {
    const system = [['Windows', /Windows/], ['Mac', /Mac OS X/], ['ChromeOS', /CrOS/], ['Linux', /Linux/]]
      .find(([, pattern]) => pattern.test(userAgent));
    return system ? `Browser (${system[0]})` : 'Browser';
  }
  if (!model) {
    // Some browsers say "K", "Mobile" or a language instead of the model.
    const m = /Android [\d.]+; ([^;)]+?)(?: Build\/[^;)]*)?[;)]/.exec(userAgent);
    model = m && !/^(K|Mobile|Tablet|[a-z]{2}[-_][a-z]{2})$/i.test(m[1]) ? m[1] : '';
  }
  const clean = [...model.replace(/[^\p{L}\p{N} .+()-]/gu, '').trim()].slice(0, 32).join('');
  return clean ? `${android} (${clean})` : android;
}
