package login_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	. "github.com/keydesk/keydesk/domain/login"
)

// tight is a policy whose limits random histories meet.
func tight() enrolment.Policy {
	p := enrolment.DefaultPolicy()
	p.LoginFailuresADay, p.LoginFailures, p.WrongCodes, p.ApprovalTries = 9, 3, 4, 2
	return p
}

// A walker draws a history, and remembers of it what the state must not forget.
type walker struct {
	policy   enrolment.Policy
	state    State
	at       time.Time
	asked    int
	ids      []enrolment.ChallengeID
	failures []time.Time
	phones   []time.Time
	locked   map[Network]time.Time
	by       map[enrolment.ChallengeID]LoginChallenged
	approved map[enrolment.ChallengeID]bool
	given    map[enrolment.ChallengeID]bool
	over     map[enrolment.ChallengeID]bool // denied, not me, or taken back
	guesses  map[enrolment.ChallengeID]int
}

func newWalker() *walker {
	return &walker{
		policy: tight(), at: noon, ids: []enrolment.ChallengeID{"", "c0"},
		locked: map[Network]time.Time{}, by: map[enrolment.ChallengeID]LoginChallenged{}, approved: map[enrolment.ChallengeID]bool{},
		given: map[enrolment.ChallengeID]bool{}, over: map[enrolment.ChallengeID]bool{}, guesses: map[enrolment.ChallengeID]int{},
	}
}

// aCommand draws what might arrive next: now and then what brings the open
// challenge to an end, or what somebody does who guesses meanwhile; else anything.
func (w *walker) aCommand(t *rapid.T) Command {
	o := w.state.Open
	guess := FailPassword{o.By, o.Network}
	switch n := rapid.IntRange(0, 9).Draw(t, "next"); {
	case n > 5:
		return w.anything(t)
	case n < 2:
		return guess
	case o.Stage == Approved:
		return Redeem{o.ID, o.By}
	case o.Factor == enrolment.Pocket:
		return Decision{o.ID, o.Device, o.Nonce, n > 2, ""}
	case o.Factor == enrolment.SMS:
		return Answer{o.ID, o.By, n > 3}
	}
	return w.anything(t)
}

// anything draws any command, sensible or not. Only the ids of challenges are new
// each time, as whoever asks draws them.
func (w *walker) anything(t *rapid.T) Command {
	asker := rapid.SampledFrom([]Asker{portal, portal, portal, hall}).Draw(t, "asker")
	network := rapid.SampledFrom([]Network{office, office, home, "bw"}).Draw(t, "network")
	id := w.state.Open.ID
	if rapid.IntRange(0, 9).Draw(t, "stray") == 0 {
		id = rapid.SampledFrom(w.ids).Draw(t, "id")
	}
	right := rapid.Bool().Draw(t, "right")
	device := rapid.SampledFrom([]enrolment.DeviceID{"d1", "d1", "d1", "d2"}).Draw(t, "device")
	nonce := w.state.Open.Nonce
	if rapid.IntRange(0, 9).Draw(t, "old") == 0 {
		nonce = "n0"
	}
	w.asked++
	fresh := enrolment.ChallengeID(fmt.Sprint("c", w.asked))
	sms := LoginChallenged{Challenge: fresh, Factor: enrolment.SMS, By: asker, Network: network, KeyID: "k", To: &number}
	phone := LoginChallenged{Challenge: fresh, Factor: enrolment.Pocket, By: asker, Network: network, KeyID: "k", Device: "d1", Nonce: "n" + string(fresh)}
	return rapid.SampledFrom([]Command{
		FailPassword{asker, network},
		Ask{sms},
		Ask{phone},
		RecordSent{CodeSent{id, 1, "cm", "m"}},
		RecordUndeliverable{CodeUndeliverable{id, 1, enrolment.NoRoute}},
		Answer{id, asker, right},
		Answer{id, asker, right},
		Decision{id, device, nonce, right, ""},
		Decision{id, device, nonce, right, ""},
		Decision{id, device, nonce, right, rapid.SampledFrom([]Failure{Denied, NotMe}).Draw(t, "says")},
		Redeem{id, asker},
		Redeem{id, asker},
		Void{id},
	}).Draw(t, "command")
}

