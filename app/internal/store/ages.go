package store

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/keydesk/keydesk/domain"
)

// ages is Options.MaxAge, the longest beginnings first.
type ages []maxAge

type maxAge struct {
	prefix string
	age    time.Duration
}

func newAges(byPrefix map[string]time.Duration) ages {
	as := make(ages, 0, len(byPrefix))
	for prefix, age := range byPrefix {
		as = append(as, maxAge{prefix, age})
	}
	slices.SortFunc(as, func(a, b maxAge) int { return cmp.Compare(len(b.prefix), len(a.prefix)) })
	return as
}

// of returns for how long the events of a stream are given; 0: for ever.
func (as ages) of(stream string) time.Duration {
	for i := range as {
		if strings.HasPrefix(stream, as[i].prefix) {
			return as[i].age
		}
	}
	return 0
}

// expired says whether an event of a stream is too old to be given.
func (as ages) expired(stream string, recorded, now time.Time) bool {
	age := as.of(stream)
	return age > 0 && now.Sub(recorded) >= age
}

// drop takes out of a stream's events those that are too old to be given.
func (as ages) drop(stream string, events []domain.Recorded) []domain.Recorded {
	if as.of(stream) == 0 {
		return events
	}
	now := time.Now()
	return slices.DeleteFunc(events, func(e domain.Recorded) bool { return as.expired(stream, e.Recorded, now) })
}
