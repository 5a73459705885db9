package vaulttest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/domain"
)

func erasing(t *testing.T, p Place) {
	t.Helper()
	v, other := p.open(t), p.open(t)
	jan, err := v.Claim(t.Context(), address(1))
	ok(t, err)
	an, err := v.Claim(t.Context(), address(2))
	ok(t, err)
	name, phone := put(t, v, jan, vault.KindName, "Jan"), put(t, v, jan, vault.KindPhone, "+31612345678")
	ok(t, v.Activate(t.Context(), jan, name))
	keep := put(t, v, an, vault.KindName, "An")
	traces := p.traces(t, v, jan, address(1), name, phone)
	before := p.Kept(t)
	for what, trace := range traces {
		if !bytes.Contains(before, trace) {
			t.Fatalf("%s is not kept before either", what)
		}
	}
	ok(t, v.Erase(t.Context(), jan))
	after := p.Kept(t)
	for what, trace := range traces {
		if bytes.Contains(after, trace) {
			t.Errorf("%s is still kept", what)
		}
	}
	gone(t, other, jan, name, phone)
	holds(t, other, an, vault.KindName, keep, "An")
	if erased, err := other.Erased(t.Context(), an); erased || err != nil {
		t.Errorf("somebody else is erased: %v", err)
	}
	// the address is free, for a new person
	if _, err := other.Find(t.Context(), address(1)); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("the address is still claimed: %v", err)
	}
	if again, err := other.Claim(t.Context(), address(1)); err != nil || again == jan {
		t.Errorf("claimed by %s again: %v", again, err)
	}
	ok(t, other.Erase(t.Context(), jan)) // again
	stranger := somebody()
	ok(t, other.Erase(t.Context(), stranger)) // whom a backup does not know
	gone(t, v, stranger, name)
	if err := v.Erase(t.Context(), domain.SubjectID{}); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("nobody was erased: %v", err)
	}
}

