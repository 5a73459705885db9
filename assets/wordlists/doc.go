// Package wordlists holds the words and the passwords that nobody may use as
// their password: lists that other people collected (LICENSES) and a short one
// of our own, packed into one automaton of a few hundred kilobytes. It is
// exact: what is in a list is found, and nothing else is.
//
// It imports the standard library only (gen also x/text). Start reading at Open
// and List, then format.go; gen makes the lists anew.
package wordlists

// The package files that gen reads come from their registries, unpacked into
// one folder:
//
//	npm pack @zxcvbn-ts/language-common@4.1.3    → sources/language-common
//	npm pack @zxcvbn-ts/language-nl-be@3.0.2     → sources/language-nl-be
//	npm pack @zxcvbn-ts/language-en@4.1.1        → sources/language-en
//	apt-get download wdutch wamerican            → sources/debian (dpkg -x)
//
// An npm archive unpacks with tar into a folder "package": gen expects
// sources/language-common/package/src/passwords.json, and so on.
//
//go:generate go run ./gen -sources sources
