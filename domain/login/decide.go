package login

import (
	"errors"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// The refusals.
var (
	// ErrLocked: too many failed guesses from this network, or from everywhere.
	// Nobody is told apart from whom it was refused for another reason.
	ErrLocked = errors.New("login is locked")
	// ErrTooManyApprovals: the phone was asked too often just now.
	ErrTooManyApprovals = errors.New("the phone was asked too often")
	// ErrNoChallenge: there is no such login, or it is not this asker's.
	ErrNoChallenge = errors.New("no such login")
	// ErrOver: it is over: too late, too many guesses, denied, or another took its
	// place.
	ErrOver = errors.New("the login is over")
	// ErrGiven: it was given already, and is not given twice.
	ErrGiven = errors.New("the login was given already")
	// ErrNotApproved: the phone has not answered yet.
	ErrNotApproved = errors.New("not approved yet")
	// ErrWrongPhone: another phone than the one that was asked, or another nonce.
	ErrWrongPhone = errors.New("not the phone that was asked")
)

// A Command asks for something to be decided. The set is closed.
//
//sumtype:decl
type Command interface{ isCommand() }

type (
	// FailPassword says that the password was not right.
	FailPassword struct {
		By      Asker
		Network Network
	}

	// Ask asks for the factor, after the right password. Its Expires is set here.
	Ask struct{ Challenge LoginChallenged }

	// RecordSent says that a provider took over a message.
	RecordSent struct{ Sent CodeSent }
	// RecordUndeliverable says that a message did not leave, or may not have.
	RecordUndeliverable struct{ Failed CodeUndeliverable }

	// Answer brings the code from the SMS.
	Answer struct {
		Challenge enrolment.ChallengeID
		By        Asker
		Matches   bool
	}

	// Decision is the phone's; its signature and what it was shown were checked before.
	Decision struct {
		Challenge enrolment.ChallengeID
		Device    enrolment.DeviceID
		Nonce     string
		Matches   bool    // the digits, where Says is empty
		Says      Failure // Denied or NotMe; empty: yes
	}

	// Redeem gives the login that the phone has approved.
	Redeem struct {
		Challenge enrolment.ChallengeID
		By        Asker
	}

	// Void takes back a login that was recorded and not given.
	Void struct{ Challenge enrolment.ChallengeID }
)

func (FailPassword) isCommand()        {}
func (Ask) isCommand()                 {}
func (RecordSent) isCommand()          {}
func (RecordUndeliverable) isCommand() {}
func (Answer) isCommand()              {}
func (Decision) isCommand()            {}
func (Redeem) isCommand()              {}
func (Void) isCommand()                {}

// Decide says what follows from a command: events to record, or a refusal. A wrong
// guess is a fact, and only counts as refused once it is recorded. While a lock
// lasts guesses are refused without looking, and not recorded: so a log cannot be
// filled with them.
func Decide(p enrolment.Policy, s State, c Command, by domain.Stamp) ([]Event, error) {
	switch c := c.(type) {
	case FailPassword:
		if !s.Locked(p, c.Network, by.At).IsZero() {
			return nil, ErrLocked
		}
		return guessed(p, s, LoginFailed{Reason: WrongPassword, By: c.By, Network: c.Network}, by.At), nil
	case Ask:
		return decideAsk(p, s, c, by.At)
	case RecordSent:
		return []Event{c.Sent}, nil
	case RecordUndeliverable:
		return []Event{c.Failed}, nil
	case Answer:
		return decideAnswer(p, s, c, by.At)
	case Decision:
		return decideDecision(p, s, c, by.At)
	case Redeem:
		return decideRedeem(p, s, c, by.At)
	case Void:
		if s.Open.ID != c.Challenge || s.Open.Stage != Succeeded {
			return nil, nil
		}
		return []Event{LoginFailed{c.Challenge, Stale, s.Open.By, s.Open.Network}}, nil
	}
	panic("a command without a decision")
}

// guessed records a guess that failed, and the lock that may follow from it.
func guessed(p enrolment.Policy, s State, f LoginFailed, at time.Time) []Event {
	t := s.tries(f.Network, at)
	if t.InARow+1 < p.LoginFailures {
		return []Event{f}
	}
	lock := min(p.LoginLock, p.LoginLockMost)
	for range t.Locks {
		lock = min(2*lock, p.LoginLockMost)
	}
	return []Event{f, LoginLocked{f.Network, at.Add(lock).UTC()}}
}

func decideAsk(p enrolment.Policy, s State, c Ask, at time.Time) ([]Event, error) {
	e := c.Challenge
	if !s.Locked(p, e.Network, at).IsZero() {
		return nil, ErrLocked
	}
	life := p.SMSCodeLife
	if e.Factor == enrolment.Pocket {
		life = p.ApprovalLife
		if len(after(s.Asked, at.Add(-p.ApprovalsWithin))) >= p.Approvals {
			return nil, ErrTooManyApprovals
		}
	}
	e.Expires = at.Add(life).UTC()
	return []Event{e}, nil
}

// AskAgainAt returns from when on the phone may be asked again; the zero time: now.
func (s State) AskAgainAt(p enrolment.Policy, at time.Time) time.Time {
	recent := after(s.Asked, at.Add(-p.ApprovalsWithin))
	if len(recent) < p.Approvals {
		return time.Time{}
	}
	return recent[len(recent)-p.Approvals].Add(p.ApprovalsWithin)
}

// open returns the challenge that an asker means.
func (s State) open(id enrolment.ChallengeID, by Asker) (Challenge, error) {
	if s.Open.ID != id || id == "" || s.Open.By != by {
		return Challenge{}, ErrNoChallenge
	}
	return s.Open, nil
}

func succeed(c Challenge) []Event {
	return []Event{LoginSucceeded{c.ID, c.Factor, c.By, c.Network, c.Enrolment}}
}

func decideAnswer(p enrolment.Policy, s State, a Answer, at time.Time) ([]Event, error) {
	c, err := s.open(a.Challenge, a.By)
	switch {
	case err != nil:
		return nil, err
	case c.Stage == Succeeded:
		return nil, ErrGiven
	case c.Factor != enrolment.SMS:
		return nil, ErrNoChallenge
	case !s.Locked(p, c.Network, at).IsZero():
		return nil, ErrLocked
	case c.Stage != Waiting, c.Wrong >= p.WrongCodes, at.After(c.Expires):
		return nil, ErrOver
	case !a.Matches:
		return guessed(p, s, LoginFailed{c.ID, WrongCode, c.By, c.Network}, at), nil
	}
	return succeed(c), nil
}

func decideDecision(p enrolment.Policy, s State, d Decision, at time.Time) ([]Event, error) {
	c := s.Open
	switch {
	case c.ID != d.Challenge || d.Challenge == "" || c.Factor != enrolment.Pocket:
		return nil, ErrOver
	case c.Device != d.Device || c.Nonce != d.Nonce:
		return nil, ErrWrongPhone
	case d.Says == NotMe && c.Stage != NoChallenge && c.Why != NotMe:
		// Never too late: whoever sees afterwards that it was somebody else says so.
		return []Event{LoginFailed{c.ID, NotMe, c.By, c.Network}}, nil
	case c.Stage != Waiting, c.Wrong >= p.ApprovalTries, at.After(c.Expires):
		return nil, ErrOver
	case d.Says != "":
		return []Event{LoginFailed{c.ID, d.Says, c.By, c.Network}}, nil
	case !s.Locked(p, c.Network, at).IsZero():
		return nil, ErrLocked
	case !d.Matches:
		return guessed(p, s, LoginFailed{c.ID, WrongDigits, c.By, c.Network}, at), nil
	}
	return []Event{LoginApproved{c.ID, c.Device}}, nil
}

func decideRedeem(p enrolment.Policy, s State, r Redeem, at time.Time) ([]Event, error) {
	c, err := s.open(r.Challenge, r.By)
	switch {
	case err != nil:
		return nil, err
	case c.Stage == Succeeded:
		return nil, ErrGiven
	case c.Stage == Waiting && !at.After(c.Expires):
		return nil, ErrNotApproved
	case c.Stage != Approved, at.After(c.Expires.Add(grace)):
		return nil, ErrOver
	case !s.Locked(p, c.Network, at).IsZero(): // somebody went on guessing after the phone said yes
		return nil, ErrLocked
	}
	return succeed(c), nil
}

// grace is for how long after its end a login can be taken that the phone approved
// in time.
const grace = time.Minute
