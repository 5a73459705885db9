package history_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/login"
	"github.com/keydesk/keydesk/projections/foldtest"
	"github.com/keydesk/keydesk/projections/history"
)

var portal = login.Asker{Client: "portal"}

// logins returns the logins of the first person, recorded from a revision and a
// position on.
func logins(t rapid.TB, revision domain.Revision, position domain.Position, events ...login.Event) []domain.Recorded {
	t.Helper()
	by := domain.Stamp{
		Command: domain.CommandID{1}, Correlation: domain.EventID{2}, At: foldtest.Start(), Policy: enrolment.PolicyVersion,
		Actor: domain.Actor{Kind: domain.ActorService, ID: "portal", Role: domain.RoleUnattended}, Station: "server",
	}
	messages, err := login.Messages(events, by)
	if err != nil {
		t.Fatal(err)
	}
	recorded := make([]domain.Recorded, len(messages))
	for i, m := range messages {
		recorded[i] = domain.Recorded{
			Message: m, Stream: login.Stream(foldtest.Subject(0)), Revision: revision + domain.Revision(i),
			Position: position + domain.Position(i), Recorded: foldtest.Start().Add(time.Duration(i) * time.Second),
		}
	}
	return recorded
}

func failed(why login.Failure) login.Event {
	return login.LoginFailed{Challenge: "c1", Reason: why, By: portal, Network: "n"}
}

func TestTheStoryOfLogins(t *testing.T) {
	t.Parallel()
	events := []struct {
		event   login.Event
		message string
		outcome history.Outcome
	}{
		{login.LoginChallenged{Challenge: "c1", Factor: enrolment.SMS}, "history-LoginChallenged-sms", history.Note},
		{login.CodeSent{Challenge: "c1", Number: 2, Provider: "cm"}, "history-CodeSent", history.Note},
		{login.CodeUndeliverable{Challenge: "c1", Number: 3, Reason: enrolment.NoRoute}, "history-CodeUndeliverable-no-route", history.Failed},
		{login.LoginSucceeded{Challenge: "c1", Factor: enrolment.SMS}, "history-LoginSucceeded-sms", history.Progress},
		{login.LoginChallenged{Challenge: "c1", Factor: enrolment.Pocket}, "history-LoginChallenged-pocket", history.Note},
		{login.LoginApproved{Challenge: "c1"}, "history-LoginApproved", history.Note},
		{login.LoginSucceeded{Challenge: "c1", Factor: enrolment.Pocket}, "history-LoginSucceeded-pocket", history.Progress},
		{failed(login.WrongPassword), "history-LoginFailed-password", history.Refused},
		{failed(login.WrongCode), "history-LoginFailed-code", history.Refused},
		{failed(login.WrongDigits), "history-LoginFailed-digits", history.Refused},
		{failed(login.Denied), "history-LoginFailed-denied", history.Refused},
		{failed(login.NotMe), "history-LoginFailed-not-me", history.Refused},
		{failed(login.Stale), "history-LoginFailed-stale", history.Refused},
		{failed("of the future"), "history-LoginFailed", history.Refused},
		{login.LoginLocked{Network: "n"}, "history-LoginLocked", history.Refused},
	}
	var all []login.Event
	for _, e := range events {
		all = append(all, e.event)
	}
	recorded := logins(t, 40, 100, all...) // what came before was dropped after its time
	entries := history.OfLogins(recorded)
	if len(entries) != len(events) {
		t.Fatalf("%d entries for %d events", len(entries), len(events))
	}
	ids := history.Messages()
	for i, want := range events {
		got, r := entries[i], recorded[i]
		if got.Message != want.message || got.Outcome != want.outcome || !slices.Contains(ids, got.Message) {
			t.Errorf("entry %d: got %s, %s, want %s, %s", i, got.Message, got.Outcome, want.message, want.outcome)
		}
		if got.Type != r.Type || got.ID != r.ID || got.Revision != r.Revision || got.Position != r.Position || !got.Recorded.Equal(r.Recorded) {
			t.Errorf("entry %d: %+v of %+v", i, got, r)
		}
		if got.Actor.ID != "portal" || got.Station != "server" || !got.At.Equal(foldtest.Start()) || got.Visit != (domain.EventID{2}) || got.Policy != enrolment.PolicyVersion {
			t.Errorf("entry %d: by %+v at %s, %s, %s", i, got.Actor, got.Station, got.At, got.Visit)
		}
		if got.Step != 0 || got.Factor != "" {
			t.Errorf("entry %d: step %d, factor %q", i, got.Step, got.Factor)
		}
	}
	if got := entries[1].Params; !reflect.DeepEqual(got, map[string]string{"Number": "2", "Provider": "cm"}) {
		t.Errorf("the sending names %v", got)
	}
	if got := entries[2].Params; !reflect.DeepEqual(got, map[string]string{"Number": "3"}) {
		t.Errorf("what was not sent names %v", got)
	}
}

