// Package remote is desk on another machine: what a station that holds no keys
// asks a server, over TLS with a certificate on both sides. Handler is the
// server's side, Client the station's; to the screens a Client is a desk like
// any other.
//
// A use case is a POST to /station/v1/ and its name, with its Call in a header
// (see desk.Call), and answered by lines of JSON: as long as it takes, a line
// every two seconds says so, and the last one is the answer. So a station knows
// within seconds that nobody is there any more, and asks the same again under
// the same Call. A server keeps the answer to a call for two minutes: whoever
// asks again is given it, or waits for it, and nothing is done twice.
//
// Certificates come from an Authority of Keydesk's own, which follows from the
// master key: there is nothing to keep, and every server of an installation has
// the same one. rights.go says who may ask for what.
//
// The package imports desk, domain and projections, and no other adapter. Start
// reading at wire.go.
package remote
