package service_test

import (
	"errors"
	"testing"

	"github.com/keydesk/keydesk/domain/service"
)

func TestBeginSeal(t *testing.T) {
	t.Parallel()
	first := service.SealBegun{Sealer: "a", Origin: "keydesk/x", Key: "keydesk/x+1+k"}
	second := service.SealBegun{Sealer: "b", Origin: "keydesk/x/2", Key: "keydesk/x/2+1+k"}
	for name, test := range map[string]struct {
		given []service.Event
		when  service.SealBegun
		after string
		err   error
	}{
		"the first one":                       {nil, first, "", nil},
		"the first one, and there is one":     {[]service.Event{first}, second, "", service.ErrOtherSealer},
		"one that follows":                    {[]service.Event{first}, second, "a", nil},
		"one that follows, and another did":   {[]service.Event{first, second}, service.SealBegun{Sealer: "c"}, "a", service.ErrOtherSealer},
		"one that follows nobody who was one": {nil, second, "a", service.ErrOtherSealer},
	} {
		e, err := service.BeginSeal(given(test.given...), test.when, test.after)
		if !errors.Is(err, test.err) || err == nil && service.Evolve(service.State{}, e).Seal != test.when {
			t.Errorf("%s: got %v, %v", name, e, err)
		}
	}
}
