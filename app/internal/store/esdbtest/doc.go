// Package esdbtest is an EventStoreDB server for tests: the real protocol over
// real connections, with TLS, users and rights, kept in memory, and able to go
// wrong in the ways that servers and networks do.
//
// It keeps the documented semantics as far as Keydesk relies on them: exact
// expectations and idempotent appends, positions inclusive for reads and
// exclusive for subscriptions, filters with checkpoints, stream metadata, soft
// deletes and tombstones, access control lists, gossip and leaders. What it does
// not do: projections, persistent subscriptions, links, batch appends.
//
// It is for tests only. Start reading at Start, then at log.go; faults.go is
// what can be broken.
package esdbtest
