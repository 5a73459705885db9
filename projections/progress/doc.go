// Package progress says who stands where in their enrolment, since when, and
// who is stuck: the helpdesk's board, and the figures of an enrolment day.
//
// A person's step means the same as enrolment.State.Step. It imports domain,
// domain/enrolment, the pure standard library and projections/internal/fold.
// Start reading at Board.
package progress
