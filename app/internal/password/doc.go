// Package password decides which passwords people may choose, and turns them
// into hashes.
//
// It is a package of its own, beside those that the design lists: domain may
// not import golang.org/x, and desk only puts steps in order, while this one
// needs Unicode tables, word lists, Argon2id and a queue, and is called on
// every keystroke as well as in a login. It imports domain (errors), assets
// (word lists), golang.org/x/crypto and golang.org/x/text; desk is what uses
// it. It logs nothing, and no error of it holds a password or a hash.
//
// Start reading at Policy.Check, then worth.go, which tells a weak password
// from a strong one; hashes begin at Hasher and PHC.
package password
