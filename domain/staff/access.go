package staff

import (
	"fmt"

	"github.com/keydesk/keydesk/domain"
)

// An Access is a fact about what somebody with rights has looked at. It never holds
// what they saw, nor what they looked for. The set is closed.
//
//sumtype:decl
type Access interface{ isAccess() }

// Scope is what was looked at.
type Scope string

// The scopes.
const (
	ShownPhone    Scope = "phone"     // the number that a person enrolled with, or gave
	ShownEmail    Scope = "email"     // their address
	ShownHRNumber Scope = "hr-number" // the number that HR has, to call back
	ShownTicket   Scope = "ticket"    // that stands in for a password, to hand over
	ShownPerson   Scope = "person"    // their page, or their story: name, steps, diagnosis, factor, events
	ShownEvent    Scope = "event"     // events of theirs that were opened in the audit's table: one look for all of a shift
	ShownValues   Scope = "values"    // whether the vault holds what was recorded of them; never what that is
	SearchedAll   Scope = "everybody"

	ExportedEvents Scope = "events" // a bundle of the log
)

// DataShown says that personal data of a person was shown.
type DataShown struct {
	Scope   Scope            `json:"scope"`
	Subject domain.SubjectID `json:"subject"`
	Case    string           `json:"case,omitempty"` // for which it was needed
}

// SearchMade says that somebody searched. One is recorded for a row of keystrokes.
type SearchMade struct {
	Scope Scope `json:"scope"`
}

// ExportMade says that a part of the record was taken out, or was about to be: it is
// recorded before.
type ExportMade struct {
	Scope Scope           `json:"scope"`
	From  domain.Position `json:"from"` // of the first event
	To    domain.Position `json:"to"`   // of the last one; 0: the record was empty
}

func (DataShown) isAccess()  {}
func (SearchMade) isAccess() {}
func (ExportMade) isAccess() {}

// TypeOfAccess returns the name under which one is recorded.
func TypeOfAccess(a Access) string {
	switch a.(type) {
	case DataShown:
		return "DataShown"
	case SearchMade:
		return "SearchMade"
	case ExportMade:
		return "ExportMade"
	}
	panic(fmt.Sprintf("an access without a name: %T", a))
}

// DecodeAccess reads a recorded one; domain.ErrUnknownEvent for an unknown type.
func DecodeAccess(typ string, data []byte) (Access, error) {
	switch typ {
	case "DataShown":
		return decode[DataShown](typ, data)
	case "SearchMade":
		return decode[SearchMade](typ, data)
	case "ExportMade":
		return decode[ExportMade](typ, data)
	}
	return nil, fmt.Errorf("decode access: %w: %q", domain.ErrUnknownEvent, typ)
}

// AccessMessage encodes one with the id that every retry will have again.
func AccessMessage(a Access, by domain.Stamp) (domain.Message, error) {
	return domain.NewMessage(TypeOfAccess(a), a, Schema, by)
}

// AccessStream names the stream of what a member of staff has looked at.
func AccessStream(s domain.SubjectID) string { return domain.AccessPrefix + s.String() }
