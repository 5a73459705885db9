package enrolment_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/keydesk/keydesk/domain"
	. "github.com/keydesk/keydesk/domain/enrolment"
)

var update = flag.Bool("update", false, "write golden files for events that have none")

// all has one of each event, every field filled.
func all() []Event {
	staff := announced
	staff.Employee = &label
	return []Event{
		staff, StaffChanged(staff), left,
		EnrolmentStarted{ByDomain, "en", "7d444840-9dc0-41d2-9a4c-3b3f3cf2a1de"},
		mailCode, mailed,
		CodeUndeliverable{"c2", 1, InvalidRecipient},
		wrong(1), confirmed, named, locked, given,
		verified, offered, claimed, agreed,
		PairingFailed{"q1", TooManyTries},
		paired,
		PocketRevoked{"d1", Replaced},
		byPocket,
		LanguageSet{"en"},
		EnrolmentReset{ForgottenPassword},
		Unlocked{UnlockedByAdmin},
		HelpCodeShown{"K7204"},
		CodeConfirmed{Challenge: "c3", Purpose: Recovering, Channel: ByMail},
		AccountFrozen{FrozenLost},
		AccountUnfrozen{UnfrozenFound},
		RecoveryRequested{Case: "4F7K-2M9Q", Reason: CaseLost, Evidence: []Evidence{ProvedPassword, ProvedEmail}},
		RecoveryCompleted{"4F7K-2M9Q", EndFound},
		InvitationIssued{"i1", InvitationPrinted, "k1", tomorrow, mail, &name, &desk.Ref},
		InvitationRejected{"i1", 1, Wrong},
		redeemed,
		InvitationRevoked{"i1", InvitationTakenBack},
		RecoveryApproved{"4F7K-2M9Q", "7d444840-9dc0-41d2-9a4c-3b3f3cf2a1de", noon.Add(24 * time.Hour), noon.Add(48 * time.Hour)},
		RecoveryDenied{"4F7K-2M9Q", "7d444840-9dc0-41d2-9a4c-3b3f3cf2a1de", DeniedUnproved},
		RecoveryStopped{"4F7K-2M9Q", StoppedByPerson},
		RecoveryExpired{"4F7K-2M9Q"},
		PhoneVoided{VoidedByHelpdesk},
		TicketIssued{"4F7K-2M9Q", RecoveryTicket, "k1", noon.Add(time.Hour)},
		TicketRedeemed{"4F7K-2M9Q"},
		PersonErased{KeyDeleted},
	}
}

