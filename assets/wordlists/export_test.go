package wordlists

// Unpacked returns what WriteTo compresses, without the magic, for the fuzzer.
func Unpacked(b *Builder) []byte { return b.pack()[len(magic):] }

// Unpack reads it.
func Unpack(body []byte) (*Lists, error) { return unpack(body) }
