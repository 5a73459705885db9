package vault_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/app/internal/vault/pgtest"
	"github.com/keydesk/keydesk/app/internal/vault/vaulttest"
	"github.com/keydesk/keydesk/domain"
)

func openWith(t *testing.T, url, keyFile string) *vault.Vault {
	t.Helper()
	keys, err := vault.KeysFromFile(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	v, err := vault.Open(t.Context(), url, keys, vault.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Close() })
	return v
}

// A settled vault is one with people in it.
type settled struct {
	*vault.Vault
	subject, erased, unknown domain.SubjectID
	ref, pending             domain.Ref
	now                      time.Time
}

var limit = vault.Limit{Name: "mails", Key: "hall", Window: time.Hour, Max: 3}

// people is more than a copy takes at once.
const people = 520

func settle(t *testing.T, v *vault.Vault) settled {
	t.Helper()
	ctx := t.Context()
	s := settled{Vault: v, now: time.Now(), unknown: domain.SubjectID{1}}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var claims sync.WaitGroup
	for part := range 20 {
		claims.Go(func() {
			for i := range people / 20 {
				if _, err := v.Claim(ctx, fmt.Sprintf("p%d.%d@example.org", part, i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	claims.Wait()
	var err error
	s.subject, err = v.Claim(ctx, "sanne@example.org")
	check(err)
	s.ref, err = v.Put(ctx, s.subject, vault.KindName, []byte("Sanne"))
	check(err)
	check(v.Activate(ctx, s.subject, s.ref))
	s.pending, err = v.Put(ctx, s.subject, vault.KindPhone, []byte("+31612345678"))
	check(err)
	s.erased, err = v.Claim(ctx, "joost@example.org")
	check(err)
	_, err = v.Put(ctx, s.erased, vault.KindName, []byte("Joost"))
	check(err)
	check(v.Erase(ctx, s.erased))
	check(v.Erase(ctx, s.unknown)) // has a key of no bytes
	_, err = v.Take(ctx, s.now, limit)
	check(err)
	_, err = v.StartSend(ctx, "message-1")
	check(err)
	check(v.RecordSend(ctx, s.now, "sms", "message-1"))
	check(v.RecordVerified(ctx, "message-1"))
	return s
}

// holds says whether another vault answers as this one.
func (s settled) holds(t *testing.T, v *vault.Vault) {
	t.Helper()
	ctx := t.Context()
	if who, err := v.Find(ctx, "sanne@example.org"); err != nil || who != s.subject {
		t.Errorf("the address is %s's, %v", who, err)
	}
	for kind, want := range map[vault.Kind]struct {
		ref   domain.Ref
		value string
	}{vault.KindName: {s.ref, "Sanne"}, vault.KindPhone: {s.pending, "+31612345678"}} {
		if got, err := v.Get(ctx, s.subject, kind, want.ref); err != nil || string(got) != want.value {
			t.Errorf("%s: %v", kind, err)
		}
	}
	for _, who := range []domain.SubjectID{s.erased, s.unknown} {
		if gone, err := v.Erased(ctx, who); err != nil || !gone {
			t.Errorf("%s is erased: %t, %v", who, gone, err)
		}
	}
	if n, err := v.Count(ctx, s.now, limit); err != nil || n != 1 {
		t.Errorf("%d were counted, %v", n, err)
	}
	if first, err := v.StartSend(ctx, "message-1"); err != nil || first {
		t.Errorf("the message can be sent again: %v", err)
	}
	if sent, verified, err := v.LastSends(ctx, "sms", 10, s.now.Add(-time.Hour), s.now.Add(time.Hour)); err != nil || sent != 1 || verified != 1 {
		t.Errorf("%d sent, %d verified, %v", sent, verified, err)
	}
}

func silent(vault.Copied) {}

// From a file to a server and back: each of them answers the same.
func TestCopyOfAVault(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t)
	first, second, third := place(t), pgPlace(t, server), place(t)
	a := settle(t, openWith(t, first.URL, first.KeyFile))
	from := a.Vault
	for _, to := range []vaulttest.Place{second, third} {
		target := openWith(t, to.URL, first.KeyFile)
		c, err := from.Copy(t.Context(), target, silent)
		if err != nil || c.Copied < people || c.Found != 0 {
			t.Fatalf("%+v, %v", c, err)
		}
		if again, err := from.Copy(t.Context(), target, silent); err != nil || again.Copied != 0 || again.Found != c.Copied {
			t.Errorf("again: %+v, %v", again, err)
		}
		from = openWith(t, to.URL, first.KeyFile)
		if n, err := a.Compare(t.Context(), from); err != nil || n != c.Copied {
			t.Errorf("%d rows are the same, %v", n, err)
		}
		a.holds(t, from)
	}
	// It goes on as a vault of its own.
	if who, err := from.Claim(t.Context(), "new@example.org"); err != nil || who.IsZero() {
		t.Error(err)
	}
	if _, err := a.Compare(t.Context(), from); !errors.Is(err, vault.ErrDiffers) {
		t.Errorf("a claim more: %v", err)
	}
	if c, err := a.Copy(t.Context(), from, silent); !errors.Is(err, vault.ErrDiffers) {
		t.Errorf("into one that went on: %+v, %v", c, err)
	}
}

// A copy that is broken off after any page goes on.
func TestCopyOfAVaultGoesOn(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t)
	first, second := place(t), pgPlace(t, server)
	a := settle(t, openWith(t, first.URL, first.KeyFile))
	target := openWith(t, second.URL, first.KeyFile)
	tries, pages := 0, 0
	for ; ; tries++ {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := a.Copy(ctx, target, func(vault.Copied) { pages++; cancel() })
		cancel()
		if err == nil {
			break
		}
		if tries > 50 || !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	if tries < 5 || pages != tries {
		t.Errorf("%d tries, %d pages", tries, pages)
	}
	a.holds(t, openWith(t, second.URL, first.KeyFile))
}

// A vault with people of its own is left alone.
func TestCopyIntoAnotherVault(t *testing.T) {
	t.Parallel()
	first, second := place(t), place(t)
	a := settle(t, openWith(t, first.URL, first.KeyFile))
	other := openWith(t, second.URL, first.KeyFile)
	who, err := other.Claim(t.Context(), "sanne@example.org")
	if err != nil {
		t.Fatal(err)
	}
	if c, err := a.Copy(t.Context(), other, silent); !errors.Is(err, vault.ErrDiffers) || c.Copied != 0 {
		t.Errorf("%+v, %v", c, err)
	}
	other = openWith(t, second.URL, first.KeyFile)
	if found, err := other.Find(t.Context(), "sanne@example.org"); err != nil || found != who {
		t.Errorf("the address is %s's now: %v", found, err)
	}
}
