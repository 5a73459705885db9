package ledger_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/projections/foldtest"
	"github.com/keydesk/keydesk/projections/ledger"
)

// BenchmarkPage looks through 1,000,000 events with filters that were not asked for
// before, and goes on over one that was.
func BenchmarkPage(b *testing.B) {
	l := ledger.New()
	events := foldtest.Even(1_000_000/foldtest.EventsAPerson, 9)
	meta := make([][]byte, 64)
	for i := range meta {
		meta[i] = encoded(b, domain.Metadata{
			Correlation: domain.EventID{byte(i)}, Actor: domain.Actor{Kind: domain.ActorStation, ID: fmt.Sprint("kiosk-", i%20), Role: domain.RoleUnattended},
			Station: fmt.Sprint("kiosk-", i%20), Policy: "2026-1", At: foldtest.Start(),
		})
	}
	for i := range events {
		events[i].Metadata = meta[i%len(meta)]
	}
	l.Apply(events, 0)
	for name, f := range map[string]ledger.Filter{
		"all":     {},
		"type":    {Types: []string{"CodeSent", "FactorChosen"}},
		"station": {Station: "kiosk-7", Role: domain.RoleUnattended},
		"person":  {Subject: foldtest.Subject(500)},
	} {
		b.Run(name, func(b *testing.B) {
			n := 0
			for b.Loop() {
				n++ // another filter each time
				f.To = foldtest.Start().Add(10_000*time.Hour + time.Duration(n)*time.Second)
				if p := l.Page(ledger.Query{Filter: f, Limit: 200}); p.Total == 0 {
					b.Fatal("nothing")
				}
			}
		})
	}
	b.Run("again", func(b *testing.B) {
		n := 0
		for b.Loop() {
			n++
			if p := l.Page(ledger.Query{Filter: ledger.Filter{Station: "kiosk-7"}, Offset: n % 10_000, Limit: 200}); len(p.Rows) != 200 {
				b.Fatal("nothing")
			}
		}
	})
}
