package staff

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/keydesk/keydesk/domain"
)

// Schema is the version of all events of this package; it only grows.
const Schema = 1

// An Event is a fact about one person's roles. The set is closed.
//
//sumtype:decl
type Event interface{ isEvent() }

// RoleGranted says that a person may do what a role may.
type RoleGranted struct {
	Role domain.Role `json:"role"`
}

// RoleRevoked says that they may no longer.
type RoleRevoked struct {
	Role domain.Role `json:"role"`
}

func (RoleGranted) isEvent() {}
func (RoleRevoked) isEvent() {}

// Roles returns the roles that can be granted.
func Roles() []domain.Role {
	return []domain.Role{domain.RoleHelpdesk, domain.RoleApprover, domain.RoleAuditor, domain.RoleAdmin}
}

// The refusals of this package.
var (
	ErrBadRole    = errors.New("not a role that can be granted")
	ErrHasRole    = errors.New("they have this role already")
	ErrHasNotRole = errors.New("they do not have this role")
	ErrOwnAccount = errors.New("nobody acts on their own account")
)

// A State is which roles a person has, in the order of Roles. Its zero value is
// somebody without any.
type State struct{ Roles []domain.Role }

// Has says whether they have a role.
func (s State) Has(r domain.Role) bool { return slices.Contains(s.Roles, r) }

// Grant decides to give a person a role.
func Grant(s State, whom domain.SubjectID, r domain.Role, by domain.Stamp) (Event, error) {
	switch {
	case !slices.Contains(Roles(), r):
		return nil, ErrBadRole
	case Own(whom, by.Actor):
		return nil, ErrOwnAccount
	case s.Has(r):
		return nil, ErrHasRole
	}
	return RoleGranted{r}, nil
}

// Revoke decides to take a role from a person.
func Revoke(s State, whom domain.SubjectID, r domain.Role, by domain.Stamp) (Event, error) {
	switch {
	case Own(whom, by.Actor):
		return nil, ErrOwnAccount
	case !s.Has(r):
		return nil, ErrHasNotRole
	}
	return RoleRevoked{r}, nil
}

// Own says whether an actor is the person whom something is done to.
func Own(whom domain.SubjectID, a domain.Actor) bool {
	return a.Kind == domain.ActorStaff && a.ID == whom.String()
}

// Evolve returns the state after an event, and leaves the one before as it was.
func Evolve(s State, e Event) State {
	var roles []domain.Role
	has := func(r domain.Role) bool {
		switch e := e.(type) {
		case RoleGranted:
			return s.Has(r) || r == e.Role
		case RoleRevoked:
			return s.Has(r) && r != e.Role
		}
		return s.Has(r)
	}
	for _, r := range Roles() {
		if has(r) {
			roles = append(roles, r)
		}
	}
	return State{roles}
}

// Apply folds a recorded event of anybody's roles into who has which. A stream that is
// called like one of them and is none is passed over.
func Apply(all map[domain.SubjectID]State, rec domain.Recorded) error {
	s, err := domain.ParseSubjectID(strings.TrimPrefix(rec.Stream, domain.StaffPrefix))
	if err != nil {
		return nil //nolint:nilerr // see above
	}
	e, err := Decode(rec.Type, rec.Data)
	if err != nil {
		return fmt.Errorf("fold %s at revision %d: %w", rec.Stream, rec.Revision, err)
	}
	all[s] = Evolve(all[s], e)
	return nil
}

// TypeOf returns the name under which an event is recorded.
func TypeOf(e Event) string {
	switch e.(type) {
	case RoleGranted:
		return "RoleGranted"
	case RoleRevoked:
		return "RoleRevoked"
	}
	panic(fmt.Sprintf("an event without a name: %T", e))
}

// Decode reads a recorded event; domain.ErrUnknownEvent for an unknown type.
func Decode(typ string, data []byte) (Event, error) {
	switch typ {
	case "RoleGranted":
		return decode[RoleGranted](typ, data)
	case "RoleRevoked":
		return decode[RoleRevoked](typ, data)
	}
	return nil, fmt.Errorf("decode staff event: %w: %q", domain.ErrUnknownEvent, typ)
}

func decode[E any](typ string, data []byte) (e E, err error) {
	if err := json.Unmarshal(data, &e); err != nil {
		return e, fmt.Errorf("decode %s: %w", typ, err)
	}
	return e, nil
}

// Message encodes an event with the id that every retry will have again.
func Message(e Event, by domain.Stamp) (domain.Message, error) {
	return domain.NewMessage(TypeOf(e), e, Schema, by)
}

// Stream names the stream of a person's roles.
func Stream(s domain.SubjectID) string { return domain.StaffPrefix + s.String() }
