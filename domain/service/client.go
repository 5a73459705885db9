package service

import (
	"errors"
	"maps"
	"slices"

	"github.com/keydesk/keydesk/domain"
)

// Scope is something that a client may be allowed to ask for.
type Scope string

// The scopes.
const (
	ReadFactor Scope = "factor:read" // everybody's current factor, and when it changes
	Login      Scope = "login"       // log somebody in, and be given an assertion of it
)

// Scopes returns all of them.
func Scopes() []Scope { return []Scope{ReadFactor, Login} }

// The refusals of this package.
var (
	ErrBadClient    = errors.New(`not a client's id: up to 40 small letters, digits and dashes, such as "portal", and none that Keydesk uses itself`)
	ErrBadScope     = errors.New("not a scope")
	ErrClientExists = errors.New("there is a client of this id")
	ErrNoClient     = errors.New("there is no client of this id")
)

// A Client is a program that may ask.
type Client struct {
	Scopes  []Scope
	Token   string // SHA-256 of it, base64url
	Revoked bool
}

// May says whether a client may ask for what a scope names.
func (c Client) May(s Scope) bool { return !c.Revoked && slices.Contains(c.Scopes, s) }

// A State is who may ask, by id, what signs assertions, and who seals the log. Its
// zero value is that of a service that nobody may ask.
type State struct {
	Clients map[string]Client
	Keys    Keys
	Seal    SealBegun // the last one; zero: nobody seals yet
}

// AddClient decides to let a client ask. The id of one that was revoked can be
// used again, with another token.
func AddClient(s State, id string, scopes []Scope, token string) (Event, error) {
	if !domain.FreeID(id) {
		return nil, ErrBadClient
	}
	if len(scopes) == 0 {
		return nil, ErrBadScope
	}
	for _, scope := range scopes {
		if !slices.Contains(Scopes(), scope) {
			return nil, ErrBadScope
		}
	}
	if c, ok := s.Clients[id]; ok && !c.Revoked {
		return nil, ErrClientExists
	}
	return ClientAdded{id, slices.Compact(slices.Sorted(slices.Values(scopes))), token}, nil
}

// RevokeClient decides to let a client ask no more.
func RevokeClient(s State, id string) (Event, error) {
	if c, ok := s.Clients[id]; !ok || c.Revoked {
		return nil, ErrNoClient
	}
	return ClientRevoked{id}, nil
}

// Evolve returns the state after an event, and leaves the one before as it was.
func Evolve(s State, e Event) State {
	switch e := e.(type) {
	case ClientAdded:
		s.Clients = with(s.Clients, e.Client, Client{Scopes: e.Scopes, Token: e.Token})
	case ClientRevoked:
		c := s.Clients[e.Client]
		c.Revoked = true
		s.Clients = with(s.Clients, e.Client, c)
	case KeyRotated:
		s.Keys = append(slices.Clip(s.Keys), Key{ID: e.Key, Master: e.Master, From: e.From})
	case SealBegun:
		s.Seal = e
	case LoginsPruned: // nothing is decided on it
	}
	return s
}

// with returns a copy of all clients with one of them so.
func with(all map[string]Client, id string, c Client) map[string]Client {
	all = maps.Clone(all)
	if all == nil {
		all = map[string]Client{}
	}
	all[id] = c
	return all
}
