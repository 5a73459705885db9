// Package domain holds the words that all of Keydesk shares: who somebody is
// (SubjectID, Actor), when and by whom an act was done (Stamp), what a log
// stores and gives back (Message, Recorded), where personal data can be found
// (Ref) and the sentinel errors.
//
// It is pure: no clock, no randomness, no I/O. It imports the pure part of the
// standard library and nothing else. Start reading at Stamp, then at Recorded.
package domain
