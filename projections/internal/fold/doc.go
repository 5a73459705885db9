// Package fold holds what the folds over all people share: a Table with one
// row a person, the Factor that follows from somebody's events, a scanner for
// the few fields that a fold reads of an event, and the frame of a snapshot.
//
// It imports domain, domain/enrolment and the pure standard library. Start
// reading at Table, then at Factor.
package fold
