// Package feed brings what the log holds to the projections: it catches up,
// follows, starts again when the log fails, says how far it is and for how
// long it may have been behind, and lets those who just appended something wait
// until every projection has it.
//
// The log and the clock come in from outside; of the standard library's time it
// uses timers only, to wait. It imports domain, the standard library and
// projections/internal/fold. Start reading at Feed.
package feed
