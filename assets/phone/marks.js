// A mark of each account, apart from its key: if the browser has thrown the key
// away, the page can say that there was one. Nothing of it is secret.

const name = 'pocket.accounts';

function read() {
  try {
    const list = JSON.parse(localStorage.getItem(name) || '[]');
    return Array.isArray(list) ? list.filter((m) => m && m.device) : [];
  } catch {
    return []; // storage is off, or somebody else wrote there
  }
}

function write(list) {
  try {
    localStorage.setItem(name, JSON.stringify(list));
  } catch { /* storage is off: nothing can be told later */ }
}

/** Marks the accounts that there are, and returns those that are gone. */
export function gone(accounts) {
  const there = accounts.filter((a) => a.key && a.key.privateKey);
  const again = new Set(there.map((a) => a.subject));
  const lost = read().filter((m) => !there.some((a) => a.device === m.device) && !again.has(m.subject));
  write([...there.map(({ device, subject, portal, organisation, paired }) =>
    ({ device, subject, portal, organisation, paired })), ...lost]);
  return lost;
}

export const forget = (device) => write(read().filter((m) => m.device !== device));
