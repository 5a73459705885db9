-- The vault, version 1. Everything that tells something about a person is
-- sealed or a keyed hash; what is in the clear are random ids, kinds, states
-- and times (milliseconds since 1970, UTC).

-- The index secret, wrapped by the master key key_id.
CREATE TABLE meta (
  name   TEXT PRIMARY KEY,
  key_id TEXT NOT NULL,
  sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- One key a person. Rows are only added at the end and never removed: erasing
-- overwrites wrapped with zeros in place, so that SQLite never moves a wrapped
-- key about and no copy of one is left behind in a page's free space.
CREATE TABLE person (
  id      INTEGER PRIMARY KEY,
  subject BLOB NOT NULL UNIQUE CHECK (length(subject) = 16),
  erased  INTEGER NOT NULL CHECK (erased IN (0, 1)),
  key_id  TEXT NOT NULL,
  wrapped BLOB NOT NULL
) STRICT;

CREATE TABLE value (
  id      INTEGER PRIMARY KEY,
  ref     BLOB NOT NULL UNIQUE CHECK (length(ref) = 16),
  subject BLOB NOT NULL,
  kind    TEXT NOT NULL,
  version INTEGER NOT NULL,
  active  INTEGER NOT NULL CHECK (active IN (0, 1)),
  created INTEGER NOT NULL,
  sealed  BLOB NOT NULL,
  salt    BLOB NOT NULL,
  UNIQUE (subject, kind, version)
) STRICT;
CREATE INDEX value_pending ON value (created) WHERE active = 0;

-- Which e-mail address, by its keyed hash, is whose.
CREATE TABLE claim (
  id      INTEGER PRIMARY KEY,
  hash    BLOB NOT NULL UNIQUE,
  subject BLOB NOT NULL,
  mac     BLOB NOT NULL
) STRICT;
CREATE INDEX claim_subject ON claim (subject);

-- What was counted, and until when it has to be kept.
CREATE TABLE taken (
  id      INTEGER PRIMARY KEY,
  counter BLOB NOT NULL,
  at      INTEGER NOT NULL,
  until   INTEGER NOT NULL
) STRICT;
CREATE INDEX taken_counter ON taken (counter, at);
CREATE INDEX taken_until ON taken (until);

-- Which messages were started, so that none is started twice.
CREATE TABLE started (
  id      INTEGER PRIMARY KEY,
  message BLOB NOT NULL UNIQUE,
  at      INTEGER NOT NULL
) STRICT;
CREATE INDEX started_at ON started (at);

-- The last messages of each channel, and whether somebody answered to them.
CREATE TABLE outcome (
  id       INTEGER PRIMARY KEY,
  channel  TEXT NOT NULL,
  message  BLOB NOT NULL UNIQUE,
  at       INTEGER NOT NULL, -- Unix milliseconds
  verified INTEGER NOT NULL CHECK (verified IN (0, 1))
) STRICT;
CREATE INDEX outcome_channel ON outcome (channel, id);
