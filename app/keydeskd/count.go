package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/projections/ledger"
	"github.com/keydesk/keydesk/projections/replay"
	"github.com/keydesk/keydesk/projections/timeline"
)

// A tally counts events by one of the things that the window of the audit counts them by,
// as it does: the doctor's probes are no part of the record, and where the clock was set
// back, an event is of the hour of the latest one before it.
type tally struct {
	by     string // what --count says
	line   *timeline.Line
	events map[tallied]int
}

// A tallied is what events are counted under.
type tallied struct {
	value string
	kind  domain.ActorKind // of an actor
}

// tallyOf makes what --count asks for. What it knows of hours is up to the head of the log.
func (a *app) tallyOf(r *replay.Replayer, by string) (*tally, error) {
	t := &tally{by: by, events: map[tallied]int{}}
	if by != "hour" && by != "day" {
		return t, nil
	}
	var err error
	if t.line, err = r.Line(a.ctx); err != nil {
		return nil, fmt.Errorf("read how much happened when: %w", err)
	}
	return t, nil
}

// count shows how many of the events that are wanted there are of each kind.
func (a *app) count(log store.Log, query domain.Query, w *wanted, r *replay.Replayer) error {
	defer r.Wait()
	t, err := a.tallyOf(r, w.c.Count)
	if err != nil {
		return err
	}
	err = log.ReadAll(a.ctx, query, func(b domain.Batch) error {
		for i := range b.Events {
			if e := &b.Events[i]; w.fits(e) {
				t.add(e)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return t.print(a.out)
}

func (t *tally) add(e *domain.Recorded) {
	if !strings.HasPrefix(e.Stream, store.ProbePrefix) {
		t.events[t.under(e)]++
	}
}

func (t *tally) under(e *domain.Recorded) tallied {
	switch t.by {
	case "type":
		return tallied{value: e.Type}
	case "hour", "day":
		return tallied{value: t.when(e)}
	}
	var m domain.Metadata
	if json.Unmarshal(e.Metadata, &m) != nil {
		return tallied{} // of what cannot be read nothing is known
	}
	switch t.by {
	case "role":
		return tallied{value: string(m.Actor.Role)}
	case "station":
		return tallied{value: m.Station}
	}
	if m.Actor.Kind == domain.ActorPerson {
		return tallied{value: ledger.Themselves, kind: m.Actor.Kind}
	}
	return tallied{value: m.Actor.ID, kind: m.Actor.Kind}
}

// when returns the hour of an event, in UTC, or its day as clocks here show it.
func (t *tally) when(e *domain.Recorded) string {
	at := e.Recorded
	if e.Position <= t.line.Position() {
		if s, _, ok := t.line.Of(e.Position - 1); ok { // the stretch that the event is in
			at = s.Hour
		}
	}
	if t.by == "day" {
		return at.Local().Format(time.DateOnly)
	}
	return at.UTC().Truncate(time.Hour).Format(time.RFC3339)
}

// print prints a count a line: days and hours in their order, all else the most frequent
// first.
func (t *tally) print(out io.Writer) error {
	all := make([]tallied, 0, len(t.events))
	for k := range t.events {
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b tallied) int {
		if t.line != nil {
			return cmp.Compare(a.value, b.value)
		}
		return cmp.Or(cmp.Compare(t.events[b], t.events[a]), cmp.Compare(a.value, b.value), cmp.Compare(a.kind, b.kind))
	})
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	for _, k := range all {
		line := map[string]any{t.by: k.value, "events": t.events[k]}
		if k.kind != "" {
			line["kind"] = k.kind
		}
		if err := lines.Encode(line); err != nil {
			return fmt.Errorf("print what was counted: %w", err)
		}
	}
	return nil
}
