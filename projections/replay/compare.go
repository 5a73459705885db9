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

// A Checked says what a state was compared with.
type Checked struct {
	Position domain.Position // of the state
	People   int             // that the rebuilt one knows
	Kept     int             // states on the way that were kept, and compared too
}

// Check rebuilds everything from nothing, with nothing that is kept, up to a state's
// position, and calls tell for everything on which that state and the rebuilt one do not
// agree: One is the state's. Whatever is kept on the way is compared likewise, with its
// name in place of the empty one, and dropped where it differs.
func (r *Replayer) Check(ctx context.Context, s State, tell func(kept string, d Difference)) (c Checked, err error) {
	if err := r.take(ctx); err != nil {
		return c, err
	}
	defer r.release()
	defer func() {
		if err != nil {
			err = fmt.Errorf("rebuild up to position %d: %w", s.Position, err)
		}
	}()
	positions, err := r.positions(0, s.Position)
	if err != nil {
		return c, err
	}
	alone := New(r.log, Options{Lock: r.o.Lock}) // keeps nothing
	f := alone.start()
	for _, p := range positions {
		if err := alone.forward(ctx, f, p); err != nil {
			return c, err
		}
		if r.compareKept(ctx, p, f.state(p), tell) {
			c.Kept++
		}
	}
	if err := alone.forward(ctx, f, s.Position); err != nil {
		return c, err
	}
	rebuilt := f.state(s.Position)
	Compare(s, rebuilt, func(d Difference) bool {
		tell("", d)
		return true
	})
	c.Position, c.People = s.Position, rebuilt.Factors.Counts().People
	return c, ctx.Err()
}

// compareKept compares what is kept at a position with what was rebuilt, and says whether
// it could.
func (r *Replayer) compareKept(ctx context.Context, p domain.Position, rebuilt State, tell func(string, Difference)) bool {
	kept, err := r.load(ctx, p)
	if err != nil {
		if ctx.Err() == nil {
			r.drop(nameOf(p), err)
		}
		return false
	}
	differs := false
	Compare(kept, rebuilt, func(d Difference) bool {
		differs = true
		tell(nameOf(p), d)
		return true
	})
	if differs {
		r.base, r.now = nil, nil // they may come from it
		r.drop(nameOf(p), errDiffers)
	}
	return true
}

var errDiffers = fmt.Errorf("%w: it is not what the events say", ErrKept)
