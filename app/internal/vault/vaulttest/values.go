package vaulttest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/domain"
)

func roundTrip(t *testing.T, p Place) {
	t.Helper()
	v, again := p.open(t), p.open(t)
	big := make([]byte, vault.MaxValue)
	_, _ = rand.Read(big)
	jan, an := somebody(), somebody()
	for _, value := range []string{"", "Jan", "Şükrü Öztürk-van 't Hoff", "\x00\xff", string(big)} {
		for _, who := range []domain.SubjectID{jan, an} {
			ref := put(t, v, who, vault.KindName, value)
			holds(t, v, who, vault.KindName, ref, value)
			holds(t, again, who, vault.KindName, ref, value)
			ok(t, again.Activate(t.Context(), who, ref, domain.Ref{}))
			ok(t, v.Activate(t.Context(), who, ref))
			holds(t, v, who, vault.KindName, ref, value)
		}
	}
}

func versions(t *testing.T, p Place) {
	t.Helper()
	v, who := p.open(t), somebody()
	for want := 1; want <= 3; want++ {
		for _, kind := range []vault.Kind{vault.KindPhone, vault.KindName} {
			if ref := put(t, v, who, kind, "x"); ref.Version != want {
				t.Errorf("put %d of %s has version %d", want, kind, ref.Version)
			}
		}
	}
	a, b := put(t, v, who, vault.KindTeam, "x"), put(t, v, who, vault.KindTeam, "x")
	if a.ID == b.ID || a.Commitment == b.Commitment {
		t.Error("the same value twice is recognisable as such")
	}
}

func putTogether(t *testing.T, p Place) {
	t.Helper()
	v, who := p.open(t), somebody()
	first := put(t, v, who, vault.KindName, "Jan")
	refs, err := v.PutAll(t.Context(), who,
		vault.Value{Kind: vault.KindName, Value: []byte("Jan Jansen")}, vault.Value{Kind: vault.KindTeam, Value: []byte("Zorg")},
		vault.Value{Kind: vault.KindName, Value: []byte("Jan de Jong")})
	if err != nil || len(refs) != 3 || refs[0].Version != 2 || refs[1].Version != 1 || refs[2].Version != 3 {
		t.Fatalf("got %+v, %v", refs, err)
	}
	again := p.open(t)
	holds(t, again, who, vault.KindName, first, "Jan")
	holds(t, again, who, vault.KindName, refs[0], "Jan Jansen")
	holds(t, again, who, vault.KindTeam, refs[1], "Zorg")
	holds(t, again, who, vault.KindName, refs[2], "Jan de Jong")
	_, err = v.PutAll(t.Context(), who, vault.Value{Kind: vault.KindTeam, Value: []byte("x")}, vault.Value{Kind: "shoe-size"})
	if !errors.Is(err, vault.ErrBadValue) {
		t.Errorf("with one that is none: %v", err)
	}
	if refs, err := v.PutAll(t.Context(), who); err != nil || len(refs) != 0 {
		t.Errorf("nothing at all: %v, %v", refs, err)
	}
	if ref := put(t, v, who, vault.KindTeam, "y"); ref.Version != 2 {
		t.Errorf("of what was refused something is kept: the next has version %d", ref.Version)
	}
}

