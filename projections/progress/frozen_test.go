package progress_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/projections/foldtest"
	"github.com/keydesk/keydesk/projections/progress"
)

// then returns what happened next to the only person of a log, a minute after each other.
func then(t *testing.T, log []domain.Recorded, events ...enrolment.Event) []domain.Recorded {
	t.Helper()
	messages, err := enrolment.Messages(events, domain.Stamp{})
	if err != nil {
		t.Fatal(err)
	}
	next := log[len(log)-1]
	more := make([]domain.Recorded, len(messages))
	for i, m := range messages {
		next.Message, next.Revision, next.Position, next.Recorded = m, next.Revision+1, next.Position+1, next.Recorded.Add(time.Minute)
		more[i] = next
	}
	return more
}

// Frozen or not, somebody stands where they stand: the board says both.
func TestAFrozenPersonStandsWhereTheyStood(t *testing.T) {
	t.Parallel()
	lost := enrolment.AccountFrozen{Reason: enrolment.FrozenLost}
	whole := foldtest.Even(1, 1)
	for _, c := range []struct {
		name   string
		log    []domain.Recorded
		more   []enrolment.Event
		step   enrolment.Step
		factor enrolment.Factor
		frozen bool
	}{
		{"enrolled", whole, []enrolment.Event{lost}, enrolment.StepDone, enrolment.NoFactor, true},
		{"and back", whole, []enrolment.Event{lost, enrolment.AccountUnfrozen{Reason: enrolment.UnfrozenFound}}, enrolment.StepDone, enrolment.Pocket, false},
		{
			"stolen", whole,
			[]enrolment.Event{lost, enrolment.PocketRevoked{Device: "00000000000000000000000000000002", Reason: enrolment.StolenDevice}},
			enrolment.StepFactor, enrolment.NoFactor, true,
		},
		{
			"unfrozen by staff", whole,
			[]enrolment.Event{lost, enrolment.AccountUnfrozen{}, enrolment.EnrolmentReset{Reason: enrolment.ResetToRecover}},
			enrolment.StepPassword, enrolment.NoFactor, false,
		},
		{"on the way", whole[:4], []enrolment.Event{lost}, enrolment.StepPassword, enrolment.NoFactor, true},
	} {
		b := progress.New(20)
		b.Apply(c.log, 0)
		b.Apply(then(t, c.log, c.more...), 0)
		b, _, err := progress.Decode(bytes.NewReader(encode(t, b)), 20)
		if err != nil {
			t.Fatal(err)
		}
		p, _ := b.Person(foldtest.Subject(0))
		if p.Step != c.step || p.Factor != c.factor || p.Frozen != c.frozen || p.Parked {
			t.Errorf("%s: %+v", c.name, p)
		}
		if at := b.Counts().At[c.step]; at != 1 {
			t.Errorf("%s: counted %+v", c.name, b.Counts())
		}
	}
}

// Of whoever was erased the board knows that, and when they were there.
func TestNothingIsLeftOfWhoWasErased(t *testing.T) {
	t.Parallel()
	erased := enrolment.PersonErased{Method: enrolment.KeyDeleted}
	wrong := enrolment.CodeRejected{Challenge: "c", Attempt: 1, Reason: enrolment.Wrong}
	whole := foldtest.Even(1, 1)
	more := then(t, whole, wrong, enrolment.AccountFrozen{Reason: enrolment.FrozenLost}, enrolment.StaffLeft{}, erased, enrolment.NameSet{Name: domain.Ref{Version: 1}}, wrong)
	b := progress.New(20)
	b.Apply(whole, 0)
	was, _ := b.Person(foldtest.Subject(0))
	b.Apply(more, 0)
	b, _, err := progress.Decode(bytes.NewReader(encode(t, b)), 20)
	if err != nil {
		t.Fatal(err)
	}
	last := more[len(more)-1]
	want := progress.Person{
		Subject: foldtest.Subject(0), Erased: true, Factor: enrolment.NoFactor, Started: was.Started, Came: was.Came,
		Since: more[3].Recorded, Last: last.Recorded, Revision: last.Revision, Position: last.Position,
	}
	if got, _ := b.Person(foldtest.Subject(0)); got != want || got.Stuck() {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if got := b.Counts(); got != (progress.Counts{People: 1, Erased: 1}) {
		t.Errorf("counted as %+v", got)
	}
}

func TestOnlyTheNumberOfARecoveryEndsARow(t *testing.T) {
	t.Parallel()
	log := foldtest.Even(1, 1)
	wrong := enrolment.CodeRejected{Challenge: "c", Attempt: 1, Reason: enrolment.Wrong}
	right := func(by enrolment.Channel) enrolment.Event {
		return enrolment.CodeConfirmed{Challenge: "c", Purpose: enrolment.Recovering, Channel: by}
	}
	for by, want := range map[enrolment.Channel]int{enrolment.ByMail: 2, enrolment.BySMS: 0} {
		more := then(t, log, wrong, wrong, right(by))
		spaced := append([]domain.Recorded(nil), more...)
		spaced[2].Data = append([]byte(" "), spaced[2].Data...) // for encoding/json
		for _, events := range [][]domain.Recorded{more, spaced} {
			b := progress.New(20)
			b.Apply(log, 0)
			b.Apply(events, 0)
			if p, _ := b.Person(foldtest.Subject(0)); p.WrongInARow != want || p.Parked {
				t.Errorf("by %s: %+v", by, p)
			}
		}
	}
	broken := then(t, log, right(enrolment.BySMS))
	broken[0].Data = []byte(`{"channel":7}`)
	b := progress.New(20)
	b.Apply(log, 0)
	b.Apply(broken, 0)
	if p, _ := b.Person(foldtest.Subject(0)); !p.Parked {
		t.Errorf("unreadable: %+v", p)
	}
}
