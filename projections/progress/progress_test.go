package progress_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/projections/foldtest"
	"github.com/keydesk/keydesk/projections/progress"
)

func TestTheBoardAgreesWithTheDeciderAfterEveryEvent(t *testing.T) {
	t.Parallel()
	lock := foldtest.Policy().WrongCodesInARow
	rapid.Check(t, func(t *rapid.T) {
		b, last := progress.New(lock), map[domain.SubjectID]time.Time{}
		for _, f := range foldtest.Random(draw(t)) {
			b.Apply([]domain.Recorded{f.Event}, 0)
			got, _ := b.Person(f.Subject)
			s := f.State
			if want := wantStep(s); got.Step != want || got.Factor != s.Factor() || got.Frozen != (s.Frozen != "") || got.Erased != s.Erased || got.Parked {
				t.Fatalf("after %s: got %+v, want step %d with %s", f.Event.Type, got, want, s.Factor())
			}
			if got.Registered != s.Staff.Registered || got.Left != s.Staff.Left || got.WrongInARow != s.WrongInARow || got.Locked != (s.WrongInARow >= lock) {
				t.Fatalf("after %s: got %+v of %+v", f.Event.Type, got, s)
			}
			if want := wantUndeliverable(s); got.Undeliverable != want {
				t.Fatalf("after %s: got %q, want %q", f.Event.Type, got.Undeliverable, want)
			}
			if !slices.Contains([]string{"StaffRegistered", "StaffChanged", "StaffLeft", "InvitationIssued", "InvitationRevoked"}, f.Event.Type) {
				last[f.Subject] = f.Event.Recorded
			}
			if !got.Last.Equal(last[f.Subject]) {
				t.Fatalf("after %s: last at %s, not %s", f.Event.Type, got.Last, last[f.Subject])
			}
			if got.WrongAtCode != wantWrong(s) || got.PairingOver != (got.Step == enrolment.StepFactor && s.Pairing.Stage == enrolment.Over && s.Pairing.Failure == enrolment.TooManyTries) {
				t.Fatalf("after %s: %+v of %+v", f.Event.Type, got, s)
			}
		}
	})
}

func wantStep(s enrolment.State) enrolment.Step {
	if !s.Started {
		return 0
	}
	return s.Step()
}

func wantUndeliverable(s enrolment.State) enrolment.Undelivered {
	switch wantStep(s) { //nolint:exhaustive // the two steps that wait for a code
	case enrolment.StepEmail:
		return s.Codes.Email.Failed
	case enrolment.StepSMSCode:
		return s.Codes.Phone.Failed
	}
	return ""
}

func wantWrong(s enrolment.State) int {
	switch wantStep(s) { //nolint:exhaustive // the two steps that wait for a code
	case enrolment.StepEmail:
		return s.Codes.Email.Wrong
	case enrolment.StepSMSCode:
		return s.Codes.Phone.Wrong
	}
	return 0
}

func TestCountsAreThoseOfTheBoard(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		facts := foldtest.Random(draw(t))
		b := progress.New(4)
		b.Apply(foldtest.Events(facts), 0)
		var want progress.Counts
		b.Each(func(p progress.Person) bool {
			want.People++
			switch {
			case p.Erased:
				want.Erased++
			case p.Step == 0 && p.Left:
				want.Gone++
			case p.Step == 0:
				want.Waiting++
			default:
				want.At[p.Step]++
			}
			if p.Undeliverable != "" {
				want.Undeliverable++
			}
			return true
		})
		if got := b.Counts(); got != want {
			t.Fatalf("got %+v, want %+v", got, want)
		}
	})
}

func TestASnapshotAndTheRestAreTheWhole(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		events := foldtest.Events(foldtest.Random(draw(t)))
		cut := rapid.IntRange(0, len(events)).Draw(t, "cut")
		whole, first := progress.New(4), progress.New(4)
		whole.Apply(events, 0)
		first.Apply(events[:cut], 0)
		rest, _, err := progress.Decode(bytes.NewReader(encode(t, first)), 4)
		if err != nil {
			t.Fatal(err)
		}
		rest.Apply(events, 0)
		if !bytes.Equal(encode(t, rest), encode(t, whole)) || rest.Counts() != whole.Counts() {
			t.Fatal("the snapshot and the rest are not the whole")
		}
	})
}

