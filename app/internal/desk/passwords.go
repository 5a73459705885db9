package desk

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/keydesk/keydesk/app/internal/password"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/login"
)

// The first step of a login: whose the password is, and how often it may be guessed.

// guards let one password of an address be tried at a time: guesses made together
// count as many as guesses made one after the other, before any of them is answered.
type guards struct {
	mu sync.Mutex
	at map[string]*guard
}

type guard struct {
	turn chan struct{}
	here int
}

// mostAtOnce is how many tries may wait for one address.
const mostAtOnce = 8

func (g *guards) enter(ctx context.Context, key string) (leave func(), err error) {
	g.mu.Lock()
	if g.at == nil {
		g.at = map[string]*guard{}
	}
	one := g.at[key]
	if one == nil {
		one = &guard{turn: make(chan struct{}, 1)}
		g.at[key] = one
	}
	if one.here >= mostAtOnce {
		g.mu.Unlock()
		return nil, password.ErrBusy
	}
	one.here++
	g.mu.Unlock()
	gone := func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if one.here--; one.here == 0 {
			delete(g.at, key)
		}
	}
	select {
	case one.turn <- struct{}{}:
		return func() { <-one.turn; gone() }, nil
	case <-ctx.Done():
		gone()
		return nil, ctx.Err()
	}
}

// verify compares a password, and returns whose it is. Whoever is nobody, has no
// password, is locked or guessed wrong is refused alike, after the same work: one
// hash, and as much written down; and only at the next step of a coarse clock.
func (d *Desk) verify(ctx context.Context, who applicant, email, typed string, by domain.Stamp) (domain.SubjectID, record, error) {
	began := time.Now()
	key, err := d.NormalEmail(email)
	if err != nil {
		return domain.SubjectID{}, record{}, refuse(NotAnAddress)
	}
	if err := d.roomToTry(ctx, who); err != nil {
		return domain.SubjectID{}, record{}, err
	}
	leave, err := d.guards.enter(ctx, key)
	if err != nil {
		return domain.SubjectID{}, record{}, err
	}
	defer leave()
	s, err := d.People.Find(ctx, email)
	if errors.Is(err, domain.ErrNotFound) {
		s, err = domain.SubjectID(newCommand()), nil // read, and found empty
	}
	if err != nil {
		return s, record{}, fmt.Errorf("find who logs in: %w", err)
	}
	r, ok, err := d.compare(ctx, s, key, who, typed, by)
	switch {
	case err != nil:
		return s, r, err
	case !ok:
		d.floor(began)
		return s, r, refuse(WrongLogin)
	}
	return s, r, nil
}

// How many passwords may fail in an hour from one network, over all addresses: a
// station has one person at a time, and a network of the API may be an office.
const (
	failuresOfStation = 300
	failuresOfNetwork = 1200
)

// failures is the limit on what fails from where somebody is; false: the client did not
// say where, and then one who guesses would stop all others.
func (who applicant) failures() (Limit, bool) {
	most := failuresOfNetwork
	if who.by.Station != "" {
		most = failuresOfStation
	}
	return Limit{Name: "login-failures", Key: string(who.network), Window: hour, Max: most}, !who.nowhere
}

// roomToTry refuses a password before it is looked at, whoever it is for, where too
// many have failed: so who tries a few on everybody is stopped too, and what hashing
// costs is bounded.
func (d *Desk) roomToTry(ctx context.Context, who applicant) error {
	limit, somewhere := who.failures()
	if !somewhere {
		return nil
	}
	n, err := d.Limits.Count(ctx, d.Now(), limit)
	if err != nil {
		return fmt.Errorf("count failed logins: %w", err)
	}
	if n >= limit.Max {
		return &Refusal{Code: Limited, Wait: 15 * time.Minute}
	}
	return nil
}

// countFailure counts one, alike for everybody.
func (d *Desk) countFailure(ctx context.Context, who applicant) error {
	limit, somewhere := who.failures()
	if !somewhere {
		return nil
	}
	if _, _, err := d.Limits.Take(ctx, d.Now(), limit); err != nil {
		return fmt.Errorf("count a failed login: %w", err)
	}
	return nil
}

