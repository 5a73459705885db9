// Package audit is the window of the auditor on a desktop: the log at any moment, bundles
// of it that somebody else can verify, and the seal, with who keeps its checkpoints. It
// changes nothing; that an auditor looked is recorded by desk.
//
// It imports ui, desk, the domain, the projections and i18n, and knows no log, vault or
// network: it declares the use cases that it needs, which *desk.Auditor has, here or at a
// server. Signing in, the lock and the rail are package office's, of which this is made.
//
// Start reading at Window, then at the page that you are after; seal.go is what all of
// them say of the log.
package audit
