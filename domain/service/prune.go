package service

import (
	"errors"
	"time"
)

// LoginsKept is for how long logins are kept at the least.
const LoginsKept = 24 * time.Hour

// The refusals to prune.
var (
	ErrNothingToPrune = errors.New("no login is as old as that")
	ErrLoginsKept     = errors.New("logins are kept for a day at the least")
)

// PruneLogins decides that the logins of before a moment are removed, of which there
// are so many events.
func PruneLogins(_ State, before time.Time, events int64, at time.Time) (Event, error) {
	switch {
	case before.After(at.Add(-LoginsKept)):
		return nil, ErrLoginsKept
	case events <= 0:
		return nil, ErrNothingToPrune
	}
	return LoginsPruned{Before: before.UTC().Truncate(time.Second), Events: events}, nil
}
