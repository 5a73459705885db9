package pairings_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/projections/pairings"
)

var (
	noon   = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	person = domain.SubjectID{7}
)

func offered(t *testing.T, at domain.Position, id enrolment.PairingID, ends time.Time) domain.Recorded {
	t.Helper()
	msgs, err := enrolment.Messages([]enrolment.Event{enrolment.PairingOffered{Pairing: id, Expires: ends, Ends: ends}}, domain.Stamp{})
	if err != nil {
		t.Fatal(err)
	}
	return domain.Recorded{Message: msgs[0], Stream: domain.EnrolmentStream(person), Position: at}
}

func TestAnOfferedPairingIsKnownForAnHour(t *testing.T) {
	t.Parallel()
	x := pairings.New(0)
	x.Apply([]domain.Recorded{offered(t, 1, "a", noon), offered(t, 2, "b", noon.Add(time.Minute))}, 2)
	if p, ok := x.Find("a"); !ok || p.Subject != person || !p.Ends.Equal(noon) {
		t.Errorf("got %+v, %t", p, ok)
	}
	if n := len(x.All()); n != 2 || x.Position() != 2 {
		t.Errorf("%d are known at %d", n, x.Position())
	}
	x.Apply([]domain.Recorded{offered(t, 3, "c", noon.Add(time.Hour+30*time.Second))}, 3)
	if _, ok := x.Find("a"); ok {
		t.Error("a pairing is known for more than an hour after its end")
	}
	if _, ok := x.Find("b"); !ok {
		t.Error("a pairing was forgotten too early")
	}
}

func TestWhatIsBehindTheStartOrUnreadableOffersNothing(t *testing.T) {
	t.Parallel()
	x := pairings.New(5)
	broken, foreign, other := offered(t, 6, "b", noon), offered(t, 7, "f", noon), offered(t, 8, "o", noon)
	broken.Data, foreign.Stream, other.Type = []byte(`{"pairing":7}`), "station-hall", "CodeSent"
	x.Apply([]domain.Recorded{offered(t, 5, "a", noon), broken, foreign, other}, 8)
	if all := x.All(); len(all) != 0 || x.Position() != 8 {
		t.Errorf("knows %+v at %d", all, x.Position())
	}
}

func TestItDoesNotGrow(t *testing.T) {
	t.Parallel()
	x := pairings.New(0)
	for i := range 1000 {
		x.Apply([]domain.Recorded{offered(t, domain.Position(i+1), enrolment.PairingID(fmt.Sprint(i)), noon.Add(time.Duration(i)*time.Minute))}, domain.Position(i+1))
	}
	if n := len(x.All()); n > 61 {
		t.Errorf("%d are known", n)
	}
}
