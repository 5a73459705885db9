// Package seal is a transparency log over the event log, the same for every kind of
// log: a Merkle tree (RFC 6962) whose leaves are the events, and signed checkpoints
// of it, which witnesses cosign. Whoever has one checkpoint can tell for ever after
// whether an event of it was changed, dropped, added or moved.
//
// The seal lives in a folder of its own, outside log and vault, and holds hashes
// and signatures only: nothing of what events say. folder.go says what its files
// are and in which order they are written. One Seal at a time adds to it.
//
// Start reading at Open and Seal.Run (sealer.go), then Verify, which compares a
// whole log with its seal. What somebody needs who does not trust us is in the
// package proof; the witness is in the package witness. The package imports domain
// and its own subpackages, and nothing else of Keydesk.
package seal