// step lets something happen, and checks it against what was remembered.
func (w *walker) step(t *rapid.T) {
	jump := rapid.SampledFrom([]time.Duration{
		0, 0, time.Second, time.Second, 30 * time.Second, 2 * time.Minute, 20 * time.Minute, 7 * time.Hour,
	}).Draw(t, "jump")
	w.at = w.at.Add(jump)
	command := w.aCommand(t)
	events, err := Decide(w.policy, w.state, command, domain.Stamp{At: w.at})
	if err != nil && len(events) > 0 {
		t.Fatalf("refused and decided at once: %v", events)
	}
	for _, e := range events {
		w.check(t, command, e)
		w.state = Evolve(w.state, e, w.at)
	}
	if len(w.state.Networks) > w.policy.LoginFailuresADay {
		t.Fatalf("%d networks are remembered", len(w.state.Networks))
	}
}

func (w *walker) check(t *rapid.T, command Command, e Event) {
	t.Helper()
	switch e := e.(type) {
	case LoginChallenged:
		w.free(t, e.Network, "asked for a factor")
		w.by[e.Challenge] = e
		w.ids = append(w.ids, e.Challenge)
		if e.Factor == enrolment.Pocket {
			w.phones = append(w.phones, w.at)
			if n := within(w.phones, w.at, w.policy.ApprovalsWithin); n > w.policy.Approvals {
				t.Fatalf("the phone was asked %d times in %s", n, w.policy.ApprovalsWithin)
			}
		}
	case LoginApproved:
		d, is := command.(Decision)
		c := w.by[e.Challenge]
		if !is || !d.Matches || d.Says != "" || d.Device != c.Device || d.Nonce != c.Nonce || w.at.After(c.Expires) || w.over[e.Challenge] {
			t.Fatalf("%+v approved %+v", command, c)
		}
		w.free(t, c.Network, "approved")
		w.approved[e.Challenge] = true
	case LoginSucceeded:
		w.success(t, command, e)
	case LoginFailed:
		w.failure(t, e)
	case LoginLocked:
		if lasts := e.Until.Sub(w.at); lasts < w.policy.LoginLock || lasts > w.policy.LoginLockMost {
			t.Fatalf("locked for %s", lasts)
		}
		w.locked[e.Network] = e.Until
	case CodeSent, CodeUndeliverable:
	}
}

func (w *walker) success(t *rapid.T, command Command, e LoginSucceeded) {
	t.Helper()
	c := w.by[e.Challenge]
	w.free(t, c.Network, "logged in")
	switch {
	case e.By != c.By || e.Network != c.Network || e.Factor != c.Factor || e.Enrolment != c.Enrolment:
		t.Fatalf("%+v was given for %+v", e, c)
	case w.given[e.Challenge]:
		t.Fatalf("%s was given twice", e.Challenge)
	case w.over[e.Challenge]:
		t.Fatalf("%s was given after it was over", e.Challenge)
	}
	w.given[e.Challenge] = true
	switch command := command.(type) { //nolint:gochecksumtype // no other gives a login
	case Answer:
		if c.Factor != enrolment.SMS || !command.Matches || command.By != c.By || w.at.After(c.Expires) || w.guesses[c.Challenge] >= w.policy.WrongCodes {
			t.Fatalf("%+v gave %+v", command, c)
		}
	case Redeem:
		if c.Factor != enrolment.Pocket || !w.approved[c.Challenge] || command.By != c.By || w.guesses[c.Challenge] >= w.policy.ApprovalTries {
			t.Fatalf("%+v gave %+v", command, c)
		}
	default:
		t.Fatalf("%+v gave a login", command)
	}
}

