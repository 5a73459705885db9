package kiosk

import (
	"testing"
	"time"

	"fyne.io/fyne/v2/test"
)

// Whoever touches the kiosk before its clock has ticked at all is not told a
// second later that the time is up.
func TestAVisitThatBeginsAtOnce(t *testing.T) {
	h := open(t, nil)
	test.Tap(on[*startScreen](h).in)
	h.typed("sanne")
	h.pass(time.Second)
	if got := on[*emailScreen](h).field.Text(); got != "sanne" {
		t.Errorf("the field holds %q", got)
	}
}