func TestSinceFollowsTheStepAndLastFollowsEverything(t *testing.T) {
	t.Parallel()
	events := foldtest.Even(1, 0)
	b := progress.New(20)
	b.Apply(events[:3], 0) // began, code issued, code sent
	p, _ := b.Person(foldtest.Subject(0))
	if p.Step != enrolment.StepEmail || !p.Started.Equal(events[0].Recorded) || !p.Since.Equal(events[0].Recorded) || !p.Last.Equal(events[2].Recorded) {
		t.Fatalf("waiting for the mail: %+v", p)
	}
	b.Apply(events, 0)
	p, _ = b.Person(foldtest.Subject(0))
	if last := events[len(events)-1]; p.Step != enrolment.StepDone || !p.Since.Equal(last.Recorded) || p.Factor != enrolment.SMS {
		t.Fatalf("done: %+v", p)
	}
}

func TestAVisitBeginsWithTheProofOfTheAddress(t *testing.T) {
	t.Parallel()
	events := foldtest.Even(1, 0)[:4] // began, code issued, code sent, confirmed
	b := progress.New(20)
	person := func() progress.Person { p, _ := b.Person(foldtest.Subject(0)); return p }
	b.Apply(events[:3], 0)
	if p := person(); !p.Trouble.IsZero() {
		t.Errorf("nothing went wrong yet: %+v", p)
	}
	b.Apply(events, 0)
	if p := person(); !p.Came.Equal(events[3].Recorded) {
		t.Errorf("confirmed: %+v", p)
	}
	again := enrolment.CodeIssued{Challenge: "again", Purpose: enrolment.ConfirmingEmail, Channel: enrolment.ByMail}
	soon := then(t, events, again, enrolment.CodeRejected{Challenge: "again", Attempt: 1, Reason: enrolment.Wrong})
	b.Apply(soon, 0)
	if p := person(); !p.Came.Equal(events[3].Recorded) || !p.Trouble.Equal(soon[1].Recorded) {
		t.Errorf("another code in the same visit: %+v", p)
	}
	again.Challenge = "tomorrow"
	tomorrow := then(t, soon, again)
	tomorrow[0].Recorded = tomorrow[0].Recorded.Add(24 * time.Hour)
	b.Apply(tomorrow, 0)
	if p := person(); !p.Came.Equal(tomorrow[0].Recorded) || p.Step != enrolment.StepPassword {
		t.Errorf("a visit on the next day: %+v", p)
	}
}

func TestAnUnknownEventParksOnePersonOnly(t *testing.T) {
	t.Parallel()
	events := foldtest.Even(2, 0)
	for i := range events {
		if events[i].Type == "NameSet" && events[i].Stream == domain.EnrolmentStream(foldtest.Subject(0)) {
			events[i].Type = "HairDyed"
		}
	}
	b := progress.New(20)
	b.Apply(events, 0)
	parked, _ := b.Person(foldtest.Subject(0))
	other, _ := b.Person(foldtest.Subject(1))
	if !parked.Parked || !parked.Stuck() || parked.Step != enrolment.StepPassword || other.Stuck() || other.Step != enrolment.StepDone {
		t.Fatalf("parked %+v, other %+v", parked, other)
	}
	if c := b.Counts(); c.Parked != 1 || c.At[enrolment.StepDone] != 1 || c.People != 2 {
		t.Fatalf("counts: %+v", c)
	}
}

// FuzzDecode: no file makes Decode fail in another way than ErrSnapshot, and
// one that it accepts is the very file that Encode writes, can be asked, and goes on.
func FuzzDecode(f *testing.F) {
	b := progress.New(4)
	b.Apply(foldtest.Even(3, 2), 0)
	file := encode(f, b)
	f.Add(file[:len(file)-sha256.Size])
	f.Fuzz(func(t *testing.T, body []byte) {
		sum := sha256.Sum256(body)
		file := append(bytes.Clone(body), sum[:]...)
		b, at, err := progress.Decode(bytes.NewReader(file), 4)
		switch {
		case errors.Is(err, progress.ErrSnapshot):
			return
		case err != nil:
			t.Fatalf("another error: %v", err)
		}
		var again bytes.Buffer
		if err := b.Snapshot().Encode(&again, at.Event); err != nil || !bytes.Equal(again.Bytes(), file) {
			t.Fatalf("encoded again it is another file (%v)", err)
		}
		people := 0
		b.Each(func(p progress.Person) bool {
			if same, ok := b.Person(p.Subject); !ok || same != p {
				t.Fatalf("asked for, somebody is %+v, and in turn %+v", same, p)
			}
			people++
			return true
		})
		if c := b.Counts(); c.People != people {
			t.Fatalf("%d people, and %+v", people, c)
		}
		b.Apply(foldtest.Even(4, 1), 0)
		b.Counts()
	})
}

func encode(t rapid.TB, b *progress.Board) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := b.Snapshot().Encode(&file, domain.EventID{}); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func draw(t *rapid.T) foldtest.Draw {
	return func(low, high int) int { return rapid.IntRange(low, high).Draw(t, "history") }
}
