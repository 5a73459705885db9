// Package login is one person's logins: how often somebody may guess, which
// challenge is open, and what it takes to give a login. It knows nothing of HTTP,
// windows or messages: whoever stands on it (the API, a kiosk, a provider of OpenID
// Connect) records what it decides and gives the login only after that.
//
// A login is decided in one stream on facts of another: the enrolment, which says
// with which factor, and whether the account is frozen. So a challenge names the
// revision of the enrolment that was read, and after LoginSucceeded was recorded the
// enrolment is read again: when it has moved on, the login is not given (Stale).
//
// It is pure, and imports domain, domain/enrolment and the pure standard library.
// Start reading at events.go, then state.go.
package login
