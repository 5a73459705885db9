// Package enrolment is one person's way from nothing to a working second
// factor, and all that happens to it later: the events, the state folded from
// them, the commands, and the decisions.
//
// Everything here is pure. Time, randomness and identity come in with the
// stamp and the command; what a command needs from the vault (does the code
// match?) is found out before and comes in as a plain value. Decide says what
// happened, Evolve what that means.
//
// It imports domain, domain/pairing, the pure standard library and phonenumbers. Start
// reading at events.go, then state.go, then decide.go.
package enrolment
