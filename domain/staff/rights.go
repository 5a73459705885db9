package staff

import (
	"slices"

	"github.com/keydesk/keydesk/domain"
)

// Right is something that a role may do.
type Right string

// The rights.
const (
	SeeBoard       Right = "see-board"       // who stands where, with names; search
	SeePerson      Right = "see-person"      // one person's page, with what is personal in it masked
	RevealData     Right = "reveal-data"     // a number or an address unmasked; each look is recorded
	HelpPerson     Right = "help-person"     // what weakens nothing: send again, clear wrong codes, freeze
	RequestCase    Right = "request-case"    // ask for what changes a factor
	ApproveCase    Right = "approve-case"    // allow what another asked for
	Assist         Right = "assist"          // sit beside somebody who enrols
	SeeKiosks      Right = "see-kiosks"      // which stations are alive
	ImportRoster   Right = "import-roster"   // HR's list
	Audit          Right = "audit"           // the whole log, at any moment, its seal, and bundles of it
	RequestErasure Right = "request-erasure" // ask that somebody's data is erased
)

// rights is the table: one row a role. Asking and approving are never in the same
// row, and neither is changing anything and auditing.
var rights = map[domain.Role][]Right{
	domain.RoleHelpdesk: {SeeBoard, SeePerson, RevealData, HelpPerson, RequestCase, Assist, SeeKiosks},
	domain.RoleApprover: {SeeBoard, SeePerson, ApproveCase, SeeKiosks},
	domain.RoleAuditor:  {SeeBoard, SeePerson, RevealData, SeeKiosks, Audit},
	domain.RoleAdmin:    {SeeBoard, SeePerson, SeeKiosks, ImportRoster, RequestErasure},
}

// RightsOf returns what somebody with these roles may do, each right once.
func RightsOf(roles []domain.Role) []Right {
	var all []Right
	for _, r := range roles {
		all = append(all, rights[r]...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// For returns the role in which somebody does something: the first of their roles, in
// the order of Roles, that has the right. False: none of them has.
func For(roles []domain.Role, right Right) (domain.Role, bool) {
	for _, r := range Roles() {
		if slices.Contains(roles, r) && slices.Contains(rights[r], right) {
			return r, true
		}
	}
	return "", false
}
