package staff_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/staff"
)

var update = flag.Bool("update", false, "write golden files for events that have none")

var somebody = domain.SubjectID{0, 0, 0, 0, 0, 0, 0x40, 0, 0x80, 0, 0, 0, 0, 0, 0, 1}

// golden compares what is recorded of an event with its file, and reads that back.
func golden(t *testing.T, m domain.Message, want any, decode func(string, []byte) (any, error)) {
	t.Helper()
	file := filepath.Join("testdata", "events", m.Type+".1.json")
	if _, err := os.Stat(file); os.IsNotExist(err) && *update {
		if err := os.WriteFile(file, append(m.Data, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(file) //nolint:gosec // a golden file
	if err != nil {
		t.Fatalf("every event needs a golden file (-update writes one): %v", err)
	}
	if got, err := decode(m.Type, data); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %#v, %v", m.Type, got, err)
	}
	if !bytes.Equal(bytes.TrimSpace(data), m.Data) {
		t.Errorf("%s: written as %s", m.Type, m.Data)
	}
}

func TestGoldenEvents(t *testing.T) {
	t.Parallel()
	by := domain.Stamp{Command: domain.CommandID{1}}
	for _, e := range []staff.Event{staff.RoleGranted{Role: domain.RoleHelpdesk}, staff.RoleRevoked{Role: domain.RoleHelpdesk}} {
		m, err := staff.Message(e, by)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, m, e, func(typ string, data []byte) (any, error) { return staff.Decode(typ, data) })
	}
	for _, a := range []staff.Access{
		staff.DataShown{Scope: staff.ShownHRNumber, Subject: somebody, Case: "c0ffee"},
		staff.SearchMade{Scope: staff.SearchedAll},
		staff.ExportMade{Scope: staff.ExportedEvents, From: 17, To: 6412},
	} {
		m, err := staff.AccessMessage(a, by)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, m, a, func(typ string, data []byte) (any, error) { return staff.DecodeAccess(typ, data) })
	}
	if _, err := staff.Decode("RoleSold", nil); !errors.Is(err, domain.ErrUnknownEvent) {
		t.Errorf("got %v", err)
	}
	if _, err := staff.DecodeAccess("RoleGranted", []byte("{}")); !errors.Is(err, domain.ErrUnknownEvent) {
		t.Errorf("got %v", err)
	}
	if _, err := staff.Decode("RoleGranted", []byte("{")); err == nil {
		t.Error("half an event was read")
	}
	if _, err := staff.DecodeAccess("DataShown", []byte("{")); err == nil {
		t.Error("half of one was read")
	}
}

func TestRoles(t *testing.T) {
	t.Parallel()
	actor := func(id string) domain.Stamp {
		return domain.Stamp{Actor: domain.Actor{Kind: domain.ActorStaff, ID: id, Role: domain.RoleAdmin}}
	}
	console, self := actor("console"), actor(somebody.String())
	granted := staff.RoleGranted{Role: domain.RoleAuditor}
	revoked := staff.RoleRevoked{Role: domain.RoleAuditor}
	for _, test := range []struct {
		name  string
		given []staff.Event
		when  func(staff.State, domain.SubjectID, domain.Role, domain.Stamp) (staff.Event, error)
		role  domain.Role
		by    domain.Stamp
		then  staff.Event
		err   error
	}{
		{"granted", nil, staff.Grant, domain.RoleAuditor, console, granted, nil},
		{"granted twice", []staff.Event{granted}, staff.Grant, domain.RoleAuditor, console, nil, staff.ErrHasRole},
		{"granted again", []staff.Event{granted, revoked}, staff.Grant, domain.RoleAuditor, console, granted, nil},
		{"granted to oneself", nil, staff.Grant, domain.RoleAuditor, self, nil, staff.ErrOwnAccount},
		{"what everybody is", nil, staff.Grant, domain.RoleSubject, console, nil, staff.ErrBadRole},
		{"what machines are", nil, staff.Grant, domain.RoleUnattended, console, nil, staff.ErrBadRole},
		{"no role", nil, staff.Grant, "boss", console, nil, staff.ErrBadRole},
		{"revoked", []staff.Event{granted}, staff.Revoke, domain.RoleAuditor, console, revoked, nil},
		{"revoked twice", []staff.Event{granted, revoked}, staff.Revoke, domain.RoleAuditor, console, nil, staff.ErrHasNotRole},
		{"another one revoked", []staff.Event{granted}, staff.Revoke, domain.RoleAdmin, console, nil, staff.ErrHasNotRole},
		{"revoked of oneself", []staff.Event{granted}, staff.Revoke, domain.RoleAuditor, self, nil, staff.ErrOwnAccount},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var s staff.State
			for _, e := range test.given {
				s = staff.Evolve(s, e)
			}
			if e, err := test.when(s, somebody, test.role, test.by); e != test.then || !errors.Is(err, test.err) {
				t.Errorf("got %#v, %v", e, err)
			}
		})
	}
}