func (w *walker) failure(t *rapid.T, e LoginFailed) {
	t.Helper()
	if !e.Reason.Guess() {
		w.over[e.Challenge] = true
		return
	}
	w.free(t, e.Network, "guessed")
	w.failures = append(w.failures, w.at)
	if n := within(w.failures, w.at, day); n > w.policy.LoginFailuresADay {
		t.Fatalf("%d guesses in a day", n)
	}
	if e.Challenge == "" {
		return
	}
	w.guesses[e.Challenge]++
	most := w.policy.WrongCodes
	if w.by[e.Challenge].Factor == enrolment.Pocket {
		most = w.policy.ApprovalTries
	}
	if w.guesses[e.Challenge] > most {
		t.Fatalf("%d guesses at one challenge", w.guesses[e.Challenge])
	}
}

// free fails when nobody may do anything from a network now.
func (w *walker) free(t *rapid.T, n Network, did string) {
	t.Helper()
	if until := w.locked[n]; until.After(w.at) {
		t.Fatalf("%s at %s from a network that is locked until %s", did, w.at, until)
	}
	if failed := within(w.failures, w.at, day); failed >= w.policy.LoginFailuresADay {
		t.Fatalf("%s after %d guesses of one day", did, failed)
	}
}

// within counts the times of the last span, which a time just as old is not part of.
func within(times []time.Time, now time.Time, span time.Duration) (n int) {
	for _, t := range times {
		if now.Sub(t) < span {
			n++
		}
	}
	return n
}

func TestNoHistoryGivesALoginThatNobodyProved(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWalker()
		for range rapid.IntRange(1, 150).Draw(t, "length") {
			w.step(t)
		}
	})
}

// The states are kept, as a cache does, and two histories go on from each.
func TestEvolveLeavesTheStateBeforeAsItWas(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWalker()
		states, were := []State{{}}, []string{show(State{})}
		keep := func(s State) { states, were = append(states, s), append(were, show(s)) }
		for range rapid.IntRange(1, 60).Draw(t, "length") {
			before := w.state
			w.step(t)
			keep(w.state)
			for _, e := range []Event{wrongPassword, LoginLocked{office, w.at.Add(quarter)}, given(asked), again(phoned, "cx", 0), wrongDigits} {
				keep(Evolve(before, e, w.at))
			}
		}
		for i, s := range states {
			if now := show(s); now != were[i] {
				t.Fatalf("a state was\n%s\nand became\n%s", were[i], now)
			}
		}
	})
}

func show(s State) string { return fmt.Sprintf("%+v", s) }

// Two servers decide on what they read; only one of them finds the stream where it
// left it, and the other decides again. A login is given once, and no guess is lost.
func TestTwoServersLoseNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWalker()
		var log []fact
		read := [2]int{}
		guesses, succeeded := 0, map[enrolment.ChallengeID]int{}
		for range rapid.IntRange(1, 80).Draw(t, "length") {
			server := rapid.IntRange(0, 1).Draw(t, "server")
			w.state = fold(log)
			command := w.aCommand(t)
			for { // the loop of every writer
				events, err := Decide(w.policy, fold(log[:read[server]]), command, domain.Stamp{At: noon})
				if err != nil || len(events) == 0 {
					break
				}
				if read[server] != len(log) { // a conflict: read again, decide again
					read[server] = len(log)
					continue
				}
				log = append(log, now(events...)...)
				read[server] = len(log)
				switch e := events[0].(type) { //nolint:gochecksumtype // what is counted
				case LoginFailed:
					if e.Reason.Guess() {
						guesses++
					}
				case LoginSucceeded:
					if succeeded[e.Challenge]++; succeeded[e.Challenge] > 1 {
						t.Fatalf("%s was given twice", e.Challenge)
					}
				}
				break
			}
		}
		recorded := 0
		for _, f := range log {
			if e, is := f.event.(LoginFailed); is && e.Reason.Guess() {
				recorded++
			}
		}
		if recorded != guesses || guesses > w.policy.LoginFailuresADay {
			t.Fatalf("%d guesses were refused, %d recorded", guesses, recorded)
		}
	})
}

// A day full of guesses, from ever new networks, is read as fast as any other.
func BenchmarkEvolveAYearOfGuesses(b *testing.B) {
	var facts []fact
	for d := range 365 {
		facts = append(facts, crowd(100, time.Duration(d)*day)...)
	}
	b.ReportAllocs()
	for b.Loop() {
		fold(facts)
	}
}