// Every event ever written must be read for ever: a golden file is never
// changed, only added.
func TestGoldenEvents(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, e := range all() {
		typ := TypeOf(e)
		seen[typ] = true
		t.Run(typ, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join("testdata", "events", typ+".1.json")
			msgs, err := Messages([]Event{e}, domain.Stamp{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(file); os.IsNotExist(err) && *update {
				var b bytes.Buffer
				if err := json.Indent(&b, msgs[0].Data, "", "  "); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, append(b.Bytes(), '\n'), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			golden, err := os.ReadFile(file) //nolint:gosec // a golden file
			if err != nil {
				t.Fatalf("every event needs a golden file (-update writes one): %v", err)
			}
			got, err := Decode(typ, golden)
			if err != nil {
				t.Fatal(err)
			}
			again, err := Messages([]Event{got}, domain.Stamp{})
			if err != nil {
				t.Fatal(err)
			}
			if want := msgs[0].Data; !bytes.Equal(again[0].Data, want) {
				t.Errorf("read from the golden file\n%s\nwant\n%s", again[0].Data, want)
			}
		})
	}
	files, err := filepath.Glob(filepath.Join("testdata", "events", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		typ, _, _ := strings.Cut(filepath.Base(f), ".")
		if !seen[typ] {
			t.Errorf("%s: no such event any more; events are never removed", f)
		}
	}
}

// A field that was added later has a golden file of its own.
func TestAGoldenPairingForASwitch(t *testing.T) {
	t.Parallel()
	golden, err := os.ReadFile(filepath.Join("testdata", "events", "PairingOffered.1.switch.json"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Decode("PairingOffered", golden); err != nil || got != switching {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestGoldenStaffWithTeamAndFirstDay(t *testing.T) {
	t.Parallel()
	whole := complete()
	for typ, want := range map[string]Event{"StaffRegistered": whole, "StaffChanged": StaffChanged(whole)} {
		golden, err := os.ReadFile(filepath.Join("testdata", "events", typ+".1.team.json")) //nolint:gosec // a golden file
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Decode(typ, golden); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v", typ, got, err)
		}
	}
}

func TestGoldenCasesOfStaff(t *testing.T) {
	t.Parallel()
	ticket := ref(7)
	for file, want := range map[string]Event{
		"RecoveryRequested.1.staff.json": RecoveryRequested{
			Case: "4F7K-2M9Q", Reason: CaseNewNumber, Evidence: []Evidence{CalledBack, ProvedNumber}, Action: CorrectingNumber,
			Remote: true, Alone: true, By: "7d444840-9dc0-41d2-9a4c-3b3f3cf2a1de", KeyID: "k1", Ticket: &ticket, Phone: &mobile.Ref,
			Source: FromSelf, Country: "NL", Expires: noon.Add(time.Hour),
		},
		"CodeConfirmed.1.caller.json": CodeConfirmed{"c3", VerifyingCaller, ByPocket, noon.Add(15 * time.Minute)},
	} {
		golden, err := os.ReadFile(filepath.Join("testdata", "events", file)) //nolint:gosec // a golden file
		if err != nil {
			t.Fatal(err)
		}
		typ, _, _ := strings.Cut(file, ".")
		if got, err := Decode(typ, golden); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v", typ, got, err)
		}
	}
}

func TestAnUnknownEventIsNotGuessedAt(t *testing.T) {
	t.Parallel()
	if _, err := Decode("FactorLent", []byte(`{}`)); !errors.Is(err, domain.ErrUnknownEvent) {
		t.Errorf("got %v", err)
	}
	if _, err := Decode("FactorChosen", []byte(`{"factor":7}`)); err == nil || errors.Is(err, domain.ErrUnknownEvent) {
		t.Errorf("a known event that cannot be read: got %v", err)
	}
}

func TestMetadata(t *testing.T) {
	t.Parallel()
	by := domain.Stamp{
		Command: domain.CommandID{1}, Correlation: domain.EventID{2},
		Actor:   domain.Actor{Kind: domain.ActorPerson, ID: "7d444840-9dc0-41d2-9a4c-3b3f3cf2a1de", Role: domain.RoleSubject},
		Station: "hall", Policy: PolicyVersion, At: noon,
	}
	msgs, err := Messages([]Event{named, locked}, by)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"$correlationId":"02000000-0000-0000-0000-000000000000","$causationId":"01000000-0000-0000-0000-000000000000",` +
		`"schema":1,"actor":{"kind":"person","id":"7d444840-9dc0-41d2-9a4c-3b3f3cf2a1de","role":"subject"},` +
		`"station":"hall","policy":"2026-1","at":"2026-11-23T12:00:00Z"}`
	if got := string(msgs[0].Metadata); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	again, err := Messages([]Event{named, locked}, by)
	if err != nil || !reflect.DeepEqual(msgs, again) {
		t.Error("a retry is not the same bytes")
	}
	if msgs[0].ID == msgs[1].ID {
		t.Error("two events of one command have one id")
	}
}

func FuzzDecode(f *testing.F) {
	for _, e := range all() {
		msgs, err := Messages([]Event{e}, domain.Stamp{})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(msgs[0].Type, msgs[0].Data)
	}
	f.Fuzz(func(t *testing.T, typ string, data []byte) {
		e, err := Decode(typ, data)
		if err != nil {
			return
		}
		Evolve(State{}, e)
		once, err := Messages([]Event{e}, domain.Stamp{})
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		back, err := Decode(typ, once[0].Data)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		twice, err := Messages([]Event{back}, domain.Stamp{})
		if err != nil || !bytes.Equal(once[0].Data, twice[0].Data) {
			t.Errorf("changed on the way: %s, then %s (%v)", once[0].Data, twice[0].Data, err)
		}
	})
}
