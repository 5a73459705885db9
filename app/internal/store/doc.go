// Package store keeps the log: what was appended, durable and in one order.
//
// The embedded log is one SQLite file that any number of processes on one
// machine may have open at once. Start reading at OpenSQLite, then writer.go
// (how appends are grouped into one commit) and scan.go (how the log is read).
// schema.go says how the file is laid out, for whoever opens it with a tool of
// their own.
//
// The shared log is an EventStoreDB or KurrentDB server, or a cluster of them.
// Start reading at OpenESDB, then esdb_session.go (how its client is kept from
// hanging and from dying), esdb_append.go and esdb_read.go. The tests whose
// names begin with TestTrap show what each precaution is for.
//
// Every implementation passes the suite in storetest. The package imports
// domain, and nothing else of Keydesk.
package store
