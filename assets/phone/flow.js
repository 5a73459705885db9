// One flow at a time: starting one ends the one before, with all that it waits
// for.

import * as service from './service.js';
import * as screens from './screens.js';

let current = new AbortController();

/** Begins a flow, and returns the signal of its end. */
export function begin() {
  current.abort();
  current = new AbortController();
  screens.banner('');
  return current.signal;
}

/** Runs a flow; an end that is not success goes to ended(error, signal). */
export async function run(work, ended) {
  const signal = begin();
  try {
    await work(signal);
  } catch (e) {
    if (!(e instanceof service.Left) && !signal.aborted) await ended(e, signal);
  }
}
