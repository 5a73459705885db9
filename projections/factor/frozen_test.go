package factor_test

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/projections/factor"
	"github.com/keydesk/keydesk/projections/foldtest"
)

// then returns what happened to somebody next, a minute after each other.
func then(t *testing.T, log []domain.Recorded, who int, events ...enrolment.Event) []domain.Recorded {
	t.Helper()
	messages, err := enrolment.Messages(events, domain.Stamp{})
	if err != nil {
		t.Fatal(err)
	}
	last := log[len(log)-1]
	next := domain.Recorded{Stream: domain.EnrolmentStream(foldtest.Subject(who)), Revision: domain.NoStream, Position: last.Position, Recorded: last.Recorded}
	for _, e := range log {
		if e.Stream == next.Stream {
			next.Revision = e.Revision
		}
	}
	more := make([]domain.Recorded, len(messages))
	for i, m := range messages {
		next.Message, next.Revision, next.Position, next.Recorded = m, next.Revision+1, next.Position+1, next.Recorded.Add(time.Minute)
		more[i] = next
	}
	return more
}

var (
	lost   = enrolment.AccountFrozen{Reason: enrolment.FrozenLost}
	stolen = enrolment.AccountFrozen{Reason: enrolment.FrozenStolen}
	found  = enrolment.AccountUnfrozen{Reason: enrolment.UnfrozenFound}
	anew   = enrolment.EnrolmentReset{Reason: enrolment.ResetToRecover}
	opened = enrolment.RecoveryRequested{Case: "F1", Reason: enrolment.CaseLost}
	closed = enrolment.RecoveryCompleted{Case: "F1", Reason: enrolment.EndFound}
)

func TestAFrozenAccountHasNoFactorUntilItIsUnfrozen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		pocket int
		factor enrolment.Factor
		counts factor.Counts
	}{
		{"sms", 0, enrolment.SMS, factor.Counts{People: 2, SMS: 1}},
		{"pocket", 1, enrolment.Pocket, factor.Counts{People: 2, Pocket: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			log := foldtest.Even(2, c.pocket)
			log = append(log, then(t, log, 1, stolen)...) // somebody else, who stays so
			m := factor.New()
			m.Apply(log, 0)
			active := m.Lookup(foldtest.Subject(0))
			next := func(events ...enrolment.Event) (answer factor.Answer, first, last domain.Recorded) {
				more := then(t, log, 0, events...)
				log = append(log, more...)
				m.Apply(more, 0)
				m = reload(t, m)
				return m.Lookup(foldtest.Subject(0)), more[0], more[len(more)-1]
			}
			expect := func(what string, got factor.Answer, state factor.State, f enrolment.Factor, since, last domain.Recorded) {
				t.Helper()
				want := factor.Answer{
					Subject: foldtest.Subject(0), State: state, Factor: f, Since: since.Recorded,
					Revision: last.Revision, Position: last.Position, Through: last.Position,
				}
				if got != want {
					t.Errorf("%s: got %+v\nwant %+v", what, got, want)
				}
				counts := c.counts
				counts.Frozen = 1
				if state == factor.Frozen {
					counts = factor.Counts{People: 2, Frozen: 2}
				}
				if got := m.Counts(); got != counts {
					t.Errorf("%s: counts %+v, want %+v", what, got, counts)
				}
			}
			if active.State != factor.Active || active.Factor != c.factor {
				t.Fatalf("before: %+v", active)
			}
			got, froze, last := next(lost, opened)
			expect("lost", got, factor.Frozen, enrolment.NoFactor, froze, last)
			got, _, last = next(stolen)
			expect("then stolen: it is frozen as long as before", got, factor.Frozen, enrolment.NoFactor, froze, last)
			got, thawed, last := next(found, closed)
			expect("found", got, factor.Active, c.factor, thawed, last)
		})
	}
}

