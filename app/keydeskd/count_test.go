package main

import (
	"encoding/json"
	"maps"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/projections/ledger"
	"github.com/keydesk/keydesk/projections/timeline"
)

// What the command line counts is what the window of the audit counts, whatever the clock
// did.
func TestEventsAreCountedAsTheWindowDoes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		events := drawEvents(t)
		line, book := timeline.New(store.ProbePrefix), ledger.New(store.ProbePrefix)
		line.Apply(events, 0)
		book.Apply(events, 0)
		page := book.Page(ledger.Query{})
		for by, want := range map[string][]ledger.Count{"type": page.Types, "role": page.Roles, "station": page.Stations, "actor": page.Actors} {
			got := counted(&tally{by: by, events: map[tallied]int{}}, events)
			delete(got, tallied{}) // the window offers only what can be filtered by
			if wanted := asTallied(want); !maps.Equal(got, wanted) {
				t.Fatalf("by %s: %v, and in the window %v", by, got, wanted)
			}
		}
		hours := map[tallied]int{}
		line.Hours(func(hour time.Time, n int) bool {
			hours[tallied{value: hour.Format(time.RFC3339)}] = n
			return true
		})
		if got := counted(&tally{by: "hour", line: line, events: map[tallied]int{}}, events); !maps.Equal(got, hours) {
			t.Fatalf("by hour: %v, and in the window %v", got, hours)
		}
	})
}

func counted(t *tally, events []domain.Recorded) map[tallied]int {
	for i := range events {
		t.add(&events[i])
	}
	return t.events
}

func asTallied(counts []ledger.Count) map[tallied]int {
	all := map[tallied]int{}
	for _, c := range counts {
		all[tallied{c.Value, c.Kind}] = c.Events
	}
	return all
}

// drawEvents draws a log whose clock is set back and ahead now and then. The metadata of
// some cannot be read.
func drawEvents(t *rapid.T) []domain.Recorded {
	at, p := time.Date(2026, time.October, 24, 22, 0, 0, 0, time.UTC), domain.Position(0)
	events := make([]domain.Recorded, rapid.IntRange(0, 40).Draw(t, "events"))
	for i := range events {
		at = at.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 1200, 3600, 90_000, -1, -9000, 40_000_000}).Draw(t, "seconds")) * time.Second)
		p += domain.Position(rapid.Uint64Range(1, 3).Draw(t, "gap"))
		by := rapid.SampledFrom([]domain.Actor{
			{Kind: domain.ActorPerson, ID: "a", Role: domain.RoleSubject},
			domain.Console(),
			{Kind: domain.ActorStation, ID: "hall", Role: domain.RoleUnattended},
			{Kind: domain.ActorService, ID: "portal", Role: domain.RoleUnattended},
		}).Draw(t, "actor")
		metadata, err := json.Marshal(domain.Metadata{Actor: by, Station: rapid.SampledFrom([]string{"", "hall", "desk"}).Draw(t, "station"), At: at})
		if err != nil {
			t.Fatal(err)
		}
		if rapid.IntRange(0, 9).Draw(t, "readable") == 0 {
			metadata = []byte("{")
		}
		events[i] = domain.Recorded{
			Position: p, Recorded: at, Revision: domain.Revision(i), Stream: rapid.SampledFrom([]string{"enrolment-x", "login-x", "probe-doctor"}).Draw(t, "stream"),
			Message: domain.Message{Type: rapid.SampledFrom([]string{"CodeSent", "NameSet", "LoginFailed"}).Draw(t, "type"), Metadata: metadata},
		}
	}
	return events
}