// A state holds what was granted and not revoked since, and is never changed by what
// comes after it.
func TestAStateIsWhatWasGrantedLast(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var s staff.State
		want := map[domain.Role]bool{}
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			r := rapid.SampledFrom(staff.Roles()).Draw(t, "role")
			decide := rapid.SampledFrom([]string{"grant", "revoke"}).Draw(t, "what")
			e, err := staff.Grant(s, somebody, r, domain.Stamp{})
			if decide == "revoke" {
				e, err = staff.Revoke(s, somebody, r, domain.Stamp{})
			}
			if (err != nil) != (want[r] == (decide == "grant")) {
				t.Fatalf("%s %s: %v", decide, r, err)
			}
			if err != nil {
				continue
			}
			before := slices.Clone(s.Roles)
			next := staff.Evolve(s, e)
			if !slices.Equal(before, s.Roles) {
				t.Fatal("the state before was changed")
			}
			s, want[r] = next, decide == "grant"
		}
		for _, r := range staff.Roles() {
			if s.Has(r) != want[r] {
				t.Fatalf("has %s: %t", r, s.Has(r))
			}
		}
	})
}

// The table, cell by cell: who may do what. A change of it is a decision, and shows
// here.
func TestTheTableOfRights(t *testing.T) {
	t.Parallel()
	table := []struct {
		right                              staff.Right
		helpdesk, approver, auditor, admin bool
	}{
		{staff.SeeBoard, true, true, true, true},
		{staff.SeePerson, true, true, true, true},
		{staff.RevealData, true, false, true, false},
		{staff.HelpPerson, true, false, false, false},
		{staff.RequestCase, true, false, false, false},
		{staff.ApproveCase, false, true, false, false},
		{staff.Assist, true, false, false, false},
		{staff.SeeKiosks, true, true, true, true},
		{staff.ImportRoster, false, false, false, true},
		{staff.Audit, false, false, true, false},
		{staff.RequestErasure, false, false, false, true},
	}
	seen := map[staff.Right]bool{}
	for _, row := range table {
		seen[row.right] = true
		for role, may := range map[domain.Role]bool{
			domain.RoleHelpdesk: row.helpdesk, domain.RoleApprover: row.approver, domain.RoleAuditor: row.auditor, domain.RoleAdmin: row.admin,
			domain.RoleSubject: false, domain.RoleUnattended: false, "": false,
		} {
			if in, ok := staff.For([]domain.Role{role}, row.right); ok != may || ok && in != role {
				t.Errorf("%s may %s: %t, as %q", role, row.right, ok, in)
			}
		}
	}
	for _, right := range staff.RightsOf(staff.Roles()) {
		if !seen[right] {
			t.Errorf("%s is not in this table", right)
		}
	}
}

func TestWhoHasSeveralRolesActsInTheFirstThatMay(t *testing.T) {
	t.Parallel()
	both := []domain.Role{domain.RoleAdmin, domain.RoleHelpdesk} // in any order
	if in, ok := staff.For(both, staff.SeeBoard); !ok || in != domain.RoleHelpdesk {
		t.Errorf("acts as %s", in)
	}
	if in, ok := staff.For(both, staff.ImportRoster); !ok || in != domain.RoleAdmin {
		t.Errorf("acts as %s", in)
	}
	got := staff.RightsOf(both)
	if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
		t.Errorf("got %v", got)
	}
	if len(staff.RightsOf(nil)) != 0 {
		t.Error("nobody may do something")
	}
}