// compare says whether a password is that of a person, whom nothing keeps from
// logging in from this network. When not, that is recorded.
func (d *Desk) compare(ctx context.Context, s domain.SubjectID, key string, who applicant, typed string, by domain.Stamp) (record, bool, error) {
	r, err := d.load(ctx, s)
	if err != nil {
		return r, false, err
	}
	logins, err := d.loadLogins(ctx, s)
	if err != nil {
		return r, false, err
	}
	free := logins.state.Locked(d.Policy, who.network, by.At).IsZero()
	stored, err := d.open(ctx, s, KindCredential, r.state.Password)
	if err != nil {
		return r, false, err
	}
	ok, old := false, false
	if stored == "" {
		err = d.Hasher.VerifyNothing(ctx, typed)
	} else {
		ok, old, err = d.Hasher.Verify(ctx, stored, typed)
	}
	switch {
	case err != nil:
		return r, false, err
	case ok && free:
		if old {
			r = d.rehash(ctx, s, r, typed)
		}
		return r, true, nil
	}
	if err := d.countFailure(ctx, who); err != nil {
		return r, false, err
	}
	if stored == "" || !free {
		return r, false, d.noteLogin(ctx, key)
	}
	by.Command = newCommand() // each password that was looked at is a guess, whatever Call it came with
	_, events, err := d.actLogin(ctx, s, by, func(login.State) (login.Command, error) {
		return login.FailPassword{By: who.by, Network: who.network}, nil
	})
	if errors.Is(err, login.ErrLocked) { // another server was faster
		return r, false, d.noteLogin(ctx, key)
	}
	d.tellLocked(s, events)
	return r, false, err
}

// noteLogin writes down what is not recorded, so that it takes as long as if it
// were, and fails when nothing can be written.
func (d *Desk) noteLogin(ctx context.Context, key string) error {
	_, _, err := d.Limits.Take(ctx, d.Now(), Limit{Name: "login", Key: key, Window: hour, Max: 1_000_000})
	return err
}

// tellLocked tells somebody that their account is locked for a while.
func (d *Desk) tellLocked(s domain.SubjectID, events []login.Event) {
	for _, e := range events {
		if l, ok := e.(login.LoginLocked); ok {
			d.notify(s, "locked "+string(l.Network)+l.Until.String(), Message{Kind: LoginLockedMessage}, enrolment.ByMail)
		}
	}
}

// rehash keeps the password with the parameters of today. That it cannot be kept
// so keeps nobody from logging in.
func (d *Desk) rehash(ctx context.Context, s domain.SubjectID, r record, typed string) record {
	c, refs, err := d.credential(ctx, s, typed, enrolment.PasswordRehashed, r.state.Password)
	if err == nil {
		_, _, err = d.act(ctx, s, d.machineStamp(domain.EventID(newCommand())), func(enrolment.State) (enrolment.Command, error) { return c, nil })
	}
	if err == nil {
		d.activate(ctx, s, refs)
		var fresh record
		// Only if nothing else came in between: that has to be noticed.
		if fresh, err = d.load(ctx, s); err == nil && fresh.revision == r.revision+1 && fresh.state.Password == refs {
			r = fresh
		}
	}
	d.report(err)
	return r
}

// credential hashes a password and keeps the hash.
func (d *Desk) credential(ctx context.Context, s domain.SubjectID, typed string, why enrolment.PasswordReason, replaces domain.Ref) (enrolment.ChangePassword, domain.Ref, error) {
	hash, err := d.Hasher.Hash(ctx, typed)
	if err != nil {
		return enrolment.ChangePassword{}, domain.Ref{}, err
	}
	ref, err := d.put(ctx, s, KindCredential, []byte(hash))
	if err != nil {
		return enrolment.ChangePassword{}, domain.Ref{}, err
	}
	phc, err := password.ParsePHC(hash)
	return enrolment.ChangePassword{
		Credential: ref, Algorithm: "argon2id", Pepper: phc.Pepper, Replaces: replaces, Reason: why,
		Parameters: fmt.Sprintf("m=%d,t=%d,p=%d", phc.Memory, phc.Time, phc.Threads),
	}, ref, err
}
