// Package esdbtest is an EventStoreDB server for tests: the real protocol over
// real connections, with TLS, users and rights, kept in memory, and able to go
// wrong in the ways that servers and networks do.
//
// It keeps the semantics of a 24.10 server as far as Keydesk relies on them:
// exact expectations and idempotent appends, reads from positions,
// subscriptions behind them, filters with checkpoints, stream metadata, soft
// deletes and tombstones, access control lists, gossip and leaders. What it does
// not do: projections, persistent subscriptions, links, batch appends. In one
// thing it is stricter: a follower refuses what has to be written, as if every
// caller had asked for the leader, where a real one passes it on.
//
// It is for tests only. Start reading at Start, then at log.go; faults.go is
// what can be broken.
package esdbtest
