package desk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/login"
)

// Events hold no personal data: they refer to it, and commit to it. Whoever has the vault
// can show of each reference that the value is still the one that was recorded, or that
// it is gone.

// ValueState is what the vault says of a value that an event refers to.
type ValueState string

// The states.
const (
	ValueHolds   ValueState = "holds"   // it is there, and the one that was recorded
	ValueErased  ValueState = "erased"  // with the person's key, for good
	ValueGone    ValueState = "gone"    // it is not there
	ValueDiffers ValueState = "differs" // what is there is another one, or was tampered with
)

// A ValueCheck is what the vault says of one reference in one event. It holds nothing of
// the value.
type ValueCheck struct {
	Position uint64
	Type     string // of the event
	Field    string // in which the reference stands, as "email" or "device.label"
	Ref      domain.RefID
	Version  int
	State    ValueState
}

// Commitments checks every value that the events of a person refer to, in the order of
// the log: those of the enrolment, then those of the logins. The vault is asked once for each.
func (d *Desk) Commitments(ctx context.Context, s domain.SubjectID) ([]ValueCheck, error) {
	var all []ValueCheck
	known := map[domain.Ref]ValueState{}
	for _, stream := range []string{domain.EnrolmentStream(s), login.Stream(s)} {
		events, err := d.Log.ReadStream(ctx, stream, 0)
		if err != nil && !errors.Is(err, domain.ErrNotFound) {
			return nil, fmt.Errorf("read %s: %w", stream, err)
		}
		for i := range events {
			checks, err := d.checkValues(ctx, s, &events[i], known)
			if err != nil {
				return nil, err
			}
			all = append(all, checks...)
		}
	}
	return all, nil
}

// checkValues checks what one event refers to. What is known already is not asked again.
func (d *Desk) checkValues(ctx context.Context, s domain.SubjectID, rec *domain.Recorded, known map[domain.Ref]ValueState) ([]ValueCheck, error) {
	var all []ValueCheck
	for _, named := range refsIn(rec.Data) {
		state, ok := known[named.ref]
		if !ok {
			var err error
			if state, err = d.checkValue(ctx, s, named.ref); err != nil {
				return nil, err
			}
			known[named.ref] = state
		}
		all = append(all, ValueCheck{uint64(rec.Position), rec.Type, named.field, named.ref.ID, named.ref.Version, state})
	}
	return all, nil
}

func (d *Desk) checkValue(ctx context.Context, s domain.SubjectID, ref domain.Ref) (ValueState, error) {
	switch err := d.People.Check(ctx, s, ref); {
	case err == nil:
		return ValueHolds, nil
	case errors.Is(err, domain.ErrErased):
		return ValueErased, nil
	case errors.Is(err, domain.ErrNotFound):
		return ValueGone, nil
	case errors.Is(err, ErrDiffers):
		return ValueDiffers, nil
	default:
		return "", err
	}
}

// A namedRef is a reference, and the field in which it stands.
type namedRef struct {
	field string
	ref   domain.Ref
}

// deepestRef is how deep references are looked for. None stands deeper than in the third.
const deepestRef = 8

// refsIn finds the references in an event by their shape, wherever they stand: also in
// events of types that this program does not know. Those of one object come in
// alphabetical order.
func refsIn(data []byte) []namedRef { return refsUnder("", bytes.TrimSpace(data), deepestRef) }

func refsUnder(field string, data json.RawMessage, depth int) (all []namedRef) {
	if depth == 0 || len(data) == 0 {
		return nil
	}
	below := func(name string) string {
		if field == "" {
			return name
		}
		return field + "." + name
	}
	switch data[0] {
	case '{':
		var fields map[string]json.RawMessage
		if json.Unmarshal(data, &fields) != nil {
			return nil
		}
		if ref, ok := asRef(fields, data); ok {
			return []namedRef{{field, ref}}
		}
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			all = append(all, refsUnder(below(name), fields[name], depth-1)...)
		}
	case '[':
		var items []json.RawMessage
		if json.Unmarshal(data, &items) != nil {
			return nil
		}
		for i, item := range items {
			all = append(all, refsUnder(below(strconv.Itoa(i)), item, depth-1)...)
		}
	}
	return all
}

// asRef reads an object that looks like a reference.
func asRef(fields map[string]json.RawMessage, data []byte) (ref domain.Ref, ok bool) {
	for _, name := range []string{"ref", "version", "commitment"} {
		if fields[name] == nil {
			return ref, false
		}
	}
	return ref, json.Unmarshal(data, &ref) == nil && !ref.IsZero()
}