func TestAFreezeOutlastsAResetAndNothingElseEndsIt(t *testing.T) {
	t.Parallel()
	log := foldtest.Even(1, 1)
	device := enrolment.DeviceID("d9")
	for _, c := range []struct {
		name   string
		events []enrolment.Event
		state  factor.State
	}{
		{"a reset", []enrolment.Event{lost, anew}, factor.Frozen},
		{"another phone", []enrolment.Event{
			lost, enrolment.PocketPaired{Device: device, Key: []byte(`{"kty":"EC"}`)}, enrolment.FactorChosen{Factor: enrolment.Pocket, Device: device},
		}, factor.Frozen},
		{"sms", []enrolment.Event{lost, enrolment.FactorChosen{Factor: enrolment.SMS}}, factor.Frozen},
		{"the end of a case", []enrolment.Event{lost, opened, closed}, factor.Frozen},
		{"staff, who have everything proved anew", []enrolment.Event{lost, enrolment.AccountUnfrozen{Reason: enrolment.UnfrozenHelpdesk}, anew}, factor.Enrolling},
	} {
		m := factor.New()
		m.Apply(log, 0)
		m.Apply(then(t, log, 0, c.events...), 0)
		if got := reload(t, m).Lookup(foldtest.Subject(0)); got.State != c.state || got.Factor != enrolment.NoFactor {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

func TestWhoeverHasNoFactorYetCanBeFrozen(t *testing.T) {
	t.Parallel()
	log := foldtest.Even(1, 0)[:5]
	m := factor.New()
	m.Apply(log, 0)
	more := then(t, log, 0, lost, found)
	m.Apply(more[:1], 0)
	if got, counts := m.Lookup(foldtest.Subject(0)), m.Counts(); got.State != factor.Frozen || !got.Since.Equal(more[0].Recorded) || counts != (factor.Counts{People: 1, Frozen: 1}) {
		t.Errorf("frozen: %+v, %+v", got, counts)
	}
	m.Apply(more[1:], 0)
	if got, counts := m.Lookup(foldtest.Subject(0)), m.Counts(); got.State != factor.Enrolling || !got.Since.Equal(more[1].Recorded) || counts != (factor.Counts{People: 1, Enrolling: 1}) {
		t.Errorf("unfrozen: %+v, %+v", got, counts)
	}
}

// What ends a freeze has to be understood: else nothing is known of the factor.
func TestAFreezeThatCannotBeReadParks(t *testing.T) {
	t.Parallel()
	for typ, data := range map[string]string{
		"AccountFrozen": `{"reason":7}`, "AccountUnfrozen": `{"reason":7}`, "EnrolmentReset": `{"reason":`, "AccountThawed": `{}`,
	} {
		log := foldtest.Even(1, 0)
		m := factor.New()
		m.Apply(log, 0)
		more := then(t, log, 0, lost, found)
		more[1].Type, more[1].Data = typ, []byte(data)
		m.Apply(more, 0)
		if got := reload(t, m).Lookup(foldtest.Subject(0)); got.State != factor.Unknown || got.Factor != enrolment.NoFactor {
			t.Errorf("%s %s: %+v", typ, data, got)
		}
	}
}

// Nothing that could be recorded after it brings somebody back who was erased.
func TestWhoeverWasErasedHasNoFactorForGood(t *testing.T) {
	t.Parallel()
	erased := enrolment.PersonErased{Method: enrolment.KeyDeleted}
	again := []enrolment.Event{
		enrolment.PhoneVerified{Phone: domain.Ref{Version: 1}}, enrolment.FactorChosen{Factor: enrolment.SMS}, lost, found, anew,
	}
	for pocket := range 2 {
		for _, before := range [][]enrolment.Event{nil, {lost}} {
			log := foldtest.Even(1, pocket)
			log = append(log, then(t, log, 0, append(before, erased)...)...)
			at := log[len(log)-1]
			m := factor.New()
			m.Apply(log, 0)
			m = reload(t, m)
			m.Apply(then(t, log, 0, again...), 0)
			got := reload(t, m).Lookup(foldtest.Subject(0))
			if got.State != factor.Erased || got.State.String() != "erased" || got.Factor != enrolment.NoFactor || !got.Since.Equal(at.Recorded) {
				t.Errorf("%+v", got)
			}
			if c := m.Counts(); c != (factor.Counts{People: 1, Erased: 1}) {
				t.Errorf("counted as %+v", c)
			}
		}
	}
	log := foldtest.Even(1, 0)
	m := factor.New()
	m.Apply(log, 0)
	m.Apply(then(t, log, 0, erased), 0)
	more := then(t, append(log, then(t, log, 0, erased)...), 0, lost)
	more[0].Type = "AccountThawed"
	m.Apply(more, 0)
	if got := m.Lookup(foldtest.Subject(0)); got.State != factor.Unknown {
		t.Errorf("what cannot be understood parks those too: %+v", got)
	}
}

// A snapshot of an earlier program knows nothing of freezes.
func TestASnapshotOfAnotherVersionIsRefused(t *testing.T) {
	t.Parallel()
	m := factor.New()
	m.Apply(foldtest.Even(1, 0), 0)
	file := encode(t, m)
	const at = 16 + 8 // behind the magic and the kind
	version := binary.LittleEndian.Uint32(file[at:])
	for _, other := range []uint32{0, 1, 2, version - 1, version + 1} {
		old := append([]byte(nil), file[:len(file)-32]...)
		binary.LittleEndian.PutUint32(old[at:], other)
		refused(t, "of another version", seal(old))
	}
	same := append([]byte(nil), file[:len(file)-32]...)
	if _, _, err := factor.Decode(bytes.NewReader(seal(same))); err != nil {
		t.Errorf("of this one: %v", err)
	}
}
