package login

import (
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// State is what the events so far mean. Its zero value is somebody who never tried.
type State struct {
	Open Challenge
	// Networks says how somebody fares at each network from which a guess failed
	// since the last login from it. A day limits how many there can be: after one
	// without a failed guess, and without a lock, a network is forgotten.
	Networks map[Network]Tries
	Failed   []Guess     // the last that failed, a day's at most
	Asked    []time.Time // when phones were asked last
}

// A Guess is one that failed.
type Guess struct {
	At      time.Time
	Network Network
}

// Tries are the failed guesses from one network.
type Tries struct {
	InARow int // since the last login, or the last lock
	Locks  int // since the last login
	Until  time.Time
	Last   time.Time // when a guess failed last
}

// matter says whether tries still count for anything.
func (t Tries) matter(at time.Time) bool { return t.Last.After(at.Add(-day)) || t.Until.After(at) }

// tries returns what counts of the guesses from a network.
func (s State) tries(n Network, at time.Time) Tries {
	if t := s.Networks[n]; t.matter(at) {
		return t
	}
	return Tries{}
}

// Stage is how far a challenge has come.
type Stage int

// The stages.
const (
	NoChallenge Stage = iota
	Waiting           // for the code, or for the phone
	Approved          // by the phone
	Succeeded
	Ended // without a login, see Challenge.Why
)

// A Challenge is the last login whose password was right.
type Challenge struct {
	ID        enrolment.ChallengeID
	Stage     Stage
	Factor    enrolment.Factor
	By        Asker
	Network   Network
	Change    Change
	Enrolment domain.Revision
	KeyID     string
	Asked     time.Time
	Expires   time.Time
	To        domain.Ref
	Device    enrolment.DeviceID
	Nonce     string
	From      domain.Ref
	Wrong     int     // guesses at it
	Why       Failure // Ended

	Sends  int                   // messages that left, did not leave, or may have left
	Failed enrolment.Undelivered // of the last one; empty: it left
}

// Live says that a challenge can still come to a login, unless there were too many
// guesses at it, or from its network.
func (c Challenge) Live(at time.Time) bool {
	switch c.Stage {
	case Waiting:
		return c.ID != "" && !at.After(c.Expires)
	case Approved:
		return c.ID != "" && !at.After(c.Expires.Add(grace))
	case NoChallenge, Succeeded, Ended:
	}
	return false
}

const day = 24 * time.Hour

// Evolve applies one recorded fact, at the time at its station. It leaves the state
// before as it was.
func Evolve(s State, e Event, at time.Time) State {
	switch e := e.(type) {
	case LoginChallenged:
		s.Open = Challenge{
			ID: e.Challenge, Stage: Waiting, Factor: e.Factor, By: e.By, Network: e.Network, Change: e.Change,
			Enrolment: e.Enrolment, KeyID: e.KeyID, Asked: at, Expires: e.Expires,
			To: orZero(e.To), Device: e.Device, Nonce: e.Nonce, From: orZero(e.From),
		}
		if e.Factor == enrolment.Pocket {
			s.Asked = append(after(s.Asked, at.Add(-time.Hour)), at)
		}
	case CodeSent:
		if s.Open.ID == e.Challenge {
			s.Open.Sends, s.Open.Failed = max(s.Open.Sends, e.Number), ""
		}
	case CodeUndeliverable:
		if s.Open.ID == e.Challenge {
			s.Open.Sends, s.Open.Failed = max(s.Open.Sends, e.Number), e.Reason
		}
	case LoginApproved:
		if s.Open.ID == e.Challenge {
			s.Open.Stage = Approved
		}
	case LoginSucceeded:
		if s.Open.ID == e.Challenge {
			s.Open.Stage = Succeeded
		}
		s.Networks = others(s.Networks, e.Network, at)
	case LoginFailed:
		s = failed(s, e, at)
	case LoginLocked:
		t := s.tries(e.Network, at)
		s.Networks = others(s.Networks, e.Network, at)
		s.Networks[e.Network] = Tries{Locks: t.Locks + 1, Until: e.Until, Last: at}
	}
	return s
}

func failed(s State, e LoginFailed, at time.Time) State {
	guess := e.Reason.Guess()
	if e.Challenge != "" && s.Open.ID == e.Challenge {
		if guess {
			s.Open.Wrong++
		} else {
			s.Open.Stage, s.Open.Why = Ended, e.Reason
		}
	}
	if !guess {
		return s
	}
	var recent []Guess
	for _, g := range s.Failed {
		if g.At.After(at.Add(-day)) {
			recent = append(recent, g)
		}
	}
	s.Failed = append(recent, Guess{at, e.Network})
	t := s.tries(e.Network, at)
	t.InARow++
	t.Last = at
	s.Networks = others(s.Networks, e.Network, at)
	s.Networks[e.Network] = t
	return s
}

// after returns a copy of the times behind a moment.
func after(times []time.Time, moment time.Time) []time.Time {
	var keep []time.Time
	for _, t := range times {
		if t.After(moment) {
			keep = append(keep, t)
		}
	}
	return keep
}

// others returns a copy without a network, and without those whose tries do not
// matter any more.
func others(all map[Network]Tries, n Network, at time.Time) map[Network]Tries {
	next := make(map[Network]Tries, len(all)+1)
	for k, t := range all {
		if k != n && t.matter(at) {
			next[k] = t
		}
	}
	return next
}

func orZero(r *domain.Ref) domain.Ref {
	if r == nil {
		return domain.Ref{}
	}
	return *r
}

// Locked says until when nobody logs in from a network, for any reason; the zero
// time: they may.
func (s State) Locked(p enrolment.Policy, n Network, at time.Time) time.Time {
	until := time.Time{}
	if t := s.Networks[n]; t.Until.After(at) {
		until = t.Until
	}
	var all, here []time.Time
	for _, g := range s.Failed {
		if !g.At.After(at.Add(-day)) {
			continue
		}
		all = append(all, g.At)
		if g.Network == n {
			here = append(here, g.At)
		}
	}
	for _, limit := range []struct {
		times []time.Time
		most  int
	}{{all, p.LoginFailuresADay}, {here, share(p)}} {
		if len(limit.times) < limit.most {
			continue
		}
		if free := limit.times[len(limit.times)-limit.most].Add(day); free.After(until) {
			until = free
		}
	}
	return until
}

// share is how many of a day's failed guesses can come from one network: whoever locks
// somebody out everywhere has to come from several.
func share(p enrolment.Policy) int { return max(p.LoginFailures, p.LoginFailuresADay/5) }
