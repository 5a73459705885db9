// Package backup keeps whole copies of an installation in a folder: each in a folder
// of its own that is named after its time, with the log, the vault and the seal
// separately, what they are (manifest.json), and the SHA-256 of every file, which
// "sha256sum -c SHA256SUMS" checks, too.
//
//	2026-11-26T231500Z/
//	  log.db         the log, an SQLite file
//	  seal/          checkpoints and hashes, where there is a seal
//	  vault.age      the vault's rows, sealed as they are, encrypted to an age key
//	  manifest.json  what this is a backup of
//	  SHA256SUMS
//
// The master key is in none of them: without it the vault in a backup stays closed.
//
// What it copies reaches it through Source, and what it does with a copy is told in
// Backup: it knows neither log nor vault, and imports domain, age and flock. Start
// reading at Make; Open is the way back.
package backup
