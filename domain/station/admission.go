package station

import (
	"errors"
	"slices"
	"time"

	"github.com/keydesk/keydesk/domain"
)

// Kind is what a station is for.
type Kind string

// The kinds of stations.
const (
	Kiosk Kind = "kiosk" // in a hallway: new staff enrol at it
	Desk  Kind = "desk"  // a member of staff works at it
)

// Revocation is why a station is let in no more.
type Revocation string

// The reasons of StationRevoked.
const (
	Lost     Revocation = "lost"
	Stolen   Revocation = "stolen"
	Replaced Revocation = "replaced" // by another machine
	Retired  Revocation = "retired"
)

// Revocations returns all reasons of StationRevoked.
func Revocations() []Revocation { return []Revocation{Lost, Stolen, Replaced, Retired} }

// RefusalReason is why a station was not given what it asked for.
type RefusalReason string

// The reasons of StationRefused.
const (
	NotItsKind   RefusalReason = "not-its-kind"   // other stations may ask for it
	NoSuchCase   RefusalReason = "no-such-case"   // nobody may
	WasRevoked   RefusalReason = "revoked"        // it is let in no more
	NotAdmitted  RefusalReason = "not-admitted"   // it never was
	OldOne       RefusalReason = "replaced"       // with a certificate that has ended, or was replaced by one that it has used
	WasMalformed RefusalReason = "malformed"      // it does not speak as a station does
	CutShort     RefusalReason = "too-many-calls" // far more than screens ever ask
)

// A Certificate is what a station shows itself with. It is public.
type Certificate struct {
	Serial string    `json:"serial"` // as in the certificate, hexadecimal
	Key    string    `json:"key"`    // SHA-256 of the public key (SubjectPublicKeyInfo), base64url
	Ends   time.Time `json:"ends"`
}

// The refusals of this package.
var (
	ErrAdmitted    = errors.New("the station is let in already")
	ErrNotAdmitted = errors.New("the station is not let in")
	ErrRevoked     = errors.New("the station was revoked")
	ErrBadStation  = errors.New(`not a station's id: up to 40 small letters, digits and dashes, such as "hal-west", and none that Keydesk uses itself`)
	ErrBadKind     = errors.New("not a kind of station")
	ErrBadReason   = errors.New("not a reason to revoke a station")
)

// A State is whether a station is let in. Its zero value is that of one of which
// nothing is known.
type State struct {
	Kind    Kind
	Revoked Revocation // why; empty: it is let in, or never was
	// The certificates that count, the newest last. The one that the station
	// showed when it asked for the newest does, because it may never have got
	// that: however often the answer is lost, the station can ask again.
	Certificates []Certificate
}

// Admitted says whether the station is let in.
func (s State) Admitted() bool { return len(s.Certificates) > 0 && s.Revoked == "" }

// Admits returns why somebody who shows a certificate is not let in now; empty
// when they are. What was recorded of it has the last word on its key and its end:
// one that was signed again counts no longer than before.
func (s State) Admits(shown Certificate, now time.Time) RefusalReason {
	switch recorded, ok := s.certificate(shown.Serial); {
	case len(s.Certificates) == 0:
		return NotAdmitted
	case s.Revoked != "":
		return WasRevoked
	case !ok, recorded.Key != shown.Key, now.After(recorded.Ends), now.After(shown.Ends):
		return OldOne
	}
	return ""
}

// certificate returns one that counts.
func (s State) certificate(serial string) (Certificate, bool) {
	i := slices.IndexFunc(s.Certificates, func(c Certificate) bool { return c.Serial == serial })
	if i < 0 {
		return Certificate{}, false
	}
	return s.Certificates[i], true
}

// Admit decides to let a station in.
func Admit(s State, id string, kind Kind, c Certificate) (Event, error) {
	switch {
	case !domain.FreeID(id):
		return nil, ErrBadStation
	case kind != Kiosk && kind != Desk:
		return nil, ErrBadKind
	case s.Admitted():
		return nil, ErrAdmitted
	}
	return StationAdmitted{kind, c}, nil
}

// Renew decides to give a station another certificate than the one that it shows.
func Renew(s State, c Certificate, shown string) (Event, error) {
	if err := s.in(); err != nil {
		return nil, err
	}
	if _, ok := s.certificate(shown); !ok {
		return nil, ErrNotAdmitted
	}
	return StationRenewed{c, shown}, nil
}

// Revoke decides to let a station in no more. One that is out already stays so.
func Revoke(s State, why Revocation) (Event, error) {
	if !slices.Contains(Revocations(), why) {
		return nil, ErrBadReason
	}
	if err := s.in(); err != nil {
		return nil, err
	}
	return StationRevoked{why}, nil
}

func (s State) in() error {
	switch {
	case len(s.Certificates) == 0:
		return ErrNotAdmitted
	case s.Revoked != "":
		return ErrRevoked
	}
	return nil
}

// Evolve returns the state after an event. Most events of a station say nothing
// about its admission.
func Evolve(s State, e Event) State {
	switch e := e.(type) {
	case StationAdmitted:
		return State{Kind: e.Kind, Certificates: []Certificate{e.Certificate}}
	case StationRenewed:
		var counts []Certificate
		if shown, ok := s.certificate(e.Shown); ok {
			counts = append(counts, shown)
		}
		s.Certificates = append(counts, e.Certificate)
	case StationRevoked:
		s.Revoked = e.Reason
	case StationOpened, StationWiped, StationUnlocked, StationFailed, StationRefused, HelpCodeShown:
	}
	return s
}
