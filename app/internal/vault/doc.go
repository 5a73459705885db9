// Package vault keeps personal data and credentials outside the log, each value
// sealed with the key of the person it belongs to, so that an event can name it
// by reference and erasing one key makes it unreadable for good.
//
// Beside the values it keeps what has to be decided in one place for all
// stations: which e-mail address belongs to which person (Claim), how often
// something was tried (Take), and which message was already sent (StartSend).
// All of those stand under keyed hashes: no plain address, number or name is
// ever on disk.
//
// The keys form three steps. The master key (Keys) lives in a file of its own.
// It wraps one random key per person, and one index secret from which the keys
// of all hashes come. A person's key seals their values. The additional data of
// every seal names the table, the reference, the person, the kind and the
// version, so a row that is moved, swapped or edited does not open.
//
// The order of writing is: Put (pending), append the event that names the
// reference, Activate. A crash in between loses nothing, since a pending value
// can be read like any other; Collect removes the pending ones that no event
// names.
//
// It stands on an SQLite file, or on a PostgreSQL server that stations share.
// The operations are written once, over the interface database: a file has one
// writer, which takes waiting changes along in groups; on a server many write at
// once, and a change names what it decides on (tx.lock) before it reads.
//
// It may import domain, SQLite, pgx, goose, uuid and golang.org/x, and no other
// package of the house. Start reading at Vault, then at Put; the conformance
// suite is package vaulttest, and package pgtest starts PostgreSQL for tests.
package vault