// putRace puts many values of a new person at once: each gets a version of its own.
func putRace(t *testing.T, p Place) {
	t.Helper()
	const each = 10
	handles, who := []*vault.Vault{p.open(t), p.open(t), p.open(t)}, somebody()
	refs := make([]domain.Ref, each*len(handles))
	var wg sync.WaitGroup
	for i := range refs {
		wg.Go(func() {
			var err error
			if refs[i], err = handles[i%len(handles)].Put(t.Context(), who, vault.KindPhone, []byte(address(i))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	seen := map[int]bool{}
	for i, ref := range refs {
		if ref.Version < 1 || ref.Version > len(refs) || seen[ref.Version] {
			t.Errorf("version %d came out of order, or twice", ref.Version)
		}
		seen[ref.Version] = true
		holds(t, handles[0], who, vault.KindPhone, ref, address(i))
	}
}

func badValues(t *testing.T, p Place) {
	t.Helper()
	v := p.open(t)
	for _, test := range []struct {
		name  string
		who   domain.SubjectID
		kind  vault.Kind
		value []byte
	}{
		{"nobody's", domain.SubjectID{}, vault.KindName, []byte("x")},
		{"no kind", somebody(), "", []byte("x")},
		{"an unknown kind", somebody(), "shoe-size", []byte("x")},
		{"too long", somebody(), vault.KindName, make([]byte, vault.MaxValue+1)},
	} {
		if ref, err := v.Put(t.Context(), test.who, test.kind, test.value); !errors.Is(err, vault.ErrBadValue) || !ref.IsZero() {
			t.Errorf("%s: %v, %v", test.name, ref, err)
		}
	}
}

func wrongQuestions(t *testing.T, p Place) {
	t.Helper()
	v, jan, an, stranger := p.open(t), somebody(), somebody(), somebody()
	phone, name := put(t, v, jan, vault.KindPhone, "+31612345678"), put(t, v, an, vault.KindName, "An")
	other := phone
	other.Version++
	for _, test := range []struct {
		name string
		who  domain.SubjectID
		kind vault.Kind
		ref  domain.Ref
		want error
	}{
		{"an unknown reference", jan, vault.KindPhone, domain.Ref{ID: domain.RefID{1}, Version: 1}, domain.ErrNotFound},
		{"no reference", jan, vault.KindPhone, domain.Ref{}, domain.ErrNotFound},
		{"an unknown person", stranger, vault.KindPhone, phone, domain.ErrNotFound},
		{"another kind", jan, vault.KindName, phone, vault.ErrTampered},
		{"another person's", an, vault.KindPhone, phone, vault.ErrTampered},
		{"another person's, the other way", jan, vault.KindName, name, vault.ErrTampered},
		{"another version", jan, vault.KindPhone, other, vault.ErrTampered},
	} {
		if b, err := v.Get(t.Context(), test.who, test.kind, test.ref); !errors.Is(err, test.want) || b != nil {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	for _, who := range []domain.SubjectID{an, stranger} {
		if err := v.Activate(t.Context(), who, phone); !errors.Is(err, domain.ErrNotFound) {
			t.Errorf("activated for somebody else: %v", err)
		}
	}
}

func commitments(t *testing.T, p Place) {
	t.Helper()
	v, who := p.open(t), somebody()
	ref := put(t, v, who, vault.KindPhone, "+31612345678")
	for i := range ref.Commitment {
		wrong := ref
		wrong.Commitment[i] ^= 1
		if _, err := v.Get(t.Context(), who, vault.KindPhone, wrong); !errors.Is(err, vault.ErrCommitment) {
			t.Fatalf("byte %d of the commitment does not count: %v", i, err)
		}
		if err := v.Check(t.Context(), who, wrong); !errors.Is(err, vault.ErrCommitment) {
			t.Fatalf("byte %d of the commitment is not checked: %v", i, err)
		}
	}
	ok(t, v.Check(t.Context(), who, ref))
	if err := v.Check(t.Context(), somebody(), ref); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("a stranger's: %v", err)
	}
	an := somebody()
	theirs := put(t, v, an, vault.KindName, "An")
	ok(t, v.Check(t.Context(), an, theirs)) // of any kind
	if err := v.Check(t.Context(), an, ref); !errors.Is(err, vault.ErrTampered) {
		t.Errorf("somebody else's: %v", err)
	}
	if err := v.Check(t.Context(), who, domain.Ref{ID: domain.RefID{1}, Version: 1}); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("one that is not there: %v", err)
	}
	// the vault's own older value under the newer one's reference
	newer := put(t, v, who, vault.KindPhone, "+31687654321")
	newer.Commitment = ref.Commitment
	if _, err := v.Get(t.Context(), who, vault.KindPhone, newer); !errors.Is(err, vault.ErrCommitment) {
		t.Errorf("another value than the recorded one: %v", err)
	}
}

func collecting(t *testing.T, p Place) {
	t.Helper()
	v, who := p.open(t), somebody()
	left := put(t, v, who, vault.KindName, "left behind")
	named := put(t, v, who, vault.KindName, "named by an event")
	active := put(t, v, who, vault.KindName, "active")
	ok(t, v.Activate(t.Context(), who, active))
	asked := map[domain.RefID]int{}
	isNamed := func(ctx context.Context, subject domain.SubjectID, ref domain.RefID) (bool, error) {
		if subject != who {
			t.Errorf("asked about %s", subject)
		}
		asked[ref]++
		return ref == named.ID, ctx.Err()
	}
	collect := func(olderThan time.Time, want int) {
		t.Helper()
		if n, err := v.Collect(t.Context(), olderThan, isNamed); err != nil || n != want {
			t.Fatalf("collected %d, want %d: %v", n, want, err)
		}
	}
	collect(time.Now().Add(-24*time.Hour), 0) // all too young
	if len(asked) != 0 {
		t.Errorf("asked about values that are too young: %v", asked)
	}
	collect(time.Now().Add(time.Minute), 1)
	collect(time.Now().Add(time.Minute), 0) // and what was named is active now
	if asked[left.ID] != 1 || asked[named.ID] != 1 || asked[active.ID] != 0 {
		t.Errorf("asked %v", asked)
	}
	holds(t, v, who, vault.KindName, named, "named by an event")
	holds(t, v, who, vault.KindName, active, "active")
	if _, err := v.Get(t.Context(), who, vault.KindName, left); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("still there: %v", err)
	}
	if err := v.Activate(t.Context(), who, left); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("activated what was collected: %v", err)
	}
}

func collectingFails(t *testing.T, p Place) {
	t.Helper()
	v, who := p.open(t), somebody()
	first, second := put(t, v, who, vault.KindName, "1"), put(t, v, who, vault.KindName, "2")
	n, err := v.Collect(t.Context(), time.Now().Add(time.Minute),
		func(_ context.Context, _ domain.SubjectID, ref domain.RefID) (bool, error) {
			if ref == second.ID {
				return false, io.ErrUnexpectedEOF
			}
			return false, nil
		})
	if n != 1 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("collected %d: %v", n, err)
	}
	holds(t, v, who, vault.KindName, second, "2")
	if _, err := v.Get(t.Context(), who, vault.KindName, first); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("still there: %v", err)
	}
}

