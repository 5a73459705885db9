package service_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/domain/service"
)

// noon is when the scenarios begin.
var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

func key(n int) string { return fmt.Sprintf("%016x", n) }

func rotated(n int, from time.Time) service.KeyRotated {
	return service.KeyRotated{Key: key(n), Master: "m1", From: from}
}

func TestRotateKey(t *testing.T) {
	t.Parallel()
	const ahead = service.KeyAhead
	first := rotated(1, noon)
	for name, test := range map[string]struct {
		given []service.Event
		when  func(service.State) (service.Event, error)
		then  service.Event
		err   error
	}{
		"the first one signs at once":          {nil, rotate(1, noon), first, nil},
		"in whole seconds, in UTC":             {nil, rotate(1, noon.Add(time.Millisecond).In(time.FixedZone("CET", 3600))), first, nil},
		"a later one is published first":       {[]service.Event{first}, rotate(2, noon.Add(time.Hour)), rotated(2, noon.Add(time.Hour+ahead)), nil},
		"while another one waits":              {[]service.Event{first, rotated(2, noon.Add(ahead))}, rotate(3, noon.Add(time.Minute)), rotated(3, noon.Add(ahead+time.Minute)), nil},
		"never before the one that it follows": {[]service.Event{first, rotated(2, noon.Add(time.Hour))}, rotate(3, noon), rotated(3, noon.Add(time.Hour)), nil},
		"the same id again":                    {[]service.Event{first}, rotate(1, noon), nil, service.ErrKeyThere},
		"no id":                                {nil, named(""), nil, service.ErrBadKey},
		"capital letters":                      {nil, named("00000000000000AB"), nil, service.ErrBadKey},
		"a short id":                           {nil, named("0123"), nil, service.ErrBadKey},
		"the first one, and there is none":     {nil, ensured(1, noon), first, nil},
		"the first one, and there is one":      {[]service.Event{first}, ensured(2, noon), nil, service.ErrKeyThere},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if e, err := test.when(given(test.given...)); !reflect.DeepEqual(e, test.then) || !errors.Is(err, test.err) {
				t.Errorf("got %#v, %v", e, err)
			}
		})
	}
}

func rotate(n int, at time.Time) func(service.State) (service.Event, error) {
	return func(s service.State) (service.Event, error) { return service.RotateKey(s, key(n), "m1", at) }
}

func named(id string) func(service.State) (service.Event, error) {
	return func(s service.State) (service.Event, error) { return service.RotateKey(s, id, "m1", noon) }
}

func ensured(n int, at time.Time) func(service.State) (service.Event, error) {
	return func(s service.State) (service.Event, error) { return service.FirstKey(s, key(n), "m1", at) }
}

// What the keys are for, as time goes by.
func TestWhatAKeyIsFor(t *testing.T) {
	t.Parallel()
	keys := given(rotated(1, noon), rotated(2, noon.Add(time.Hour)), rotated(3, noon.Add(3*time.Hour))).Keys
	for name, test := range map[string]struct {
		after     time.Duration
		signs     int
		published []int
		phases    []service.Phase
	}{
		"a clock that is behind": {-time.Minute, 1, []int{1, 2, 3}, []service.Phase{service.Signs, service.Waits, service.Waits}},
		"at the beginning":       {0, 1, []int{1, 2, 3}, []service.Phase{service.Signs, service.Waits, service.Waits}},
		"just before the second": {time.Hour - 1, 1, []int{1, 2, 3}, []service.Phase{service.Signs, service.Waits, service.Waits}},
		"with the second":        {time.Hour, 2, []int{1, 2, 3}, []service.Phase{service.Published, service.Signs, service.Waits}},
		"the first one's last":   {2*time.Hour - 1, 2, []int{1, 2, 3}, []service.Phase{service.Published, service.Signs, service.Waits}},
		"the first one is gone":  {2 * time.Hour, 2, []int{2, 3}, []service.Phase{service.Retired, service.Signs, service.Waits}},
		"with the third":         {3 * time.Hour, 3, []int{2, 3}, []service.Phase{service.Retired, service.Published, service.Signs}},
		"a year later":           {9000 * time.Hour, 3, []int{3}, []service.Phase{service.Retired, service.Retired, service.Signs}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := noon.Add(test.after)
			if k, ok := keys.Signing(at); !ok || k.ID != key(test.signs) || k.Master != "m1" {
				t.Errorf("%+v signs", k)
			}
			var published []string
			for _, n := range test.published {
				published = append(published, key(n))
			}
			if got := ids(keys.Published(at)); !slices.Equal(got, published) {
				t.Errorf("published are %v", got)
			}
			for i, want := range test.phases {
				if got := keys.Phase(key(i+1), at); got != want {
					t.Errorf("key %d: %s", i+1, got)
				}
			}
		})
	}
	none := service.Keys(nil)
	if _, ok := none.Signing(noon); ok || none.Published(noon) != nil || none.Phase(key(1), noon) != "" {
		t.Error("there are no keys, and one is for something")
	}
}

func ids(keys service.Keys) []string {
	var all []string
	for _, k := range keys {
		all = append(all, k.ID)
	}
	return all
}

// However often keys are rotated, by stations whose clocks differ: what is signed
// at any moment is verified for as long as it lives, against the JWKS of then, and
// against one that was fetched before and may still be kept.
func TestWhatWasSignedIsVerified(t *testing.T) {
	t.Parallel()
	const lives, skew = time.Minute, service.KeyAhead - service.JWKSCached
	rapid.Check(t, func(t *rapid.T) {
		within := func(name string, most time.Duration) time.Duration {
			return time.Duration(rapid.Int64Range(0, int64(most)).Draw(t, name))
		}
		type version struct {
			at    time.Time // when it was recorded, truly
			state service.State
		}
		now := noon
		var log []version
		s := service.State{}
		for n := range rapid.IntRange(1, 8).Draw(t, "rotations") {
			behind := within("clock", skew) // of the station that rotates
			e, err := service.RotateKey(s, key(n), "m1", now.Add(-behind))
			if err != nil {
				t.Fatal(err)
			}
			before := ids(s.Keys)
			next := service.Evolve(s, e)
			if !slices.Equal(before, ids(s.Keys)) {
				t.Fatal("the state before was changed")
			}
			s = next
			log = append(log, version{now, s})
			now = now.Add(within("pause", 2*time.Hour))
		}
		known := func(at time.Time) service.Keys { // what the log says at a moment
			keys := log[0].state.Keys
			for _, v := range log {
				if !v.at.After(at) {
					keys = v.state.Keys
				}
			}
			return keys
		}
		holds := func(what string, at time.Time, id string) {
			if !slices.Contains(ids(known(at).Published(at)), id) {
				t.Fatalf("%s: %s is not published at %s", what, id, at.Sub(noon))
			}
		}
		signedAt := noon.Add(within("signed", now.Sub(noon)))
		k, ok := known(signedAt).Signing(signedAt)
		if !ok {
			t.Fatal("nothing signs")
		}
		holds("at once", signedAt, k.ID)
		holds("while it lives", signedAt.Add(within("shown", 2*lives)), k.ID)
		if fetched := signedAt.Add(-within("fetched", service.JWKSCached)); !fetched.Before(noon) {
			holds("kept", fetched, k.ID)
		}
	})
}
