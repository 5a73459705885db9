// Package replay is the log's state at any moment, by the folds that serve the login
// service and the helpdesk's board: who stood where, and with which factor.
//
// A moment is reached from the nearest state that is kept, in memory or by a Keeper, and
// the events from there on; a longer way leaves kept states behind. What is kept is only
// ever a shorter way: whatever does not fit this program or this log is dropped, and made
// again from the events. Nothing here can write to a log.
//
// It imports domain, domain/enrolment, the other projections and the pure standard
// library. Start reading at Replayer.
package replay
