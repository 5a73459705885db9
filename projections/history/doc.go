// Package history tells one person's story: what happened, when, by whom and
// where, for the helpdesk and the auditor. Its entries are plain values without
// personal data; screens put them in words with the messages of the area
// "history".
//
// It imports the packages of the domain and the pure standard library. Start
// reading at Of.
package history
