package fold_test

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/projections/foldtest"
	"github.com/keydesk/keydesk/projections/internal/fold"
)

var kinds = []string{
	"StaffRegistered", "StaffChanged", "StaffLeft", "EnrolmentStarted", "CodeIssued", "CodeSent", "CodeUndeliverable", "CodeRejected",
	"EmailConfirmed", "NameSet", "PasswordSet", "PhoneGiven", "PhoneVerified", "PairingOffered", "PairingClaimed",
	"PairingConfirmed", "PairingFailed", "PocketPaired", "PocketRevoked", "FactorChosen", "LanguageSet", "EnrolmentReset",
	"Unlocked", "HelpCodeShown", "CodeConfirmed", "AccountFrozen", "AccountUnfrozen", "RecoveryRequested", "RecoveryCompleted",
	"PersonErased",
}

func TestEveryKindIsKnownToTheDomain(t *testing.T) {
	t.Parallel()
	seen := map[fold.Kind]bool{fold.Unknown: true}
	for _, typ := range kinds {
		if _, err := enrolment.Decode(typ, []byte("{}")); err != nil {
			t.Errorf("%s: %v", typ, err)
		}
		if k := fold.KindOf(typ); seen[k] {
			t.Errorf("%s is of no kind of its own", typ)
		} else {
			seen[k] = true
		}
	}
	if fold.KindOf("HairDyed") != fold.Unknown || fold.KindOf("") != fold.Unknown {
		t.Error("a type that nobody knows has a kind")
	}
}

// The events come in any order here, also in ones that no decision would take.
func TestAnyEventsMeanTheSameToTheFactorAndToTheDomain(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var f fold.Factor
		var s enrolment.State
		for range rapid.IntRange(0, 30).Draw(t, "events") {
			e := anyEvent(t)
			data, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			if rapid.Bool().Draw(t, "odd") {
				data = append([]byte(" "), data...) // for encoding/json
			}
			s = enrolment.Evolve(s, e)
			if typ := enrolment.TypeOf(e); !f.Evolve(fold.KindOf(typ), data) {
				t.Fatalf("could not read %s %s", typ, data)
			}
			if f.Current() != s.Factor() || f.Chosen() != s.Chosen() || f.Frozen() != (s.Frozen != "") || f.Erased() != s.Erased {
				t.Fatalf("after %T%+v: got %s of %s, want %s of %s", e, e, f.Current(), f.Chosen(), s.Factor(), s.Chosen())
			}
			var again fold.Factor
			if !again.Parse(f.Append(nil)) || again != f {
				t.Fatalf("after %T%+v: %+v became %+v in a snapshot", e, e, f, again)
			}
		}
	})
}

func anyEvent(t *rapid.T) enrolment.Event {
	device := enrolment.DeviceID(rapid.SampledFrom([]string{"", "d1", "d2", "d3"}).Draw(t, "device"))
	var ref domain.Ref
	if rapid.IntRange(0, 3).Draw(t, "ref") > 0 {
		ref = domain.Ref{ID: domain.RefID{1}, Version: 1}
	}
	return rapid.SampledFrom([]enrolment.Event{
		enrolment.PhoneVerified{Challenge: "c", Phone: ref, Source: enrolment.FromHR, Country: "NL"},
		enrolment.PhoneGiven{Phone: ref},
		enrolment.PocketPaired{Pairing: "p", Device: device, Key: json.RawMessage(`{"kty":"EC"}`), Label: ref},
		enrolment.PocketRevoked{Device: device, Reason: enrolment.Replaced},
		enrolment.FactorChosen{Factor: enrolment.SMS, Reason: enrolment.FactorAtEnrolment},
		enrolment.FactorChosen{Factor: enrolment.Pocket, Device: device},
		enrolment.FactorChosen{Factor: enrolment.NoFactor, Device: device},
		enrolment.FactorChosen{Factor: "smoke-signals"},
		enrolment.EnrolmentReset{Reason: enrolment.ForgottenPassword},
		enrolment.AccountFrozen{Reason: enrolment.FrozenLost},
		enrolment.AccountFrozen{},
		enrolment.AccountUnfrozen{Reason: enrolment.UnfrozenFound},
		enrolment.RecoveryRequested{Case: "c", Reason: enrolment.CaseNew},
		enrolment.RecoveryCompleted{Case: "c", Reason: enrolment.EndNew},
		enrolment.CodeConfirmed{Challenge: "c", Purpose: enrolment.Recovering, Channel: enrolment.BySMS},
		enrolment.PersonErased{Method: enrolment.KeyDeleted},
	}).Draw(t, "event")
}

// FuzzEvolve: the factor reads an event exactly when the domain does, and the
// same from it.
func FuzzEvolve(f *testing.F) {
	for _, e := range foldtest.Even(1, 1) {
		f.Add(e.Type, []byte(e.Data))
	}
	f.Add("FactorChosen", []byte(`{"factor":"sms","Factor":"pocket","device":"d1"}`))
	f.Add("PocketRevoked", []byte(`{"device":"d1","reason":7}`))
	f.Add("PhoneVerified", []byte(`{"phone":null}`))
	f.Add("AccountFrozen", []byte(`{"reason":"not-me"}`))
	f.Add("AccountFrozen", []byte(`{"reason":7}`))
	f.Add("AccountUnfrozen", []byte(`{"reason":"found"}`))
	f.Add("AccountUnfrozen", []byte(`{"reason":7}`))
	f.Add("AccountUnfrozen", []byte(`{`))
	f.Add("EnrolmentReset", []byte(`{"reason":"recovered"}`))
	f.Add("EnrolmentReset", []byte(`[]`))
	f.Add("PersonErased", []byte(`{"method":"key-deleted"}`))
	f.Add("PersonErased", []byte(`{"method":7}`))
	f.Fuzz(func(t *testing.T, typ string, data []byte) {
		switch typ {
		case "PhoneVerified", "PocketPaired", "PocketRevoked", "FactorChosen", "AccountFrozen", "AccountUnfrozen", "EnrolmentReset", "PersonErased":
		default:
			return // not read
		}
		for _, before := range [][]enrolment.Event{
			nil,
			{enrolment.PhoneVerified{Phone: domain.Ref{Version: 1}}, enrolment.FactorChosen{Factor: enrolment.SMS}},
			{enrolment.PocketPaired{Device: "d1", Key: json.RawMessage(`{}`)}, enrolment.FactorChosen{Factor: enrolment.Pocket, Device: "d1"}},
			{
				enrolment.PhoneVerified{Phone: domain.Ref{Version: 1}},
				enrolment.FactorChosen{Factor: enrolment.SMS},
				enrolment.AccountFrozen{Reason: enrolment.FrozenLost},
			},
		} {
			var factor fold.Factor
			for _, e := range before {
				d, err := json.Marshal(e)
				if err != nil || !factor.Evolve(fold.KindOf(enrolment.TypeOf(e)), d) {
					t.Fatal(err)
				}
			}
			e, err := enrolment.Decode(typ, data)
			if read := factor.Evolve(fold.KindOf(typ), data); read != (err == nil) {
				t.Fatalf("%s %q: read %t, by the domain: %v", typ, data, read, err)
			}
			if err != nil {
				continue
			}
			if want := enrolment.Evolve(enrolment.Fold(enrolment.State{}, before...), e).Factor(); factor.Current() != want {
				t.Fatalf("%s %q: got %s, want %s", typ, data, factor.Current(), want)
			}
		}
	})
}