// erasingTogether erases several at once, of whom some are erased already, and takes up
// an erasure that was broken off before the database had forgotten what was removed.
func erasingTogether(t *testing.T, p Place) {
	t.Helper()
	v, other := p.open(t), p.open(t)
	who, refs := make([]domain.SubjectID, 150), make([]domain.Ref, 150)
	for i := range who {
		who[i] = somebody()
		refs[i] = put(t, v, who[i], vault.KindName, address(i))
	}
	left := func() (n int) {
		t.Helper()
		ok(t, p.Raw.QueryRowContext(t.Context(), `SELECT count(*) FROM meta WHERE name = 'scrub'`).Scan(&n))
		return n
	}
	ok(t, v.Erase(t.Context(), who[0]))
	ok(t, v.Erase(t.Context(), who[3]))
	var wg sync.WaitGroup
	for _, v := range []*vault.Vault{v, other} {
		wg.Go(func() {
			if err := v.Erase(t.Context(), who[:140]...); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for i := range 140 {
		gone(t, other, who[i], refs[i])
	}
	for i := 140; i < len(who); i++ {
		holds(t, other, who[i], vault.KindName, refs[i], address(i))
	}
	if left() != 0 {
		t.Error("something is left to forget")
	}
	p.change(t, `INSERT INTO meta (name, key_id, sealed) VALUES ('scrub', 'of one that was killed', $1)`, []byte{})
	ok(t, v.Erase(t.Context()))
	if left() != 0 {
		t.Error("what was broken off is not taken up")
	}
	if err := v.Erase(t.Context(), who[141], domain.SubjectID{}); !errors.Is(err, domain.ErrNotFound) {
		t.Errorf("nobody was erased: %v", err)
	}
	holds(t, other, who[141], vault.KindName, refs[141], address(141))
}

// traces are the bytes that must not outlive a person.
func (p Place) traces(t *testing.T, v *vault.Vault, who domain.SubjectID, email string, refs ...domain.Ref) map[string][]byte {
	t.Helper()
	hash := v.EmailIndexKeyed(email)
	traces := map[string][]byte{
		"the wrapped key":     p.blob(t, `SELECT wrapped FROM person WHERE subject = $1`, who[:]),
		"the address's hash":  hash[:],
		"the claim's MAC":     p.blob(t, `SELECT mac FROM claim WHERE subject = $1`, who[:]),
		"a part of the key":   p.blob(t, `SELECT wrapped FROM person WHERE subject = $1`, who[:])[20:36],
		"a part of the claim": hash[8:24],
	}
	for i, ref := range refs {
		traces[fmt.Sprintf("value %d", i)] = p.blob(t, `SELECT sealed FROM value WHERE ref = $1`, ref.ID[:])
		traces[fmt.Sprintf("salt %d", i)] = p.blob(t, `SELECT salt FROM value WHERE ref = $1`, ref.ID[:])
	}
	return traces
}

// gone checks that a person is erased and stays so.
func gone(t *testing.T, v *vault.Vault, who domain.SubjectID, refs ...domain.Ref) {
	t.Helper()
	if erased, err := v.Erased(t.Context(), who); !erased || err != nil {
		t.Errorf("erased is %t: %v", erased, err)
	}
	for _, ref := range refs {
		if _, err := v.Get(t.Context(), who, vault.KindName, ref); !errors.Is(err, domain.ErrErased) {
			t.Errorf("get: %v", err)
		}
		if err := v.Check(t.Context(), who, ref); !errors.Is(err, domain.ErrErased) {
			t.Errorf("check: %v", err)
		}
		if err := v.Activate(t.Context(), who, ref); !errors.Is(err, domain.ErrErased) {
			t.Errorf("activate: %v", err)
		}
	}
	if _, err := v.Put(t.Context(), who, vault.KindName, []byte("x")); !errors.Is(err, domain.ErrErased) {
		t.Errorf("put: %v", err)
	}
}

// erasingAmongMany erases some of many persons, whose rows the database has
// moved about in the meantime, and looks for what it may have left behind.
func erasingAmongMany(t *testing.T, p Place) {
	t.Helper()
	const persons, erased = 600, 12
	v := p.open(t)
	who, names := make([]domain.SubjectID, persons), make([]domain.Ref, persons)
	var wg sync.WaitGroup
	for part := range 8 { // so that the writer groups them
		wg.Go(func() {
			for i := part; i < persons; i += 8 {
				var err error
				if who[i], err = v.Claim(t.Context(), address(i)); err != nil {
					t.Error(err)
				}
				if names[i], err = v.Put(t.Context(), who[i], vault.KindName, []byte(address(i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	traces := map[int]map[string][]byte{}
	for n := range erased {
		i := n * persons / erased
		traces[i] = p.traces(t, v, who[i], address(i), names[i])
		ok(t, v.Erase(t.Context(), who[i]))
	}
	kept := p.Kept(t)
	for i, of := range traces {
		for what, trace := range of {
			if bytes.Contains(kept, trace) {
				t.Errorf("%s of person %d is still kept", what, i)
			}
		}
	}
	for i := range persons {
		if traces[i] == nil {
			holds(t, v, who[i], vault.KindName, names[i], address(i))
		}
	}
}

// eraseRace puts values from one handle while another erases: afterwards the
// person is gone, and nothing of theirs was put behind the eraser's back.
func eraseRace(t *testing.T, p Place) {
	t.Helper()
	v, other, who := p.open(t), p.open(t), somebody()
	put(t, v, who, vault.KindName, "x")
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for {
				_, err := v.Put(t.Context(), who, vault.KindRemark, []byte("x"))
				if errors.Is(err, domain.ErrErased) {
					return
				} else if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	ok(t, other.Erase(t.Context(), who))
	wg.Wait()
	var left int
	ok(t, p.Raw.QueryRowContext(t.Context(), `SELECT count(*) FROM value WHERE subject = $1`, who[:]).Scan(&left))
	if left != 0 {
		t.Errorf("%d values are left", left)
	}
}

// killed kills a process between Put and Activate, as a crash would.
func killed(t *testing.T, p Place) {
	t.Helper()
	v := p.open(t)
	c := startChild(t, p, "put", 0)
	c.ready(t)
	c.start(t)
	var left struct {
		Subject domain.SubjectID
		Ref     domain.Ref
	}
	ok(t, json.Unmarshal([]byte(c.line(t)), &left))
	ok(t, c.Process.Kill())
	if err := c.Wait(); err == nil {
		t.Fatal("the child ended by itself")
	}
	holds(t, v, left.Subject, vault.KindName, left.Ref, "put by a child")
	ok(t, v.Activate(t.Context(), left.Subject, left.Ref))
	holds(t, p.open(t), left.Subject, vault.KindName, left.Ref, "put by a child")
}

// putAndWait is the child's part of killed.
func putAndWait(c *childVault, _ int) error {
	who := somebody()
	ref, err := c.Put(c.ctx, who, vault.KindName, []byte("put by a child"))
	if err != nil {
		return err
	}
	line, err := json.Marshal(struct {
		Subject domain.SubjectID
		Ref     domain.Ref
	}{who, ref})
	if err != nil {
		return err
	}
	c.say(string(line))
	_, err = c.in.ReadString('\n') // which never comes
	return err
}
