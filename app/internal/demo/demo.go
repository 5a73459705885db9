package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// Password is everybody's, so that anybody can be logged in as.
const Password = "Kaas-Fiets-Regen7!Molen" //nolint:gosec // it is no secret, and opens demos only

// EarlierPassword is what those had before who changed theirs since.
const EarlierPassword = "Wolk+Sleutel-Tafel9" //nolint:gosec // see Password

// Config is what a history depends on: the same Config gives the same history.
type Config struct {
	People  int       // 1 to MaxPeople
	Days    int       // of the history, 1 to MaxDays
	Seed    uint64    // of all chances and ids
	Until   time.Time // its end, which the screens will take for now; working hours are those of its zone
	Version string    // of the program that the kiosks run
	// There are the streams that the log holds already, and their next revisions. None:
	// then the first event is the one that makes the log a demo's.
	There map[string]domain.Revision

	Policy      enrolment.Policy
	Keys        Keys
	Credentials Credentials
}

// The most that a history can be of.
const (
	MaxPeople = 200_000
	MaxDays   = 3650
)

// Keys derives the keys that codes and networks are made with. Only their ids, and
// what is derived of them, depend on the master key.
type Keys interface {
	Derive(purpose string) (key [32]byte, id string)
}

// Credentials are the passwords of the demo, hashed. They are everybody's, so each
// is hashed once; the vault seals it under a key of each person all the same.
type Credentials struct {
	Now     Credential // of Password
	Old     Credential // of Password, with the parameters of some time ago
	Earlier Credential // of EarlierPassword
}

// A Credential is a hash, and what its event says of it.
type Credential struct {
	PHC        string
	Parameters string // "m=65536,t=3,p=1"
	Pepper     string // the key's id
}

// A House is where a history goes. Keep is called before the events that name what it
// is given are given to Record; the two may run at the same time.
type House interface {
	// Keep puts values of people into the vault.
	Keep(ctx context.Context, people []Filling) error
	// Record appends events to the log, in this order and with these times.
	Record(ctx context.Context, events []domain.Recorded) error
}

// A Filling is what is put of one person.
type Filling struct {
	Subject domain.SubjectID
	Email   string // of who is new, to be claimed; empty: they were there before
	Values  []Value
}

// A Value is one value, with all that the vault would choose for itself.
type Value struct {
	Kind    desk.Kind
	Value   []byte
	Ref     domain.RefID
	Version int
	Salt    [32]byte
	Put     time.Time
}

// Progress says how far a history is.
type Progress struct {
	Events int
	People int       // who are in the vault
	At     time.Time // of the history
}

// A Result is what a history came to.
type Result struct {
	Progress
	Began time.Time // midnight before its first day
	// Examples are the addresses of some people to look at.
	Examples []Example
}

// An Example is somebody to look at.
type Example struct {
	Email string
	As    string // "sms", "pocket", a role, "locked", "undeliverable", "frozen", "waiting": see Write
}

// ErrConfig says that no history can be made so.
var ErrConfig = errors.New("no history can be made so")

// Check says whether there can be such a history.
func (c Config) Check() error {
	switch {
	case c.People < 1 || c.People > MaxPeople:
		return fmt.Errorf("%w: 1 to %d people", ErrConfig, MaxPeople)
	case c.Days < 1 || c.Days > MaxDays:
		return fmt.Errorf("%w: 1 to %d days", ErrConfig, MaxDays)
	case c.Until.IsZero():
		return fmt.Errorf("%w: it has no end", ErrConfig)
	}
	return nil
}

// A batch is a part of a history: values, and the events that name them or come later.
type batch struct {
	people []Filling
	events []domain.Recorded
	at     time.Time
}

// batchEvents is how many events are given on at once: enough for a commit to be worth
// its while, and little enough to hold some of them.
const batchEvents = 8192

// Write makes up a history, and gives it to a house in parts as it goes: what it holds
// at any time grows with the people, and not with the events. tell is told after each
// part; it may be nil. After an error a part of the history may be there.
//
// The examples are somebody who logs in by SMS, and by Pocket; one of each role
// (domain.RoleHelpdesk and so on); who typed too many
// wrong codes; whose code does not arrive; whose account is frozen; and who did not
// begin yet. In a small history there may be none of some.
func Write(ctx context.Context, c Config, to House, tell func(Progress)) (Result, error) {
	if err := c.Check(); err != nil {
		return Result{}, err
	}
	var done Progress
	made, kept := make(chan batch, 1), make(chan batch, 1)
	all, within := errgroup.WithContext(ctx)
	w := newWorld(c, func(b batch) error { return hand(within, made, b) })
	all.Go(func() error {
		defer close(made)
		return w.run()
	})
	all.Go(func() error {
		defer close(kept)
		for b := range made {
			if len(b.people) > 0 {
				if err := to.Keep(within, b.people); err != nil {
					return fmt.Errorf("keep people: %w", err)
				}
			}
			if err := hand(within, kept, b); err != nil {
				return err
			}
		}
		return nil
	})
	all.Go(func() error {
		for b := range kept {
			if err := to.Record(within, b.events); err != nil {
				return fmt.Errorf("record a history: %w", err)
			}
			done = done.after(b)
			if tell != nil {
				tell(done)
			}
		}
		return nil
	})
	if err := all.Wait(); err != nil {
		return Result{Progress: done}, fmt.Errorf("make up a history: %w", err)
	}
	return Result{done, w.began, w.examples()}, nil
}

func (p Progress) after(b batch) Progress {
	for _, f := range b.people {
		if f.Email != "" {
			p.People++
		}
	}
	p.Events, p.At = p.Events+len(b.events), b.at
	return p
}

func hand(ctx context.Context, to chan<- batch, b batch) error {
	select {
	case to <- b:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
