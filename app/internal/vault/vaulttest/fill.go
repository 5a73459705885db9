package vaulttest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/domain"
)

// openDemo opens the vault as that of a demo, until the test ends.
func (p Place) openDemo(t *testing.T) *vault.Vault {
	t.Helper()
	v, err := vault.Open(t.Context(), p.URL, p.keys(t), vault.Options{Demo: true})
	ok(t, err)
	t.Cleanup(func() { ok(t, v.Close()) })
	return v
}

// filling makes what is to be filled in of a person with two values.
func filling(n byte) vault.Filling {
	at := time.Now()
	return vault.Filling{
		Subject: domain.SubjectID{n, 1}, Email: address(int(n)),
		Values: []vault.FilledValue{
			{Kind: vault.KindName, Value: []byte("Zoë"), Ref: domain.RefID{n, 2}, Version: 1, Salt: [32]byte{n}, Put: at},
			{Kind: vault.KindPhone, Value: []byte("+31689000001"), Ref: domain.RefID{n, 3}, Version: 1, Salt: [32]byte{n, n}, Put: at},
		},
	}
}

// refTo returns what an event names a value by.
func refTo(f vault.FilledValue) domain.Ref {
	return domain.Ref{ID: f.Ref, Version: f.Version, Commitment: f.Commitment()}
}

// filled: what a demo is filled with opens like anything else, is active, and goes on
// where it was.
func filled(t *testing.T, p Place) {
	v := p.openDemo(t)
	a, b := filling(1), filling(2)
	ok(t, v.Fill(t.Context(), a, b))
	for _, f := range []vault.Filling{a, b} {
		for _, value := range f.Values {
			holds(t, v, f.Subject, value.Kind, refTo(value), string(value.Value))
		}
		if s, err := v.Find(t.Context(), f.Email); err != nil || s != f.Subject {
			t.Errorf("%s is %s's: %v", f.Email, s, err)
		}
	}
	more := vault.Filling{Subject: a.Subject, Values: []vault.FilledValue{
		{Kind: vault.KindPhone, Value: []byte("+31689000002"), Ref: domain.RefID{9}, Version: 2, Put: time.Now()},
	}}
	ok(t, v.Fill(t.Context(), more))
	if ref := put(t, v, a.Subject, vault.KindPhone, "+31689000003"); ref.Version != 3 {
		t.Errorf("the next version is %d", ref.Version)
	}
	removed, err := v.Collect(t.Context(), time.Now().Add(time.Hour), func(context.Context, domain.SubjectID, domain.RefID) (bool, error) { return false, nil })
	if err != nil || removed != 1 {
		t.Errorf("collected %d values, %v, in the place of the one that was put", removed, err)
	}
	holds(t, v, a.Subject, vault.KindPhone, refTo(more.Values[0]), "+31689000002")
}

// filledOrNot: all or nothing, and nowhere but in a demo.
func filledOrNot(t *testing.T, p Place) {
	v := p.openDemo(t)
	ok(t, v.Fill(t.Context(), filling(1)))
	for name, spoil := range map[string]func(f *vault.Filling){
		"an address that is somebody's": func(f *vault.Filling) { f.Email = address(1) },
		"somebody new who is there":     func(f *vault.Filling) { f.Subject = domain.SubjectID{1, 1} },
		"no address":                    func(f *vault.Filling) { f.Email = "nobody" },
		"a reference that is there":     func(f *vault.Filling) { f.Values[1].Ref = domain.RefID{1, 3} },
		"no version":                    func(f *vault.Filling) { f.Values[1].Version = 0 },
		"no kind":                       func(f *vault.Filling) { f.Values[1].Kind = "shoe size" },
	} {
		good, bad := filling(3), filling(4)
		spoil(&bad)
		if err := v.Fill(t.Context(), good, bad); err == nil {
			t.Errorf("%s: filled in", name)
		}
		if _, err := v.Find(t.Context(), good.Email); !errors.Is(err, domain.ErrNotFound) {
			t.Errorf("%s: a part is there, %v", name, err)
		}
	}
	if err := p.open(t).Fill(t.Context(), filling(5)); !errors.Is(err, vault.ErrNotADemo) {
		t.Errorf("a real vault: %v", err)
	}
}

// demoKeys: a master key that anybody can make opens no vault but a demo's.
func demoKeys(t *testing.T, p Place) {
	keys := vault.DemoKeys([]byte("7"))
	if _, err := vault.Open(t.Context(), p.URL, keys, vault.Options{}); !errors.Is(err, vault.ErrDemoKeys) {
		t.Errorf("a real vault opens with a demo's key: %v", err)
	}
	v, err := vault.Open(t.Context(), p.URL, keys, vault.Options{Demo: true})
	ok(t, err)
	ok(t, v.Close())
	if _, err := vault.Open(t.Context(), p.URL, p.keys(t), vault.Options{Demo: true}); !errors.Is(err, vault.ErrWrongKey) {
		t.Errorf("and with another one: %v", err)
	}
}
