// Package proof is what somebody needs who does not trust us: how an event
// becomes a leaf, what a checkpoint says and whose signatures it has, and
// whether a bundle of events leads to it. It needs no log, no vault and no
// settings, and imports the standard library and golang.org/x/mod/sumdb only,
// so that it can be read in one sitting and written again in another language.
//
// Start reading at Leaf, then Checkpoint; then Verify, with Line and growing beside
// it. How a zip is taken apart that comes from a stranger is in zip.go and files.go, and
// proves nothing: zip.go says which zips are refused that two programs may read in two
// ways. The tree is that of RFC 6962: a leaf's hash is SHA-256(0x00 ‖ leaf), a node's
// SHA-256(0x01 ‖ left ‖ right).
package proof
