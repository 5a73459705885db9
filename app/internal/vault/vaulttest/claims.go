package vaulttest

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/domain"
)

func claiming(t *testing.T, p Place) {
	t.Helper()
	v, other := p.open(t), p.open(t)
	if _, err := v.Find(t.Context(), "jan@voorbeeld.nl"); !errors.Is(err, domain.ErrNotFound) {
		t.Fatalf("found before it was claimed: %v", err)
	}
	jan, err := v.Claim(t.Context(), "Jan@Voorbeeld.nl")
	ok(t, err)
	if jan[6]>>4 != 4 || jan[8]>>6 != 2 {
		t.Errorf("%s is not a random UUID", jan)
	}
	for _, spelling := range []string{"jan@voorbeeld.nl", " JAN@VOORBEELD.NL\n"} {
		again, err := other.Claim(t.Context(), spelling)
		ok(t, err)
		found, err := other.Find(t.Context(), spelling)
		ok(t, err)
		if again != jan || found != jan {
			t.Errorf("%q: claimed as %s, found as %s, want %s", spelling, again, found, jan)
		}
	}
	an, err := v.Claim(t.Context(), "an@voorbeeld.nl")
	ok(t, err)
	if an == jan {
		t.Error("two addresses, one person")
	}
	for _, bad := range []string{"", "jan", "@voorbeeld.nl", "jan@"} {
		if _, err := v.Claim(t.Context(), bad); !errors.Is(err, vault.ErrBadEmail) {
			t.Errorf("%q: %v", bad, err)
		}
		if _, err := v.Find(t.Context(), bad); !errors.Is(err, domain.ErrNotFound) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	want := map[domain.SubjectID][32]byte{
		jan: other.EmailIndexKeyed("jan@voorbeeld.nl"),
		an:  other.EmailIndexKeyed("AN@voorbeeld.nl"),
	}
	if got := emails(t, v); !maps.Equal(got, want) {
		t.Errorf("the claims are %v, want %v", got, want)
	}
}

// emails gathers all claims.
func emails(t *testing.T, v *vault.Vault) map[domain.SubjectID][32]byte {
	t.Helper()
	all := map[domain.SubjectID][32]byte{}
	ok(t, v.Emails(t.Context(), func(subject domain.SubjectID, hash [32]byte) bool {
		all[subject] = hash
		return true
	}))
	return all
}

func claimTampering(t *testing.T, p Place) {
	t.Helper()
	v := p.open(t)
	jan, err := v.Claim(t.Context(), "jan@voorbeeld.nl")
	ok(t, err)
	an, err := v.Claim(t.Context(), "an@voorbeeld.nl")
	ok(t, err)
	hash := v.EmailIndexKeyed("jan@voorbeeld.nl")
	refused := func(what string) {
		t.Helper()
		_, found := v.Find(t.Context(), "jan@voorbeeld.nl")
		_, claimed := v.Claim(t.Context(), "jan@voorbeeld.nl")
		listed := v.Emails(t.Context(), func(domain.SubjectID, [32]byte) bool { return true })
		for _, err := range []error{found, claimed, listed} {
			if !errors.Is(err, vault.ErrTampered) {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
	p.change(t, `UPDATE claim SET subject = $1 WHERE hash = $2`, an[:], hash[:])
	refused("another's claim")
	p.change(t, `UPDATE claim SET mac = (SELECT mac FROM claim WHERE hash <> $1) WHERE hash = $1`, hash[:])
	refused("another's claim with its code")
	p.change(t, `UPDATE claim SET subject = $1 WHERE hash = $2`, jan[:3], hash[:])
	refused("half a person")
}

// claimRace claims one address from many goroutines over several handles.
func claimRace(t *testing.T, p Place) {
	t.Helper()
	handles := []*vault.Vault{p.open(t), p.open(t), p.open(t), p.open(t)}
	got := make([]domain.SubjectID, 50)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() {
			var err error
			if got[i], err = handles[i%len(handles)].Claim(t.Context(), address(1)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, who := range got {
		if who != got[0] || who.IsZero() {
			t.Fatalf("two persons for one address: %s and %s", who, got[0])
		}
	}
	if all := emails(t, handles[0]); len(all) != 1 {
		t.Errorf("%d claims", len(all))
	}
}

// claimProcesses claims the same addresses from several processes.
func claimProcesses(t *testing.T, p Place) {
	t.Helper()
	const processes, addresses = 4, 25
	v := p.open(t)
	said := children(t, p, "claim", processes, addresses)
	for _, lines := range said {
		if len(lines) != addresses {
			t.Fatalf("a process says %d lines", len(lines))
		}
		for i, line := range lines {
			who, err := v.Find(t.Context(), address(i))
			ok(t, err)
			if line != who.String() {
				t.Errorf("address %d is %s's, and %s's to one process", i, who, line)
			}
		}
	}
	if all := emails(t, v); len(all) != addresses {
		t.Errorf("%d claims of %d addresses", len(all), addresses)
	}
}

// claimAll is the child's part of claimProcesses.
func claimAll(c *childVault, n int) error {
	for i := range n {
		who, err := c.Claim(c.ctx, address(i))
		if err != nil {
			return err
		}
		c.say(who.String())
	}
	return nil
}

func startSend(t *testing.T, p Place) {
	t.Helper()
	const processes, sends = 3, 20
	v := p.open(t)
	firsts := map[string]int{}
	for _, lines := range children(t, p, "send", processes, sends) {
		for _, id := range lines {
			firsts[id]++
		}
	}
	for i := range sends {
		id := fmt.Sprintf("send-%d", i)
		if firsts[id] != 1 {
			t.Errorf("%s was started %d times", id, firsts[id])
		}
		if first, err := v.StartSend(t.Context(), id); first || err != nil {
			t.Errorf("%s was started again: %v", id, err)
		}
	}
	if first, err := v.StartSend(t.Context(), strings.Repeat("x", 1000)); !first || err != nil {
		t.Errorf("another one: %t, %v", first, err)
	}
}

// startAll is the child's part of startSend.
func startAll(c *childVault, n int) error {
	for i := range n {
		id := fmt.Sprintf("send-%d", i)
		first, err := c.StartSend(c.ctx, id)
		if err != nil {
			return err
		}
		if first {
			c.say(id)
		}
	}
	return nil
}

func lastSends(t *testing.T, p Place) {
	t.Helper()
	v := p.open(t)
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	within := [2]time.Time{noon, noon.Add(time.Hour)}
	last := func(channel string, n, sent, verified int) {
		t.Helper()
		s, r, err := v.LastSends(t.Context(), channel, n, within[0], within[1])
		if err != nil || s != sent || r != verified {
			t.Errorf("last %d of %s: %d sent, %d verified, want %d and %d: %v", n, channel, s, r, sent, verified, err)
		}
	}
	last("sms", 20, 0, 0)
	for i := range 30 {
		at := noon.Add(time.Duration(i) * time.Minute)
		ok(t, v.RecordSend(t.Context(), at, "sms", fmt.Sprint("s", i)))
		ok(t, v.RecordSend(t.Context(), at, "sms", fmt.Sprint("s", i))) // counts once
		ok(t, v.RecordSend(t.Context(), at, "mail", fmt.Sprint("m", i)))
	}
	for _, id := range []string{"s3", "s11", "s29", "s29", "m5", "never sent"} {
		ok(t, v.RecordVerified(t.Context(), id))
	}
	last("sms", 20, 20, 2) // s10 to s29
	last("sms", 1, 1, 1)
	last("sms", 100, 30, 3)
	last("mail", 30, 30, 1)
	last("sms", 0, 0, 0)
	last("sms", -1, 0, 0)
	within = [2]time.Time{noon.Add(3 * time.Minute), noon.Add(12 * time.Minute)}
	last("sms", 20, 10, 2) // s3 to s12
}
