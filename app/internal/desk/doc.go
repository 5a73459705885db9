// Package desk is the use cases: everything that a screen, a command line or
// an endpoint may ask of Keydesk, one file a user. It asks the vault for what
// has to be known, lets the domain decide, records what was decided, and only
// then says so.
//
// Its methods take and return plain values, and refuse with a *Refusal, so
// that they can run on another machine than the screens. It imports domain,
// projections, and password (which knows no one else); whatever it needs of
// log, vault and couriers it declares here as small interfaces.
//
// All methods may be called concurrently, except that one visit's calls wait
// for each other. Start reading at Config, then at email.go.
package desk
