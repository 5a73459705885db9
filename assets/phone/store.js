// What the phone keeps, in IndexedDB: the accounts it is paired with, and the
// pairing or the decision under way, so that a reload in the middle loses
// nothing. Private keys
// are stored as keys that cannot be read out, not as bytes.

const opened = () => new Promise((resolve, reject) => {
  const request = indexedDB.open('pocket', 2);
  request.onupgradeneeded = ({ oldVersion }) => {
    if (oldVersion < 1) {
      request.result.createObjectStore('accounts', { keyPath: 'device' });
      request.result.createObjectStore('pending');
    }
    request.result.createObjectStore('decisions');
  };
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

// Opened for each use: a browser may close an idle database behind our back.
async function within(stores, mode, work) {
  const db = await opened();
  try {
    return await new Promise((resolve, reject) => {
      const tx = db.transaction(stores, mode, mode === 'readwrite' ? { durability: 'strict' } : undefined);
      const request = work(tx);
      tx.oncomplete = () => resolve(request && request.result);
      tx.onerror = () => reject(tx.error);
      tx.onabort = () => reject(tx.error);
    });
  } finally {
    db.close();
  }
}

export const accounts = () => within(['accounts'], 'readonly', (tx) => tx.objectStore('accounts').getAll());
export const pending = () => within(['pending'], 'readonly', (tx) => tx.objectStore('pending').get('current'));

/** Keeps the pairing under way; there is one at a time. */
export const keepPending = (p) => within(['pending'], 'readwrite', (tx) => {
  tx.objectStore('pending').put(p, 'current');
});

export const dropPending = () => within(['pending'], 'readwrite', (tx) => {
  tx.objectStore('pending').delete('current');
});

/**
 * The pairing under way becomes an account: both or neither. The person's earlier
 * phones count no more, so an earlier account of theirs goes.
 */
export const keepAccount = (account) => within(['accounts', 'pending'], 'readwrite', (tx) => {
  const accounts = tx.objectStore('accounts');
  accounts.openCursor().onsuccess = ({ target: { result: cursor } }) => {
    if (!cursor) return;
    if (cursor.value.subject === account.subject && cursor.key !== account.device) cursor.delete();
    cursor.continue();
  };
  accounts.put(account);
  tx.objectStore('pending').delete('current');
});

/** Marks an account whose key the service takes no more. */
export const keepRevoked = (device) => within(['accounts'], 'readwrite', (tx) => {
  const accounts = tx.objectStore('accounts');
  accounts.get(device).onsuccess = ({ target: { result: account } }) => {
    if (account) accounts.put({ ...account, revoked: true });
  };
});

export const dropAccount = (device) => within(['accounts'], 'readwrite', (tx) => {
  tx.objectStore('accounts').delete(device);
});

/** The answer to a login that is under way; there is one at a time. */
export const decision = () => within(['decisions'], 'readonly', (tx) => tx.objectStore('decisions').get('current'));

export const keepDecision = (d) => within(['decisions'], 'readwrite', (tx) => {
  tx.objectStore('decisions').put(d, 'current');
});

export const dropDecision = () => within(['decisions'], 'readwrite', (tx) => {
  tx.objectStore('decisions').delete('current');
});