// collectRace lets two collectors and an activator of another handle loose on
// the same rows: a row that was activated stays, and one that was collected
// cannot be activated.
func collectRace(t *testing.T, p Place) {
	t.Helper()
	const n = 40
	v, other, who := p.open(t), p.open(t), somebody()
	refs := make([]domain.Ref, n)
	for i := range refs {
		refs[i] = put(t, v, who, vault.KindRemark, "x")
	}
	never := func(context.Context, domain.SubjectID, domain.RefID) (bool, error) { return false, nil }
	var wg sync.WaitGroup
	removed := make([]int, 2)
	for i, handle := range []*vault.Vault{v, other} {
		wg.Go(func() {
			var err error
			if removed[i], err = handle.Collect(t.Context(), time.Now().Add(time.Minute), never); err != nil {
				t.Error(err)
			}
		})
	}
	activated := 0
	for i := range refs {
		ref := refs[n-1-i] // towards the collectors
		switch err := other.Activate(t.Context(), who, ref); {
		case err == nil:
			activated++
			holds(t, v, who, vault.KindRemark, ref, "x")
		case !errors.Is(err, domain.ErrNotFound):
			t.Error(err)
		}
	}
	wg.Wait()
	if removed[0]+removed[1]+activated != n {
		t.Errorf("%d + %d collected, %d activated, of %d", removed[0], removed[1], activated, n)
	}
}

func nothingPlain(t *testing.T, p Place) {
	t.Helper()
	v := p.open(t)
	who, err := v.Claim(t.Context(), "Fatima.ElAmrani@voorbeeld.nl")
	ok(t, err)
	plain := []string{"Fatima.ElAmrani@voorbeeld.nl", "fatima.elamrani", "Fatima El Amrani", "+31612345678", "612345678", "$argon2id$v=19$m=65536,t=3,p=1$c2FsdHNhbHQ", "Fatima's telefoon"}
	for i, kind := range []vault.Kind{vault.KindEmail, vault.KindName, vault.KindPhone, vault.KindCredential, vault.KindDevice} {
		ref := put(t, v, who, kind, plain[i])
		if i%2 == 0 {
			ok(t, v.Activate(t.Context(), who, ref))
		}
	}
	put(t, v, who, vault.KindCredential, plain[5])
	put(t, v, who, vault.KindDevice, plain[6])
	_, err = v.Take(t.Context(), time.Now(), vault.Limit{Name: "send-hour", Key: plain[1] + "@voorbeeld.nl", Window: time.Hour, Max: 3})
	ok(t, err)
	_, err = v.StartSend(t.Context(), plain[3])
	ok(t, err)
	ok(t, v.RecordSend(t.Context(), time.Now(), "sms", plain[3]))
	master, err := os.ReadFile(filepath.Clean(p.KeyFile))
	ok(t, err)
	disk := p.Disk(t)
	if !bytes.Contains(disk, who[:]) {
		t.Fatal("the bytes are not those of this vault")
	}
	disk = bytes.ToLower(disk)
	for _, secret := range append(plain, "voorbeeld.nl", string(master[len(master)-20:])) {
		if bytes.Contains(disk, bytes.ToLower([]byte(secret))) {
			t.Errorf("%q is on disk", secret)
		}
	}
}

func closedVault(t *testing.T, p Place) {
	t.Helper()
	v, err := vault.Open(t.Context(), p.URL, p.keys(t), vault.Options{})
	ok(t, err)
	ok(t, v.Close())
	ok(t, v.Close())
	if _, err := v.Put(t.Context(), somebody(), vault.KindName, nil); !errors.Is(err, domain.ErrUnavailable) {
		t.Errorf("put: %v", err)
	}
	if _, err := v.Find(t.Context(), address(1)); err == nil || errors.Is(err, domain.ErrNotFound) {
		t.Errorf("find: %v", err)
	}
}

func endedContext(t *testing.T, p Place) {
	t.Helper()
	v, who := p.open(t), somebody()
	ref := put(t, v, who, vault.KindName, "Jan")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := v.Put(ctx, who, vault.KindName, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("put: %v", err)
	}
	if _, err := v.Get(ctx, who, vault.KindName, ref); !errors.Is(err, context.Canceled) {
		t.Errorf("get: %v", err)
	}
	holds(t, v, who, vault.KindName, ref, "Jan") // and the vault goes on
	if next := put(t, v, who, vault.KindName, "Jan"); next.Version != 2 {
		t.Errorf("a put that was given up left version %d behind", next.Version-1)
	}
}
