package proof_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	formats "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"github.com/keydesk/keydesk/app/internal/seal/proof"
)

const origin = "keydesk/0b0e6f6e-3f1d-4a57-9f0b-2f4dbb0b7a11"

func checkpoint() proof.Checkpoint {
	return proof.Checkpoint{
		Origin: origin, Size: 256, Root: leaf().Hash(), Index: [32]byte{1, 2, 3}, At: time.Date(2026, 11, 17, 8, 31, 0, 0, time.UTC),
	}
}

func key(tb testing.TB, name string, seed byte) (note.Signer, note.Verifier) {
	tb.Helper()
	skey, vkey, err := note.GenerateKey(bytes.NewReader(bytes.Repeat([]byte{seed}, ed25519.SeedSize)), name)
	if err != nil {
		tb.Fatal(err)
	}
	s, err := note.NewSigner(skey)
	if err != nil {
		tb.Fatal(err)
	}
	v, err := proof.ParseKey(vkey)
	if err != nil {
		tb.Fatal(err)
	}
	return s, v
}

// witnessKey makes a witness with the library of others, and reads its key with
// ours.
func witnessKey(tb testing.TB, name string, seed byte) (note.Signer, note.Verifier) {
	tb.Helper()
	skey, _, err := note.GenerateKey(bytes.NewReader(bytes.Repeat([]byte{seed}, ed25519.SeedSize)), name)
	if err != nil {
		tb.Fatal(err)
	}
	s, err := formats.NewSignerForCosignatureV1(skey)
	if err != nil {
		tb.Fatal(err)
	}
	public, ok := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize)).Public().(ed25519.PublicKey)
	if !ok {
		tb.Fatal("no key")
	}
	vkey, err := proof.WitnessKey(name, public)
	if err != nil {
		tb.Fatal(err)
	}
	v, err := proof.ParseKey(vkey)
	if err != nil {
		tb.Fatal(err)
	}
	return s, v
}

