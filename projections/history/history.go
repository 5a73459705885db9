package history

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// Outcome is what kind of thing happened, for the colour and the sign that a
// screen gives it.
type Outcome string

// The outcomes.
const (
	Progress Outcome = "progress" // something was achieved
	Note     Outcome = "note"     // something happened on the way
	Refused  Outcome = "refused"  // a try that was not accepted
	Failed   Outcome = "failed"   // something of ours that did not work
	Puzzling Outcome = "puzzling" // it could not be understood; from here on Step and Factor are not known
)

// Unclear is the step from a puzzling entry on.
const Unclear enrolment.Step = -1

// An Entry is one thing that happened.
type Entry struct {
	Message string            // id of the sentence that tells it
	Params  map[string]string // what the sentence names; nil: nothing

	At       time.Time // at the station, UTC; zero: it was not recorded
	Recorded time.Time // by the log, UTC
	Type     string    // of the event; empty: events are missing here
	Outcome  Outcome
	Actor    domain.Actor
	Station  string
	Policy   string
	Visit    domain.EventID // what all acts of one visit share

	Step   enrolment.Step   // where the person stood then; 0: not begun
	Factor enrolment.Factor // what counted then; empty when Step is Unclear

	ID       domain.EventID
	Revision domain.Revision
	Position domain.Position
}

// Of tells the story of one person, from the events of their stream with
// metadata, in order from the first. It leaves nothing out: an event that it
// cannot understand and a place where events are missing are entries too. The
// entries keep nothing that the events point at.
func Of(events []domain.Recorded) []Entry {
	var t teller
	entries := make([]Entry, 0, len(events))
	for i := range events {
		e := &events[i]
		if e.Revision != t.next {
			t.unclear = true
			entries = append(entries, Entry{
				Message: "history-missing", Outcome: Puzzling, Step: Unclear, Recorded: e.Recorded,
				Revision: t.next, Position: e.Position,
			})
		}
		t.next = e.Revision + 1
		entries = append(entries, t.tell(e))
	}
	return entries
}

// A teller knows what happened so far.
type teller struct {
	state   enrolment.State
	next    domain.Revision
	unclear bool
}

func (t *teller) tell(r *domain.Recorded) Entry {
	entry := Entry{Recorded: r.Recorded, Type: r.Type, ID: r.ID, Revision: r.Revision, Position: r.Position}
	var meta domain.Metadata
	if err := json.Unmarshal(r.Metadata, &meta); err == nil { // what is not readable is not shown
		entry.At, entry.Actor, entry.Station = meta.At, meta.Actor, meta.Station
		entry.Policy, entry.Visit = meta.Policy, meta.Correlation
	}
	event, err := enrolment.Decode(r.Type, r.Data)
	switch {
	case errors.Is(err, domain.ErrUnknownEvent):
		entry.Message, entry.Outcome, t.unclear = "history-unknown", Puzzling, true
	case err != nil:
		entry.Message, entry.Outcome, t.unclear = "history-unreadable", Puzzling, true
	default:
		t.state = enrolment.Evolve(t.state, event)
		entry.Message, entry.Outcome, entry.Params = words(event)
	}
	switch {
	case t.unclear:
		entry.Step = Unclear
	case t.state.Started:
		entry.Step, entry.Factor = t.state.Step(), t.state.Factor()
	default:
		entry.Factor = t.state.Factor()
	}
	return entry
}
