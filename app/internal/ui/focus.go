package ui

import "fyne.io/fyne/v2"

// mostStops is how often Tab is pressed at most to find out where the focus is.
const mostStops = 200

// Refocus builds what a canvas shows anew, and gives the focus to what now stands where it
// was in the order of Tab. It says whether anything had it.
func Refocus(c fyne.Canvas, build func()) bool {
	at := focusIndex(c)
	build()
	c.Unfocus()
	for range at {
		c.FocusNext()
	}
	return at > 0
}

// focusIndex counts how often Tab leads from nothing to what has the focus; 0: nothing has.
func focusIndex(c fyne.Canvas) int {
	at := c.Focused()
	if at == nil {
		return 0
	}
	c.Unfocus()
	c.FocusNext()
	start := c.Focused()
	for n := 1; n < mostStops; n++ {
		switch c.Focused() {
		case at:
			return n
		case nil:
			return 0
		case start:
			if n > 1 {
				return 0
			}
		}
		c.FocusNext()
	}
	return 0
}
