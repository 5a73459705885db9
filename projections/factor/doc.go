// Package factor answers the one question of the login service: with which
// factor does this person prove who they are, right now?
//
// It is folded from the enrolment streams and means the same as
// enrolment.State.Factor, for a million people at once: about 90 bytes each,
// without a pointer for the garbage collector to follow. Whoever had an event
// that this program cannot understand is parked: their state is Unknown, their
// factor never guessed, and all others go on.
//
// It imports domain, domain/enrolment, the pure standard library and
// projections/internal/fold. Start reading at Map.
package factor
