// Requests to the service, and what to do when it cannot be reached.

/** The service said no, with a closed code. */
export class Refused extends Error {
  constructor(code, id) {
    super(code);
    this.code = code;
    this.id = id || '';
  }
}

/** The flow that asked has been left. */
export class Left extends Error {}

const passing = ['unavailable', 'busy', 'too-many'];

/** Whether a refusal will pass by itself. */
export const passes = (code) => passing.includes(code);

/** Posts once. It throws a Refused, or what the network failed with. */
export async function once(path, type, body, signal) {
  const limit = new AbortController();
  const stop = () => limit.abort();
  const timer = setTimeout(stop, 45000);
  signal.addEventListener('abort', stop);
  try {
    const response = await fetch('v1/' + path, {
      method: 'POST', body, signal: limit.signal, headers: { 'Content-Type': type },
      cache: 'no-store', credentials: 'omit', redirect: 'error',
    });
    const answer = await response.json();
    if (!response.ok) throw new Refused(answer.error || 'internal', answer.id);
    return answer;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

/** Waits, but no longer than until there is a network or the page is seen again. */
export const pause = (ms, signal) => new Promise((resolve) => {
  const done = () => {
    clearTimeout(timer);
    removeEventListener('online', done);
    document.removeEventListener('visibilitychange', seen);
    signal.removeEventListener('abort', done);
    resolve();
  };
  const seen = () => document.visibilityState === 'visible' && done();
  const timer = setTimeout(done, ms);
  addEventListener('online', done);
  document.addEventListener('visibilitychange', seen);
  signal.addEventListener('abort', done);
});

/**
 * Posts until there is an answer or a refusal that will not pass by itself.
 * The bytes stay the same, so that nothing happens twice. trouble(code) says
 * what is in the way ('offline', 'busy' …), and '' when it is over.
 */
export async function post(path, type, body, signal, trouble) {
  for (let wait = 1000; ; wait = Math.min(wait * 2, 8000)) {
    if (signal.aborted) throw new Left();
    try {
      const answer = await once(path, type, body, signal);
      if (signal.aborted) throw new Left();
      trouble('');
      return answer;
    } catch (e) {
      if (signal.aborted) throw new Left();
      if (e instanceof Refused && !passes(e.code)) {
        trouble('');
        throw e;
      }
      trouble(e instanceof Refused ? e.code : 'offline');
    }
    await pause(wait, signal);
  }
}

export const jose = (path, message, signal, trouble) => post(path, 'application/jose', message, signal, trouble);
export const json = (path, value, signal, trouble) =>
  post(path, 'application/json', JSON.stringify(value), signal, trouble);
