package vaulttest

import (
	"context"
	"errors"
	"testing"

	"github.com/keydesk/keydesk/app/internal/vault"
	"github.com/keydesk/keydesk/domain"
)

// many asks for more values at once than one question holds, good ones and bad ones
// mixed: of each it gets what Get says.
func many(t *testing.T, p Place) {
	t.Helper()
	const persons = 200
	v, other := p.open(t), p.open(t)
	var wanted []vault.Wanted
	want := func(who domain.SubjectID, kind vault.Kind, ref domain.Ref) {
		wanted = append(wanted, vault.Wanted{Subject: who, Kind: kind, Ref: ref})
	}
	var before domain.SubjectID
	for i := range persons {
		who := somebody()
		refs, err := v.PutAll(t.Context(), who,
			vault.Value{Kind: vault.KindName, Value: []byte("Jan")}, vault.Value{Kind: vault.KindEmail, Value: []byte(address(i))},
			vault.Value{Kind: vault.KindTeam, Value: nil})
		ok(t, err)
		want(who, vault.KindName, refs[0])
		want(who, vault.KindEmail, refs[1])
		want(who, vault.KindTeam, refs[2])
		wrong := refs[0]
		wrong.Commitment[i%32] ^= 1
		version := refs[0]
		version.Version++
		switch i % 10 {
		case 0:
			want(who, vault.KindName, wrong)
		case 1:
			want(who, vault.KindName, version)
		case 2:
			want(who, vault.KindName, refs[1])
		case 3:
			want(before, vault.KindName, refs[0])
		case 4:
			want(somebody(), vault.KindName, refs[0])
		case 5:
			want(who, vault.KindName, domain.Ref{})
		case 6:
			ok(t, other.Erase(t.Context(), who))
		case 7:
			p.change(t, `UPDATE value SET salt = sealed WHERE ref = $1`, refs[1].ID[:])
		case 8:
			p.change(t, `UPDATE person SET wrapped = $1 WHERE subject = $2`, []byte("no key"), who[:])
		case 9:
			p.change(t, `UPDATE person SET key_id = 'ffffffffffffffff' WHERE subject = $1`, who[:])
		}
		before = who
	}
	opened, err := v.GetMany(t.Context(), wanted...)
	ok(t, err)
	if len(opened) != len(wanted) || len(wanted) < 2*256 {
		t.Fatalf("%d answers to %d questions", len(opened), len(wanted))
	}
	classes := []error{domain.ErrNotFound, domain.ErrErased, vault.ErrTampered, vault.ErrCommitment, vault.ErrWrongKey}
	seen := map[error]int{}
	for i, w := range wanted {
		value, err := v.Get(t.Context(), w.Subject, w.Kind, w.Ref)
		got := opened[i]
		if string(got.Value) != string(value) || (got.Err == nil) != (err == nil) {
			t.Fatalf("answer %d: %q, %v; Get says %q, %v", i, got.Value, got.Err, value, err)
		}
		if err == nil {
			seen[nil]++
		}
		for _, class := range classes {
			if errors.Is(got.Err, class) != errors.Is(err, class) {
				t.Errorf("answer %d: %v; Get says %v", i, got.Err, err)
			}
			if errors.Is(err, class) {
				seen[class]++
			}
		}
	}
	for _, class := range append(classes, nil) {
		if seen[class] == 0 {
			t.Errorf("nothing came out as %v", class)
		}
	}
	if none, err := v.GetMany(t.Context()); err != nil || len(none) != 0 {
		t.Errorf("nothing asked: %v, %v", none, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if some, err := v.GetMany(ctx, wanted...); !errors.Is(err, context.Canceled) || some != nil {
		t.Errorf("a context that ended: %d answers, %v", len(some), err)
	}
}
