package pocket

import "testing"

// One phone takes no more places than are its own.
func TestOnePhoneTakesFewPlaces(t *testing.T) {
	t.Parallel()
	var c crowd
	for range deviceWaits {
		if !c.enter("one") {
			t.Fatal("no room for its own questions")
		}
	}
	if c.enter("one") {
		t.Error("it takes the place of others")
	}
	if !c.enter("another") {
		t.Error("another phone has no room")
	}
	c.leave("one")
	if !c.enter("one") {
		t.Error("a place was not given back")
	}
	for range deviceWaits {
		c.leave("one")
	}
	c.leave("another")
	if len(c.in) != 0 {
		t.Errorf("%d phones are remembered", len(c.in))
	}
}
