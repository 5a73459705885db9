// Package demo makes up the history of an organisation whose staff enrol and log in:
// names, mistakes, lost messages, stuck people, switches, recoveries, leavers. The
// same seed gives the same history, to the byte. It is for demos, screenshots,
// benchmarks and audits.
//
// It is a package of its own because it is neither a use case nor an adapter: what
// happens is decided by the domain's own deciders, as in desk, but by nobody who is
// there, at times that are long ago, thousands a second. It reads no clock and no
// randomness, and knows the domain alone; log and vault reach it through House.
//
// Everybody is a little program of episodes (a visit to a kiosk, a login, a lost
// phone), which world runs in the order of time. Start reading at Write, then
// world.go (time, kiosks, what is given out), visit.go (one person at one kiosk),
// lives.go (who will do what, and when), stations.go (the kiosks, and their days).
package demo