func TestLoginsThatCannotBeUnderstoodAreTold(t *testing.T) {
	t.Parallel()
	recorded := logins(t, 0, 1, failed(login.Denied), failed(login.Denied), failed(login.Denied), failed(login.Denied))
	recorded[0].Type = "LoginLent"
	recorded[1].Data = []byte(`{"reason":7}`)
	recorded[2].Metadata = []byte(`{`)
	var got []string
	for _, e := range history.OfLogins(recorded) {
		got = append(got, e.Message+" "+string(e.Outcome))
	}
	want := []string{
		"history-unknown puzzling", "history-unreadable puzzling", "history-LoginFailed-denied refused", "history-LoginFailed-denied refused",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	if e := history.OfLogins(recorded)[2]; e.Actor != (domain.Actor{}) || !e.At.IsZero() || !e.Recorded.Equal(recorded[2].Recorded) {
		t.Errorf("what is not readable is shown: %+v", e)
	}
	if e := history.Story(nil, recorded, 9); len(e) != 4 || e[3].Message != "history-unknown" || e[2].Message != "history-unreadable" {
		t.Errorf("a person is not told of them: %+v", e)
	}
}

func TestAStoryIsTheNewestFirst(t *testing.T) {
	t.Parallel()
	enrolled := foldtest.Even(1, 1)
	last := enrolled[len(enrolled)-1].Position
	in := logins(t, 0, last+1,
		login.LoginChallenged{Challenge: "c1", Factor: enrolment.Pocket}, login.CodeSent{Challenge: "c1"},
		login.LoginApproved{Challenge: "c1"}, login.LoginSucceeded{Challenge: "c1", Factor: enrolment.Pocket}, failed(login.NotMe))
	in[4].Position++ // the freeze came first
	frozen, err := json.Marshal(enrolment.AccountFrozen{Reason: enrolment.FrozenNotMe})
	if err != nil {
		t.Fatal(err)
	}
	enrolled = append(enrolled, domain.Recorded{
		Message: domain.Message{Type: "AccountFrozen", Data: frozen}, Stream: enrolled[0].Stream,
		Revision: enrolled[len(enrolled)-1].Revision + 1, Position: last + 5,
	})
	want := []string{
		"LoginFailed-not-me", "AccountFrozen-not-me", "LoginSucceeded-pocket", "LoginChallenged-pocket", "FactorChosen-pocket", "PocketPaired",
		"PhoneVerified", "CodeIssued-verify-phone", "PhoneGiven-self", "PasswordSet", "NameSet", "EmailConfirmed", "CodeIssued-confirm-email",
		"EnrolmentStarted-roster",
	}
	for _, most := range []int{200, len(want), 5, 1, 0} {
		var got []string
		for _, e := range history.Story(enrolled, in, most) {
			got = append(got, e.Message)
		}
		var expected []string
		for _, m := range want[:min(most, len(want))] {
			expected = append(expected, "history-"+m)
		}
		if !slices.Equal(got, expected) {
			t.Errorf("at most %d:\n%v\nwant\n%v", most, got, expected)
		}
	}
	if got := history.Story(nil, nil, 9); len(got) != 0 {
		t.Errorf("of nobody: %+v", got)
	}
	gone := slices.Delete(slices.Clone(enrolled), 5, 6) // the password
	var around []string
	for _, e := range history.Story(gone, nil, 200) {
		around = append(around, e.Message)
	}
	if i := slices.Index(around, "history-missing"); i < 1 || around[i-1] != "history-PhoneGiven-self" || around[i+1] != "history-NameSet" {
		t.Errorf("what is missing stands at %d of %v", i, around)
	}
}

// Whatever happened, a story is in order, has nothing that is on its way, and drops
// nothing else but what is older than all it tells.
func TestAStoryLeavesOutOnlyWhatItSays(t *testing.T) {
	t.Parallel()
	some := []login.Event{
		login.LoginChallenged{Challenge: "c1", Factor: enrolment.SMS},
		login.CodeSent{Challenge: "c1"},
		login.LoginApproved{Challenge: "c1"},
		login.LoginSucceeded{Challenge: "c1"},
		failed(login.Denied),
		login.LoginLocked{},
	}
	rapid.Check(t, func(t *rapid.T) {
		var enrolled, in []domain.Recorded
		for _, f := range foldtest.Random(func(low, high int) int { return rapid.IntRange(low, high).Draw(t, "history") }) {
			if f.Subject != foldtest.Subject(0) {
				continue
			}
			f.Event.Position *= 3
			enrolled = append(enrolled, f.Event)
			if n := rapid.IntRange(0, 2).Draw(t, "logins"); n > 0 {
				in = append(in, logins(t, domain.Revision(len(in)), f.Event.Position+1, rapid.SliceOfN(rapid.SampledFrom(some), n, n).Draw(t, "login")...)...)
			}
		}
		most := rapid.IntRange(0, 40).Draw(t, "most")
		var want []domain.Position
		for _, r := range slices.Concat(enrolled, in) {
			if r.Type != "CodeSent" && r.Type != "LoginApproved" {
				want = append(want, r.Position)
			}
		}
		slices.Sort(want)
		slices.Reverse(want)
		var got []domain.Position
		for _, e := range history.Story(enrolled, in, most) {
			got = append(got, e.Position)
		}
		if want = want[:min(most, len(want))]; !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}
