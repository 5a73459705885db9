package remote_test

import (
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
)

// BenchmarkView compares a use case at the desk itself and from a station, over
// TLS, one call after the other.
func BenchmarkView(b *testing.B) {
	s := serve(b, b.TempDir(), &clock{})
	c := s.station("hal-west")
	v := s.walk(c, desk.ScreenPassword)
	local := s.Desk.At("hal-west")
	ctx := b.Context()
	b.Run("direct", func(b *testing.B) {
		for b.Loop() {
			if _, err := local.View(ctx, v.Visit); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("station", func(b *testing.B) {
		for n := 0; b.Loop(); n++ {
			if n%10 == 0 { // not limited
				s.clock.add(100 * time.Millisecond)
			}
			if _, err := c.View(ctx, v.Visit); err != nil && refusal(err) != desk.Busy {
				b.Fatal(err)
			} else if err != nil {
				s.clock.add(time.Second)
			}
		}
	})
}
