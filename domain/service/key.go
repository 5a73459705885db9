package service

import (
	"encoding/hex"
	"errors"
	"time"
)

// How the keys of assertions follow each other.
const (
	// JWKSCached is for how long whoever verifies assertions may keep the public
	// keys that they were given.
	JWKSCached = 5 * time.Minute
	// KeyAhead is for how long a key is published before it signs: twice as long,
	// so that clocks may differ by the other half.
	KeyAhead = 2 * JWKSCached
	// KeyKept is for how long a key is published after it signed last. It is much
	// longer than an assertion lives.
	KeyKept = time.Hour
)

// The refusals about keys.
var (
	ErrBadKey   = errors.New("not the id of a key: 16 hexadecimal digits")
	ErrKeyThere = errors.New("there is a key already")
)

// A Key signs assertions from some moment on. The private key is derived; see
// KeyRotated.
type Key struct {
	ID     string
	Master string // the master key that it is derived from
	From   time.Time
}

// Keys are all that there ever were, in the order in which they sign. A slice is
// not to be changed.
type Keys []Key

// RotateKey decides that another key signs. The first one does so at once: nobody
// has an older JWKS. Every later one is published for a time before. A station's
// clock may be behind the one of the rotation before: a key never signs earlier
// than the one that it follows.
func RotateKey(s State, key, master string, at time.Time) (Event, error) {
	if b, err := hex.DecodeString(key); err != nil || len(b) != 8 || hex.EncodeToString(b) != key {
		return nil, ErrBadKey
	}
	for _, k := range s.Keys {
		if k.ID == key {
			return nil, ErrKeyThere
		}
	}
	from := at.UTC().Truncate(time.Second)
	if n := len(s.Keys); n > 0 {
		from = from.Add(KeyAhead)
		if last := s.Keys[n-1].From; from.Before(last) {
			from = last
		}
	}
	return KeyRotated{Key: key, Master: master, From: from}, nil
}

// FirstKey decides which key signs where none does yet: ErrKeyThere otherwise.
func FirstKey(s State, key, master string, at time.Time) (Event, error) {
	if len(s.Keys) > 0 {
		return nil, ErrKeyThere
	}
	return RotateKey(s, key, master, at)
}

// Signing returns the key that signs at a moment: the newest whose time has come,
// and the first one before that, since clocks differ. False: there is none.
func (ks Keys) Signing(at time.Time) (Key, bool) {
	if len(ks) == 0 {
		return Key{}, false
	}
	return ks[ks.signing(at)], true
}

func (ks Keys) signing(at time.Time) int {
	for i := len(ks) - 1; i > 0; i-- {
		if !at.Before(ks[i].From) {
			return i
		}
	}
	return 0
}

// Published returns the keys that JWKS holds at a moment: all that sign, will
// sign, or may have signed something that is still shown to somebody.
func (ks Keys) Published(at time.Time) Keys {
	for i := range ks {
		if ks.phase(i, at) != Retired {
			return ks[i:]
		}
	}
	return nil
}

// A Phase is what a key is for at a moment.
type Phase string

// The phases, in the order in which a key goes through them.
const (
	Waits     Phase = "will sign" // published ahead
	Signs     Phase = "signs"
	Published Phase = "published" // signs no more; what it signed is still verified
	Retired   Phase = "retired"   // not published any more
)

// Phase returns what the key of an id is for at a moment; empty: there is none.
func (ks Keys) Phase(id string, at time.Time) Phase {
	for i, k := range ks {
		if k.ID == id {
			return ks.phase(i, at)
		}
	}
	return ""
}

func (ks Keys) phase(i int, at time.Time) Phase {
	signing := ks.signing(at)
	switch {
	case i > signing:
		return Waits
	case i == signing:
		return Signs
	case at.Before(ks[i+1].From.Add(KeyKept)): // it signed until the next one did
		return Published
	}
	return Retired
}
