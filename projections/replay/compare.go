package replay

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/projections/factor"
	"github.com/keydesk/keydesk/projections/progress"
)

// A Difference is one thing that two states do not agree on.
type Difference struct {
	Subject domain.SubjectID `json:"subject"`
	What    string           `json:"what"` // "factors.factor", "progress.step" and so on; see Compare
	One     string           `json:"one"`
	Two     string           `json:"two"`
}

// Compare calls yield for everything on which two states do not agree, person by person,
// until it says no. Where everything agrees that the folds tell of somebody, and not what
// they need to go on from there, it is "factors.inner" or "progress.inner".
func Compare(one, two State, yield func(Difference) bool) {
	on := true
	one.Factors.Differ(two.Factors, func(a, b factor.Answer) bool {
		on = tell(a.Subject, "factors", factorFields(a), factorFields(b), yield)
		return on
	})
	if !on {
		return
	}
	one.Board.Differ(two.Board, func(a, b progress.Person) bool {
		return tell(a.Subject, "progress", personFields(a), personFields(b), yield)
	})
}

// A field is something that a fold tells of a person.
type field struct{ name, value string }

func tell(id domain.SubjectID, fold string, one, two []field, yield func(Difference) bool) (on bool) {
	found := false
	for i := range one {
		if one[i].value == two[i].value {
			continue
		}
		found = true
		if !yield(Difference{id, fold + "." + one[i].name, one[i].value, two[i].value}) {
			return false
		}
	}
	return found || yield(Difference{id, fold + ".inner", "", ""})
}

func factorFields(a factor.Answer) []field {
	return []field{
		{"state", a.State.String()},
		{"factor", string(a.Factor)},
		{"since", stamp(a.Since)},
		{"revision", strconv.FormatInt(int64(a.Revision), 10)},
		{"position", strconv.FormatUint(uint64(a.Position), 10)},
	}
}

func personFields(p progress.Person) []field {
	return []field{
		{"known", strconv.FormatBool(p.Position > 0)},
		{"step", strconv.Itoa(int(p.Step))},
		{"factor", string(p.Factor)},
		{"frozen", strconv.FormatBool(p.Frozen)},
		{"erased", strconv.FormatBool(p.Erased)},
		{"announced", strconv.FormatBool(p.Registered)},
		{"left", strconv.FormatBool(p.Left)},
		{"wrong", strconv.Itoa(p.WrongInARow)},
		{"locked", strconv.FormatBool(p.Locked)},
		{"undeliverable", string(p.Undeliverable)},
		{"wrongAtCode", strconv.Itoa(p.WrongAtCode)},
		{"pairingOver", strconv.FormatBool(p.PairingOver)},
		{"unknown", strconv.FormatBool(p.Parked)},
		{"started", stamp(p.Started)},
		{"since", stamp(p.Since)},
		{"last", stamp(p.Last)},
		{"came", stamp(p.Came)},
		{"trouble", stamp(p.Trouble)},
		{"revision", strconv.FormatInt(int64(p.Revision), 10)},
		{"position", strconv.FormatUint(uint64(p.Position), 10)},
	}
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339Nano)
}

// Rebuild folds a log from nothing up to a position, without anything that is kept. It
// calls passing, which may be nil, each time that it has come to one of some positions,
// which have to grow.
func Rebuild(ctx context.Context, log Log, lock int, until domain.Position, passing func(State) error, at ...domain.Position) (State, error) {
	r := New(log, Options{Lock: lock})
	f := r.start()
	for _, p := range append(at, until) {
		if p > until {
			break
		}
		if err := r.forward(ctx, f, p); err != nil {
			return State{}, fmt.Errorf("rebuild up to position %d: %w", p, err)
		}
		if p < until && passing != nil {
			if err := passing(State{Position: p, Factors: f.factors.Snapshot(), Board: f.board.Snapshot()}); err != nil {
				return State{}, err
			}
		}
	}
	return State{Position: until, Factors: f.factors.Snapshot(), Board: f.board.Snapshot()}, nil
}
