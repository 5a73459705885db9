// Package ledger is an index over every event of the log, for the auditor's table: what
// of an event one can filter by, in 48 bytes, and nothing of what it says.
//
// With it, a window over millions of events that a filter lets through is found in
// milliseconds, how many there are, and what can be filtered by further; only the rows of
// the window are then read from the log.
//
// It imports domain, the pure standard library and projections/internal/fold. Start
// reading at Ledger, then at Query.
package ledger
