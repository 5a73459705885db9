// Package pgtest starts PostgreSQL servers for tests: initdb in a temporary
// folder, a Unix socket, no network unless asked for, and fsync as in real life.
// One server serves all tests of a program (Shared), each with a schema or a
// database of its own; a test that kills its server starts one for itself (Start).
//
// A server never outlives the test program. A watcher, a small shell, holds the
// other end of a pipe: when the program ends, however it ends, the pipe closes,
// and the watcher stops the server and removes its folder.
//
// It is a package of its own so that tests of other packages can use it. It
// imports nothing of the house. Start reading at Shared.
package pgtest
