package service

import "errors"

// ErrOtherSealer says that somebody else seals the log than was thought.
var ErrOtherSealer = errors.New("somebody else seals the log")

// BeginSeal decides that another one seals the log from here on. after is the sealer
// that it follows, "" where nobody has sealed yet: of two that begin at the same
// moment, one does.
func BeginSeal(s State, e SealBegun, after string) (Event, error) {
	if s.Seal.Sealer != after {
		return nil, ErrOtherSealer
	}
	return e, nil
}
