package desk

import (
	"time"

	"github.com/keydesk/keydesk/domain/station"
)

// KioskState is how a station seems to be.
type KioskState string

// The states. See Kiosk.Seen for what is known of one that is quiet.
const (
	KioskAlive   KioskState = "alive"   // it was heard of in the last minutes
	KioskQuiet   KioskState = "quiet"   // not so long ago: at rest, or switched off
	KioskSilent  KioskState = "silent"  // not for longer than a day
	KioskRevoked KioskState = "revoked" // it is let in no more
	KioskUnclear KioskState = "unclear" // something was recorded of it that this program does not know: it is not let in
)

// A Kiosk is one station, as its events tell.
type Kiosk struct {
	ID     string
	Kind   station.Kind // empty: it runs where the log is, and needs no certificate
	State  KioskState
	Seen   time.Time // the last sign of life: an event, or a call; zero: never
	Called bool      // Seen is a call to this server, and not an event

	Version string    // as it said when it opened; empty: it never did
	Opened  time.Time // when it opened last

	LastDone  time.Time // when the last enrolment was finished there; zero: none
	DoneToday int

	LastError   station.Failure // empty: none
	LastErrorAt time.Time

	Revoked         station.Revocation // why; empty: it is not
	CertificateEnds time.Time          // of the newest; zero: it needs none
	EndsSoon        bool               // it should have been renewed by now, and was not
	Refused         int                // calls that it should not have made, in the last day
}
