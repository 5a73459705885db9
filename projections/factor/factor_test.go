package factor_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/projections/factor"
	"github.com/keydesk/keydesk/projections/foldtest"
)

func TestTheMapAgreesWithTheDeciderAfterEveryEvent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := factor.New()
		for _, f := range foldtest.Random(draw(t)) {
			m.Apply([]domain.Recorded{f.Event}, f.Event.Position)
			got := m.Lookup(f.Subject)
			want := f.State.Factor()
			if got.Factor != want || got.Revision != f.Event.Revision || got.Position != f.Event.Position {
				t.Fatalf("after %s: got %+v, want %s at %d", f.Event.Type, got, want, f.Event.Revision)
			}
			if active := got.State == factor.Active; active != (want != enrolment.NoFactor) || got.State == factor.Unknown {
				t.Fatalf("after %s: state %s with factor %s", f.Event.Type, got.State, want)
			}
		}
	})
}

func draw(t *rapid.T) foldtest.Draw {
	return func(low, high int) int { return rapid.IntRange(low, high).Draw(t, "history") }
}
