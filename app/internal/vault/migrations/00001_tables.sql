-- The vault, version 1. Everything that tells something about a person is
-- sealed or a keyed hash; what is in the clear are random ids, kinds, states
-- and times (milliseconds since 1970, UTC). States are 0 and 1, as in SQLite,
-- so that one query serves both.

-- +goose Up

-- The index secret, wrapped by the master key key_id.
CREATE TABLE meta (
  name   text PRIMARY KEY,
  key_id text NOT NULL,
  sealed bytea NOT NULL
);

-- One key a person. Rows are never removed; erasing overwrites wrapped.
CREATE TABLE person (
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  subject bytea NOT NULL UNIQUE CHECK (length(subject) = 16),
  erased  smallint NOT NULL CHECK (erased IN (0, 1)),
  key_id  text NOT NULL,
  wrapped bytea NOT NULL
);

-- What is sealed does not get shorter by compressing it.
CREATE TABLE value (
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  ref     bytea NOT NULL UNIQUE CHECK (length(ref) = 16),
  subject bytea NOT NULL,
  kind    text NOT NULL,
  version integer NOT NULL,
  active  smallint NOT NULL CHECK (active IN (0, 1)),
  created bigint NOT NULL,
  sealed  bytea NOT NULL,
  salt    bytea NOT NULL,
  UNIQUE (subject, kind, version)
);
ALTER TABLE value ALTER COLUMN sealed SET STORAGE EXTERNAL;
CREATE INDEX value_pending ON value (id) WHERE active = 0;

-- Which e-mail address, by its keyed hash, is whose.
CREATE TABLE claim (
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  hash    bytea NOT NULL UNIQUE,
  subject bytea NOT NULL,
  mac     bytea NOT NULL
);
CREATE INDEX claim_subject ON claim (subject);

-- What was counted, and until when it has to be kept.
CREATE TABLE taken (
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  counter bytea NOT NULL,
  at      bigint NOT NULL,
  until   bigint NOT NULL
);
CREATE INDEX taken_counter ON taken (counter, at);
CREATE INDEX taken_until ON taken (until);

-- Which messages were started, so that none is started twice.
CREATE TABLE started (
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  message bytea NOT NULL UNIQUE,
  at      bigint NOT NULL
);
CREATE INDEX started_at ON started (at);

-- The last messages of each channel, and whether somebody answered to them.
CREATE TABLE outcome (
  id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  channel  text NOT NULL,
  message  bytea NOT NULL UNIQUE,
  at       bigint NOT NULL,
  verified smallint NOT NULL CHECK (verified IN (0, 1))
);
CREATE INDEX outcome_channel ON outcome (channel, id);