func sign(tb testing.TB, text string, by ...note.Signer) []byte {
	tb.Helper()
	b, err := note.Sign(&note.Note{Text: text}, by...)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func TestACheckpointIsSignedAndCosigned(t *testing.T) {
	t.Parallel()
	log, logKey := key(t, origin, 1)
	auditor, auditorKey := witnessKey(t, "auditor.example", 2)
	stranger, _ := witnessKey(t, "stranger.example", 3)
	signed := sign(t, checkpoint().Text(), log, auditor, stranger)
	before := time.Now().Add(-time.Minute)
	c, err := proof.OpenCheckpoint(signed, logKey, auditorKey, auditorKey)
	if err != nil {
		t.Fatal(err)
	}
	want := checkpoint()
	if c.Text() != want.Text() || c.Root != want.Root || c.Size != want.Size || !c.At.Equal(want.At) || !bytes.Equal(c.Note, signed) {
		t.Errorf("got %+v", c)
	}
	if len(c.Witnesses) != 1 || c.Witnesses[0].Name != "auditor.example" || c.Witnesses[0].At.Before(before) {
		t.Errorf("witnesses %+v", c.Witnesses)
	}
	if c.Store() != "0b0e6f6e-3f1d-4a57-9f0b-2f4dbb0b7a11" || proof.StoreOf(origin+"/2") != c.Store() {
		t.Errorf("store %s", c.Store())
	}
}

func TestACheckpointThatIsNotSignedAsItHasToBe(t *testing.T) {
	t.Parallel()
	log, logKey := key(t, origin, 1)
	auditor, auditorKey := witnessKey(t, "auditor.example", 2)
	other, _ := key(t, origin, 9)
	elsewhere, elsewhereKey := key(t, "keydesk/elsewhere", 4)
	text := checkpoint().Text()
	good := sign(t, text, log, auditor)
	cosigned := func(at uint64) []byte {
		sig := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(nil, auditorKey.KeyHash()), at)
		sig = append(sig, ed25519.Sign(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, ed25519.SeedSize)), fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", at, text))...)
		return fmt.Appendf(sign(t, text, log), "— auditor.example %s\n", base64.StdEncoding.EncodeToString(sig))
	}
	c, err := proof.OpenCheckpoint(cosigned(253402300799), logKey, auditorKey)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := json.Marshal(c.Witnesses); err != nil {
		t.Error(err)
	}
	for name, c := range map[string]struct {
		note []byte
		key  note.Verifier
		want error
	}{
		"another key of the same name": {sign(t, text, other), logKey, proof.ErrBadSignature},
		"only a witness":               {sign(t, text, auditor), logKey, proof.ErrBadSignature},
		"another size":                 {bytes.Replace(good, []byte("\n256\n"), []byte("\n255\n"), 1), logKey, proof.ErrBadSignature},
		"another time":                 {bytes.Replace(good, []byte("08:31:00"), []byte("08:32:00"), 1), logKey, proof.ErrBadSignature},
		"a time that cannot be":        {cosigned(253402300800), logKey, proof.ErrBadSignature},
		"a time before all":            {cosigned(math.MaxUint64), logKey, proof.ErrBadSignature},
		"the origin of another log":    {sign(t, text, elsewhere), elsewhereKey, proof.ErrBadCheckpoint},
		"no note":                      {[]byte(text), logKey, proof.ErrBadCheckpoint},
		"nothing":                      {nil, logKey, proof.ErrBadCheckpoint},
		"too long":                     {bytes.Repeat([]byte("a\n"), proof.MaxNote), logKey, proof.ErrBadCheckpoint},
	} {
		if _, err := proof.OpenCheckpoint(c.note, c.key, auditorKey); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheTextOfACheckpointHasOneForm(t *testing.T) {
	t.Parallel()
	good := checkpoint().Text()
	if c, err := proof.ParseText(good); err != nil || c.Text() != good {
		t.Fatal(c, err)
	}
	for name, change := range map[string][2]string{
		"a size with a zero before it": {"\n256\n", "\n0256\n"},
		"a size with a sign":           {"\n256\n", "\n+256\n"},
		"less than nothing":            {"\n256\n", "\n-1\n"},
		"another zone":                 {"08:31:00Z", "09:31:00+01:00"},
		"half a second":                {"08:31:00Z", "08:31:00.5Z"},
		"no index":                     {"index AQID", "AQID"},
		"no time":                      {"time ", ""},
		"a short root":                 {checkpoint().Root.String(), "AAAA"},
		"one line more":                {"Z\n", "Z\nmore\n"},
		"no end of line":               {"Z\n", "Z"},
		"another kind of log":          {"keydesk/", "other/"},
		"no store":                     {origin, "keydesk/"},
		"a space in the origin":        {"keydesk/", "keydesk/ "},
		"what no terminal shows in it": {"keydesk/", "keydesk/\x1b[2K"},
	} {
		text := strings.Replace(good, change[0], change[1], 1)
		if text == good {
			t.Fatalf("%s changes nothing", name)
		}
		if _, err := proof.ParseText(text); !errors.Is(err, proof.ErrBadCheckpoint) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Ours and the library of others find the same key in the same string.
func TestKeys(t *testing.T) {
	t.Parallel()
	_, ours := witnessKey(t, "auditor.example", 2)
	public, _ := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, ed25519.SeedSize)).Public().(ed25519.PublicKey)
	vkey, err := proof.WitnessKey("auditor.example", public)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := formats.NewVerifierForCosignatureV1(vkey)
	if err != nil || theirs.KeyHash() != ours.KeyHash() || theirs.Name() != ours.Name() {
		t.Errorf("%v: %s", err, vkey)
	}
	for name, bad := range map[string]string{
		"nothing": "", "a name": "auditor.example", "a sign more": vkey + "+", "another hash": strings.Replace(vkey, "+", "+0", 1),
		"another name": "x" + vkey, "a space": "a " + vkey, "a short key": vkey[:len(vkey)-4],
	} {
		if _, err := proof.ParseKey(bad); !errors.Is(err, proof.ErrBadKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := proof.WitnessKey("two words", public); !errors.Is(err, proof.ErrBadKey) {
		t.Error("a name with a space")
	}
}

func FuzzParseText(f *testing.F) {
	f.Add(checkpoint().Text())
	f.Add("keydesk/x\n0\n\n\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := proof.ParseText(text)
		if err != nil {
			return
		}
		if c.Text() != text {
			t.Errorf("%q reads as %+v", text, c)
		}
	})
}

func FuzzOpenCheckpoint(f *testing.F) {
	log, logKey := key(f, origin, 1)
	auditor, auditorKey := witnessKey(f, "auditor.example", 2)
	text := checkpoint().Text()
	f.Add(sign(f, text, log, auditor))
	f.Add(sign(f, text, log))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := proof.OpenCheckpoint(b, logKey, auditorKey)
		if err != nil {
			if !errors.Is(err, proof.ErrBadCheckpoint) && !errors.Is(err, proof.ErrBadSignature) {
				t.Errorf("an error of another kind: %v", err)
			}
			return
		}
		if c.Text() != text {
			t.Errorf("a signature for another text: %q", c.Text())
		}
	})
}

func FuzzParseKey(f *testing.F) {
	f.Add("auditor.example+00000000+BAAA")
	f.Fuzz(func(t *testing.T, s string) {
		if v, err := proof.ParseKey(s); err == nil && !strings.HasPrefix(s, v.Name()+"+") {
			t.Errorf("%q is called %q", s, v.Name())
		}
	})
}
