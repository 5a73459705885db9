package password_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/keydesk/keydesk/app/internal/password"
	"github.com/keydesk/keydesk/domain"
)

// quick are the cheapest costs within bounds.
var quick = password.Params{Memory: 8 << 10, Time: 1, Threads: 1}

func pepper(first byte) []byte {
	key := make([]byte, 32)
	for i := range key {
		key[i] = first + byte(i)
	}
	return key
}

func hasher(tb testing.TB, o password.Options) *password.Hasher {
	tb.Helper()
	if o.Peppers.Keys == nil {
		o.Peppers = password.Peppers{Current: "p1", Keys: map[string][]byte{"p1": pepper(0)}}
	}
	h, err := password.NewHasher(o)
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

func TestAHashIsOfItsPasswordOnly(t *testing.T) {
	t.Parallel()
	h := hasher(t, password.Options{Params: quick})
	hash, err := h.Hash(t.Context(), "Kaas-Fiets-Regen7 é")
	if err != nil {
		t.Fatal(err)
	}
	if want := "$argon2id$v=19$m=8192,t=1,p=1,keyid=cDE$"; !strings.HasPrefix(hash, want) {
		t.Errorf("got %s, want %s…", hash, want)
	}
	for pw, want := range map[string]bool{
		"Kaas-Fiets-Regen7 é":            true,
		"Kaas-Fiets-Regen7\u00a0e\u0301": true, // the same, typed elsewhere
		"kaas-fiets-regen7 é":            false,
		"Kaas-Fiets-Regen7 e":            false,
		"":                               false,
		"a\tb":                           false,
		strings.Repeat("x", 200):         false,
	} {
		ok, rehash, err := h.Verify(t.Context(), hash, pw)
		if ok != want || rehash || err != nil {
			t.Errorf("%q: got %t, %t, %v", pw, ok, rehash, err)
		}
	}
	again, err := h.Hash(t.Context(), "Kaas-Fiets-Regen7 é")
	if err != nil || again == hash {
		t.Errorf("the same salt twice, or %v", err)
	}
}

// Both were made with the reference implementation of Argon2, whose authors
// wrote RFC 9106: the first without a pepper, the second from HMAC-SHA256(key,
// password) computed by another program than ours. (The
// vector in the RFC itself needs a secret and associated data, which x/crypto
// does not offer; its own tests hold it.)
func TestVectors(t *testing.T) {
	t.Parallel()
	h := hasher(t, password.Options{Params: quick})
	for hash, pw := range map[string]string{
		"$argon2id$v=19$m=65536,t=2,p=1$" + someSalt + "$" + someHash:                                                "password",
		"$argon2id$v=19$m=8192,t=2,p=2,keyid=cDE$emV2ZW50aWVuLXpvdXRlbg$EDqgqtnbgFBVyIgIGb1VZCOkiwFcIWGjRLAW1CkjY6Q": "Kaas-Fiets-Regen7 é",
	} {
		if ok, rehash, err := h.Verify(t.Context(), hash, pw); !ok || !rehash || err != nil {
			t.Errorf("%s: got %t, %t, %v", hash, ok, rehash, err)
		}
	}
}

func TestAnOldHashAsksToBeMadeAnew(t *testing.T) {
	t.Parallel()
	const pw = "Kaas-Fiets-Regen7" //nolint:gosec // nobody's
	both := password.Peppers{Current: "p2", Keys: map[string][]byte{"p1": pepper(0), "p2": pepper(9)}}
	hash, err := hasher(t, password.Options{Params: quick}).Hash(t.Context(), pw)
	if err != nil {
		t.Fatal(err)
	}
	more := quick
	more.Time = 2
	for name, o := range map[string]password.Options{
		"other costs":  {Params: more},
		"a new pepper": {Params: quick, Peppers: both},
	} {
		h := hasher(t, o)
		if ok, rehash, err := h.Verify(t.Context(), hash, pw); !ok || !rehash || err != nil {
			t.Errorf("%s: got %t, %t, %v", name, ok, rehash, err)
		}
		if ok, rehash, err := h.Verify(t.Context(), hash, "wrong"); ok || rehash || err != nil {
			t.Errorf("%s, wrong password: got %t, %t, %v", name, ok, rehash, err)
		}
		renewed, err := h.Hash(t.Context(), pw)
		if err != nil {
			t.Fatal(err)
		}
		if ok, rehash, err := h.Verify(t.Context(), renewed, pw); !ok || rehash || err != nil {
			t.Errorf("%s, renewed: got %t, %t, %v", name, ok, rehash, err)
		}
	}
}

func TestAPepperThatIsGoneIsNoWrongPassword(t *testing.T) {
	t.Parallel()
	hash, err := hasher(t, password.Options{Params: quick}).Hash(t.Context(), "Kaas-Fiets-Regen7")
	if err != nil {
		t.Fatal(err)
	}
	other := hasher(t, password.Options{Params: quick, Peppers: password.Peppers{Current: "p2", Keys: map[string][]byte{"p2": pepper(0)}}})
	if ok, _, err := other.Verify(t.Context(), hash, "Kaas-Fiets-Regen7"); ok || !errors.Is(err, password.ErrNoPepper) || !errors.Is(err, domain.ErrUnavailable) {
		t.Errorf("got %t, %v", ok, err)
	}
	same := hasher(t, password.Options{Params: quick, Peppers: password.Peppers{Current: "p1", Keys: map[string][]byte{"p1": pepper(1)}}})
	if ok, _, err := same.Verify(t.Context(), hash, "Kaas-Fiets-Regen7"); ok || err != nil {
		t.Errorf("another key of the same id: got %t, %v", ok, err)
	}
}

func TestHashRefusesWhatCannotBeAPassword(t *testing.T) {
	t.Parallel()
	h := hasher(t, password.Options{Params: quick})
	for _, pw := range []string{"", "a\tb", strings.Repeat("x", 129)} {
		if hash, err := h.Hash(t.Context(), pw); hash != "" || !errors.Is(err, password.ErrUnusable) {
			t.Errorf("%q: got %q, %v", pw, hash, err)
		}
		if err := h.VerifyNothing(t.Context(), pw); err != nil {
			t.Errorf("%q: %v", pw, err)
		}
	}
	if _, _, err := h.Verify(t.Context(), "nonsense", "x"); !errors.Is(err, password.ErrBadHash) {
		t.Errorf("got %v", err)
	}
}

func TestAContextThatHasEndedHashesNothing(t *testing.T) {
	t.Parallel()
	h := hasher(t, password.Options{Params: quick})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Hash(ctx, "Kaas-Fiets-Regen7"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := h.VerifyNothing(ctx, "Kaas-Fiets-Regen7"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestBadOptionsAreNamed(t *testing.T) {
	t.Parallel()
	good := password.Peppers{Current: "p1", Keys: map[string][]byte{"p1": pepper(0)}}
	for want, o := range map[string]password.Options{
		"no current pepper":  {},
		"memory":             {Peppers: good, Params: password.Params{Memory: 1, Time: 1, Threads: 1}},
		"passes":             {Peppers: good, Params: password.Params{Memory: 8192, Threads: 1}},
		"negative":           {Peppers: good, AtOnce: -1},
		"shorter than":       {Peppers: password.Peppers{Current: "p1", Keys: map[string][]byte{"p1": make([]byte, 31)}}},
		"the id of a pepper": {Peppers: password.Peppers{Current: "", Keys: map[string][]byte{"": pepper(0)}}},
	} {
		if _, err := password.NewHasher(o); !errors.Is(err, password.ErrOptions) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
}

// A window makes one hash at a time, and its budget is 300 MB with all else in
// it: several hashes must not take more than one does. Measured from outside,
// since what counts is what the system sees.
func TestHashesOneAfterAnotherTakeTheMemoryOfOne(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" || raced {
		t.Skip("reads /proc, and what the race detector takes is not ours")
	}
	if os.Getenv("KEYDESK_TEST_HASHES") != "" {
		makeHashes(t)
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v") //nolint:gosec // this very test
	cmd.Env = append(os.Environ(), "KEYDESK_TEST_HASHES=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var peak, after int
	if _, err := fmt.Sscanf(string(out[bytes.Index(out, []byte("peak ")):]), "peak %d kB, after %d kB", &peak, &after); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("peak %d kB, after %d kB", peak, after)
	if peak > (64+48)<<10 || after > 48<<10 {
		t.Errorf("peak %d kB, after %d kB", peak, after)
	}
}

func makeHashes(t *testing.T) {
	t.Helper()
	h := hasher(t, password.Options{AtOnce: 1})
	done := make(chan error)
	for range 3 {
		go func() {
			_, err := h.Hash(t.Context(), "Kaas-Fiets-Regen7")
			done <- err
		}()
	}
	for range 3 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	size := map[string]string{}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		size[name] = strings.TrimSpace(value)
	}
	fmt.Printf("\npeak %s, after %s\n", size["VmHWM"], size["VmRSS"])
}

func BenchmarkHash(b *testing.B) {
	h := hasher(b, password.Options{AtOnce: 1})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Hash(b.Context(), "Kaas-Fiets-Regen7"); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleHasher() {
	h, err := password.NewHasher(password.Options{
		Params:  quick, // left out: 64 MiB, three passes
		AtOnce:  1,
		Peppers: password.Peppers{Current: "2026", Keys: map[string][]byte{"2026": pepper(0)}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	hash, err := h.Hash(ctx, "Kaas-Fiets-Regen7")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(h.Verify(ctx, hash, "Kaas-Fiets-Regen7"))
	fmt.Println(h.Verify(ctx, hash, "Kaas-Fiets-Zon7"))
	// Output:
	// true false <nil>
	// false false <nil>
}

func ExamplePolicy_Check() {
	who := password.Context{Name: "Sanne de Vries", Email: "s.devries@opo-r.nl", Organisation: []string{"OPO-R"}}
	for _, pw := range []string{"Voorjaar2026!", "Sanne-1990", "Kaas-Fiets-Regen7"} {
		r := password.Seed.Check(pw, who)
		fmt.Printf("%s %d/%d %t", pw, r.Length, r.Minimum, r.OK)
		for _, rule := range r.Unmet() {
			fmt.Printf(" %s %s", rule.Code, rule.Reason)
		}
		fmt.Println()
	}
	// Output:
	// Voorjaar2026! 13/12 false not-common common
	// Sanne-1990 10/12 false length  not-common name
	// Kaas-Fiets-Regen7 17/12 true
}

func TestSaltsOfADemo(t *testing.T) {
	t.Parallel()
	options := func(salts io.Reader) password.Options {
		return password.Options{
			Params: quick, Salts: salts,
			Peppers: password.Peppers{Current: "p", Keys: map[string][]byte{"p": pepper(7)}},
		}
	}
	hash := func(salts io.Reader) string {
		h, err := password.NewHasher(options(salts))
		if err != nil {
			t.Fatal(err)
		}
		phc, err := h.Hash(t.Context(), "Kaas-Fiets-Regen7!Molen")
		if err != nil {
			t.Fatal(err)
		}
		return phc
	}
	given := func() io.Reader { return strings.NewReader(strings.Repeat("0123456789abcdef", 2)) }
	if one, other := hash(given()), hash(given()); one != other {
		t.Errorf("%s and %s", one, other)
	}
	if one, other := hash(nil), hash(nil); one == other {
		t.Error("two salts are the same")
	}
	if _, err := password.NewHasher(options(strings.NewReader("short"))); err == nil {
		t.Error("without salts")
	}
	h, err := password.NewHasher(options(strings.NewReader("0123456789abcdef")))
	if err != nil {
		t.Fatal(err)
	}
	if phc, err := h.Hash(t.Context(), "Kaas-Fiets-Regen7!Molen"); err == nil {
		t.Errorf("hashed without a salt: %s", phc)
	}
}
