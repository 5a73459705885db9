package wordlists

import "unsafe"

// Unpacked returns what WriteTo compresses, without the magic, for the fuzzer.
func Unpacked(b *Builder) []byte { return b.pack()[len(magic):] }

// Unpack reads it.
func Unpack(body []byte) (*Lists, error) { return unpack(body) }

// Kept returns how many bytes the lists take once they are open.
func Kept(l *Lists) int { return cap(l.edges) * int(unsafe.Sizeof(edge(0))) }
