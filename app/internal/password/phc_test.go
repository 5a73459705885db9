package password_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/keydesk/keydesk/app/internal/password"
)

const (
	someSalt = "c29tZXNhbHQ"
	someHash = "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
)

func TestParsePHC(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"$argon2id$v=19$m=65536,t=3,p=1$" + someSalt + "$" + someHash,
		"$argon2id$v=19$m=65536,t=3,p=1,keyid=cDE$" + someSalt + "$" + someHash,
		"$argon2id$v=19$m=8192,t=1,p=1$" + someSalt + "$" + strings.Repeat("A", 22),
		"$argon2id$v=19$m=524288,t=10,p=4,keyid=MTIzNDU2Nzg$" + strings.Repeat("A", 86) + "$" + strings.Repeat("A", 86),
	} {
		p, err := password.ParsePHC(s)
		if err != nil || p.String() != s {
			t.Errorf("%s: got %s, %v", s, p, err)
		}
	}
	p, err := password.ParsePHC("$argon2id$v=19$m=65536,t=3,p=1,keyid=cDE$" + someSalt + "$" + someHash)
	if err != nil || p.Params != password.DefaultParams() || p.Pepper != "p1" || string(p.Salt) != "somesalt" || len(p.Hash) != 32 {
		t.Errorf("got %+v, %v", p, err)
	}
}

func TestABadHashIsRefusedBeforeItCostsAnything(t *testing.T) {
	t.Parallel()
	with := func(params string) string { return "$argon2id$v=19$" + params + "$" + someSalt + "$" + someHash }
	for name, s := range map[string]string{
		"empty":                 "",
		"another algorithm":     "$argon2i$v=19$m=65536,t=3,p=1$" + someSalt + "$" + someHash,
		"an old version":        "$argon2id$v=16$m=65536,t=3,p=1$" + someSalt + "$" + someHash,
		"no version":            "$argon2id$m=65536,t=3,p=1$" + someSalt + "$" + someHash,
		"bcrypt":                "$2y$10$abcdefghijklmnopqrstuv",
		"text before":           "x" + with("m=65536,t=3,p=1"),
		"text behind":           with("m=65536,t=3,p=1") + "$x",
		"too much memory":       with("m=524289,t=3,p=1"),
		"all the memory":        with("m=4294967295,t=3,p=1"),
		"too little memory":     with("m=8191,t=3,p=1"),
		"too many passes":       with("m=65536,t=11,p=1"),
		"no passes":             with("m=65536,t=0,p=1"),
		"too many lanes":        with("m=65536,t=3,p=5"),
		"lanes that wrap round": with("m=65536,t=3,p=257"),
		"no lanes":              with("m=65536,t=3,p=0"),
		"leading zero":          with("m=065536,t=3,p=1"),
		"a sign":                with("m=+65536,t=3,p=1"),
		"another order":         with("t=3,m=65536,p=1"),
		"an unknown parameter":  with("m=65536,t=3,p=1,data=cDE"),
		"one parameter too few": with("m=65536,t=3"),
		"an empty key id":       with("m=65536,t=3,p=1,keyid="),
		"a long key id":         with("m=65536,t=3,p=1,keyid=MTIzNDU2Nzg5"),
		"padding":               "$argon2id$v=19$m=65536,t=3,p=1$" + someSalt + "=$" + someHash,
		"a short salt":          "$argon2id$v=19$m=65536,t=3,p=1$c29tZXM$" + someHash,
		"a long salt":           "$argon2id$v=19$m=65536,t=3,p=1$" + strings.Repeat("A", 87) + "$" + someHash,
		"a short hash":          "$argon2id$v=19$m=65536,t=3,p=1$" + someSalt + "$" + strings.Repeat("A", 20),
		"a long hash":           "$argon2id$v=19$m=65536,t=3,p=1$" + someSalt + "$" + strings.Repeat("A", 87),
		"bits behind the end":   "$argon2id$v=19$m=65536,t=3,p=1$" + someSalt[:10] + "R$" + someHash,
		"a line break":          "$argon2id$v=19$m=65536,t=3,p=1$c29t\nZXNhbHQ$" + someHash,
	} {
		if p, err := password.ParsePHC(s); !errors.Is(err, password.ErrBadHash) {
			t.Errorf("%s: got %+v, %v", name, p, err)
		}
	}
}

func FuzzParsePHC(f *testing.F) {
	f.Add("$argon2id$v=19$m=65536,t=3,p=1$" + someSalt + "$" + someHash)
	f.Add("$argon2id$v=19$m=8192,t=10,p=4,keyid=cDE$" + someSalt + "$" + someHash)
	f.Add("$argon2id$v=19$m=1,t=1,p=1$$")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := password.ParsePHC(s)
		if err != nil {
			if !errors.Is(err, password.ErrBadHash) {
				t.Fatal(err)
			}
			return
		}
		if p.String() != s {
			t.Errorf("%q came back as %q", s, p.String())
		}
		if err := p.Check(); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	})
}
