// Package lookup is the login service's API: JSON over HTTP, with which a portal
// asks with what factor somebody proves who they are, and follows when that
// changes; and has somebody logged in, for which it is given a signed assertion.
//
// Every answer is folded from the log. Where this program has not heard from the
// log lately, or does not understand what it says of somebody, there is no answer
// (503), and never an old one. The OpenAPI document is made from the types here,
// and served with the API. What a login asks for and records is the desk's to
// decide; what is told of it, and to whom, is said here. Passwords and codes are in
// no log, no metric and no error.
//
// The package imports desk, domain and projections, and no other adapter. Start
// reading at api.go; login.go and assertion.go are the logins.
package lookup
