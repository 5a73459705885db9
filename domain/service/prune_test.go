package service_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/keydesk/keydesk/domain/service"
)

func TestPruneLogins(t *testing.T) {
	t.Parallel()
	old := noon.Add(-400 * 24 * time.Hour)
	for name, test := range map[string]struct {
		before time.Time
		events int64
		then   service.Event
		err    error
	}{
		"old ones":                    {old, 3, service.LoginsPruned{Before: old, Events: 3}, nil},
		"in whole seconds, in UTC":    {old.Add(time.Millisecond).In(time.FixedZone("CET", 3600)), 3, service.LoginsPruned{Before: old, Events: 3}, nil},
		"none":                        {old, 0, nil, service.ErrNothingToPrune},
		"of a day ago":                {noon.Add(-24 * time.Hour), 1, service.LoginsPruned{Before: noon.Add(-24 * time.Hour), Events: 1}, nil},
		"of less than a day ago":      {noon.Add(-24*time.Hour + time.Second), 1, nil, service.ErrLoginsKept},
		"of a day that has not begun": {noon.Add(time.Hour), 1, nil, service.ErrLoginsKept},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if e, err := service.PruneLogins(service.State{}, test.before, test.events, noon); !reflect.DeepEqual(e, test.then) || !errors.Is(err, test.err) {
				t.Errorf("got %#v, %v", e, err)
			}
		})
	}
}
