package domain

import (
	"encoding/json"
	"fmt"
	"time"
)

// ActorKind says what kind of thing acted.
type ActorKind string

// The kinds of actors.
const (
	ActorPerson  ActorKind = "person"  // the subject, proved or on the way to it
	ActorStaff   ActorKind = "staff"   // a member of staff who signed in, or works on the server's command line
	ActorStation ActorKind = "station" // a kiosk or a desk, of itself
	ActorService ActorKind = "service" // Keydesk itself, or a client of its API
)

// Role is what an actor is allowed to be at this moment.
type Role string

// The roles.
const (
	RoleSubject    Role = "subject"
	RoleHelpdesk   Role = "helpdesk"
	RoleApprover   Role = "approver"
	RoleAuditor    Role = "auditor"
	RoleAdmin      Role = "admin"
	RoleUnattended Role = "unattended" // machines
)

// An Actor is who did something. ID is a subject's UUID, a station's id or a
// client's id; never a name or an address.
type Actor struct {
	Kind ActorKind `json:"kind"`
	ID   string    `json:"id"`
	Role Role      `json:"role"`
}

// Console returns the actor at the server's command line: whoever has the master key.
func Console() Actor { return Actor{Kind: ActorStaff, ID: "console", Role: RoleAdmin} }

// A Stamp is everything that a decision may not make up by itself: which act
// this is, who does it, where, under which policy, and when.
type Stamp struct {
	Command     CommandID // of the act; its retries carry the same
	Correlation EventID   // what all acts of one visit share
	Causation   EventID   // the event or act that led to this one; zero: the act itself
	Actor       Actor
	Helper      string // the subject of a member of staff who sits beside; empty: nobody does
	Station     string
	Policy      string    // the policy's version, such as "2026-1"
	At          time.Time // the station's clock, UTC
}

// Metadata is what stands beside each event in the log, as JSON. The two names
// with a dollar sign are EventStoreDB's own, so that its tools can follow them.
type Metadata struct {
	Correlation EventID   `json:"$correlationId"`
	Causation   EventID   `json:"$causationId"`
	Schema      int       `json:"schema"` // of the event's data; it only grows
	Actor       Actor     `json:"actor"`
	Helper      string    `json:"helper,omitempty"` // the subject of a member of staff who sat beside
	Station     string    `json:"station"`
	Policy      string    `json:"policy"`
	At          time.Time `json:"at"` // RFC 3339, UTC, at the station
}

// Metadata returns what to record beside an event of the given schema version.
func (s Stamp) Metadata(schema int) Metadata {
	cause := s.Causation
	if cause == (EventID{}) {
		cause = EventID(s.Command)
	}
	return Metadata{
		Correlation: s.Correlation, Causation: cause, Schema: schema, Actor: s.Actor, Helper: s.Helper,
		Station: s.Station, Policy: s.Policy, At: s.At.UTC(),
	}
}

// NewMessage encodes the only event of a command, with the id that every retry
// will have again. schema is the version of its data.
func NewMessage(typ string, event any, schema int, by Stamp) (Message, error) {
	data, err := json.Marshal(event)
	if err != nil {
		return Message{}, fmt.Errorf("encode %s: %w", typ, err)
	}
	meta, err := json.Marshal(by.Metadata(schema))
	if err != nil {
		return Message{}, fmt.Errorf("encode metadata: %w", err)
	}
	return Message{ID: EventIDFor(by.Command, 0), Type: typ, Data: data, Metadata: meta}, nil
}
