// Package service is what the log says of the whole service: the clients of the login
// service's API, each with what it may ask for, the keys that sign what is told of a
// login, who seals the log, and what was removed from it. It has one stream for all of
// them, so that none is added twice. It imports domain only.
// Start reading at Event; client.go, key.go, seal.go and prune.go decide.
package service

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/keydesk/keydesk/domain"
)

// Schema is the version of all events of this package; it only grows.
const Schema = 1

// An Event is a fact about the service. The set is closed.
//
//sumtype:decl
type Event interface{ isEvent() }

// ClientAdded says that a program may ask for what its scopes name. Whoever has
// its token is this client; the event holds a hash of it. A token is 256 random
// bits, so that nobody finds it from its hash.
type ClientAdded struct {
	Client string  `json:"client"`
	Scopes []Scope `json:"scopes"`
	Token  string  `json:"token"` // SHA-256, base64url
}

// ClientRevoked says that a client may ask for nothing any more.
type ClientRevoked struct {
	Client string `json:"client"`
}

// KeyRotated says that assertions are signed with another key from some moment
// on. The private key is neither here nor anywhere: it is derived, each time it is
// needed, from the master key that is named and the key's own id.
type KeyRotated struct {
	Key    string    `json:"key"`    // 16 hexadecimal digits, random; JWKS calls it kid
	Master string    `json:"master"` // the id of the master key
	From   time.Time `json:"from"`   // when it begins to sign, UTC, in whole seconds
}

// SealBegun says who seals the log from here on: there is one at a time. Whoever
// the last one of these does not name, adds nothing to the seal.
type SealBegun struct {
	Sealer string `json:"sealer"` // random, made with the folder of the seal
	Origin string `json:"origin"` // of the tree: what its checkpoints begin with
	Key    string `json:"key"`    // what verifies them, "<origin>+<hash>+<key>"
}

// LoginsPruned says that the events of logins that were recorded before a moment are
// removed from the log, and what only they named from the vault. It is recorded before
// the first of them is.
type LoginsPruned struct {
	Before time.Time `json:"before"` // UTC, in whole seconds
	Events int64     `json:"events"` // so many there were
}

func (ClientAdded) isEvent()   {}
func (ClientRevoked) isEvent() {}
func (KeyRotated) isEvent()    {}
func (SealBegun) isEvent()     {}
func (LoginsPruned) isEvent()  {}

// TypeOf returns the name under which an event is recorded.
func TypeOf(e Event) string {
	switch e.(type) {
	case ClientAdded:
		return "ClientAdded"
	case ClientRevoked:
		return "ClientRevoked"
	case KeyRotated:
		return "KeyRotated"
	case SealBegun:
		return "SealBegun"
	case LoginsPruned:
		return "LoginsPruned"
	}
	panic(fmt.Sprintf("an event without a name: %T", e))
}

// Decode reads a recorded event; domain.ErrUnknownEvent for an unknown type.
func Decode(typ string, data []byte) (Event, error) {
	switch typ {
	case "ClientAdded":
		return decode[ClientAdded](data)
	case "ClientRevoked":
		return decode[ClientRevoked](data)
	case "KeyRotated":
		return decode[KeyRotated](data)
	case "SealBegun":
		return decode[SealBegun](data)
	case "LoginsPruned":
		return decode[LoginsPruned](data)
	}
	return nil, fmt.Errorf("decode service event: %w: %q", domain.ErrUnknownEvent, typ)
}

func decode[E Event](data []byte) (Event, error) {
	var e E
	if err := json.Unmarshal(data, &e); err != nil {
		return nil, fmt.Errorf("decode %s: %w", TypeOf(e), err)
	}
	return e, nil
}

// Message encodes an event with the id that every retry will have again.
func Message(e Event, by domain.Stamp) (domain.Message, error) {
	return domain.NewMessage(TypeOf(e), e, Schema, by)
}
