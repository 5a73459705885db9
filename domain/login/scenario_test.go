package login_test

import (
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	. "github.com/keydesk/keydesk/domain/login"
)

const (
	office  Network = "b2ZmaWNl"
	home    Network = "aG9tZQ"
	quarter         = 15 * time.Minute
	day             = 24 * time.Hour
)

var (
	policy = enrolment.DefaultPolicy()
	noon   = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

	portal = Asker{Client: "portal"}
	hall   = Asker{Station: "hall"}
	number = ref(1)
	place  = ref(2)

	asked = LoginChallenged{
		Challenge: "c1", Factor: enrolment.SMS, By: portal, Network: office, Enrolment: 11, KeyID: "k1",
		Expires: noon.Add(10 * time.Minute), To: &number,
	}
	phoned = LoginChallenged{
		Challenge: "c1", Factor: enrolment.Pocket, By: portal, Network: office, Enrolment: 12, KeyID: "k2",
		Expires: noon.Add(2 * time.Minute), Device: "d1", Nonce: "n1", From: &place,
	}
	approved      = LoginApproved{"c1", "d1"}
	wrongPassword = LoginFailed{Reason: WrongPassword, By: portal, Network: office}
	wrongCode     = LoginFailed{"c1", WrongCode, portal, office}
	wrongDigits   = LoginFailed{"c1", WrongDigits, portal, office}
	denied        = LoginFailed{"c1", Denied, portal, office}
	notMe         = LoginFailed{"c1", NotMe, portal, office}
	stale         = LoginFailed{"c1", Stale, portal, office}
)

func ref(n byte) domain.Ref {
	return domain.Ref{ID: domain.RefID{n}, Version: 1, Commitment: domain.Commitment{n}}
}

// given is the login that a challenge comes to.
func given(c LoginChallenged) LoginSucceeded {
	return LoginSucceeded{c.Challenge, c.Factor, c.By, c.Network, c.Enrolment}
}

// again is a challenge under another id, asked for at another time.
func again(c LoginChallenged, id enrolment.ChallengeID, after time.Duration) LoginChallenged {
	c.Challenge, c.Expires = id, c.Expires.Add(after)
	return c
}

// A fact is an event and how long after noon it happened.
type fact struct {
	after time.Duration
	event Event
}

func now(events ...Event) []fact { return at(0, events...) }

func at(after time.Duration, events ...Event) []fact {
	facts := make([]fact, len(events))
	for i, e := range events {
		facts[i] = fact{after, e}
	}
	return facts
}

func join(parts ...[]fact) []fact { return slices.Concat(parts...) }

func fold(facts []fact) State {
	s := State{}
	for _, f := range facts {
		s = Evolve(s, f.event, noon.Add(f.after))
	}
	return s
}

// times repeats an event.
func times(n int, e Event) []Event { return slices.Repeat([]Event{e}, n) }

// row are five wrong passwords in a row, and the lock that follows.
func row(after, lock time.Duration) []fact {
	return at(after, append(times(5, wrongPassword), LoginLocked{office, noon.Add(after + lock)})...)
}

type scenario struct {
	name    string
	given   []fact
	when    Command
	at      time.Duration // after noon
	then    []Event
	refused error
}

func run(t *testing.T, scenarios []scenario) {
	t.Helper()
	for _, sc := range scenarios {
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			got, err := Decide(policy, fold(sc.given), sc.when, domain.Stamp{At: noon.Add(sc.at)})
			if !errors.Is(err, sc.refused) || (err != nil && sc.refused == nil) {
				t.Fatalf("refused with %v, want %v", err, sc.refused)
			}
			if len(got) != len(sc.then) || (len(got) > 0 && !reflect.DeepEqual(got, sc.then)) {
				t.Errorf("decided\n  %+v\nwant\n  %+v", got, sc.then)
			}
		})
	}
}

func TestPasswords(t *testing.T) {
	t.Parallel()
	fail := FailPassword{portal, office}
	locked := func(after, lock time.Duration) []Event {
		return []Event{wrongPassword, LoginLocked{office, noon.Add(after + lock)}}
	}
	four := now(times(4, wrongPassword)...)
	other := LoginFailed{Reason: WrongPassword, By: portal, Network: home}
	run(t, []scenario{
		{name: "a wrong one is recorded", when: fail, then: []Event{wrongPassword}},
		{name: "so is the fourth", given: four[:3], when: fail, then: []Event{wrongPassword}},
		{name: "the fifth in a row locks for a quarter of an hour", given: four, when: fail, then: locked(0, quarter)},
		{name: "while that lasts nothing is recorded", given: row(0, quarter), when: fail, at: quarter - 1, refused: ErrLocked},
		{name: "after it guesses count from one again", given: row(0, quarter), when: fail, at: quarter, then: []Event{wrongPassword}},
		{
			name:  "the second lock lasts twice as long",
			given: join(row(0, quarter), at(quarter, times(4, wrongPassword)...)), when: fail, at: quarter,
			then: locked(quarter, 30*time.Minute),
		},
		{
			name:  "the third an hour",
			given: join(row(0, quarter), row(quarter, 30*time.Minute), at(time.Hour, times(4, wrongPassword)...)), when: fail, at: time.Hour,
			then: locked(time.Hour, time.Hour),
		},
		{
			name: "and so does the fourth",
			given: join(row(0, quarter), row(quarter, 30*time.Minute), row(time.Hour, time.Hour),
				at(2*time.Hour, times(4, wrongPassword)...)),
			when: fail, at: 2 * time.Hour, then: locked(2*time.Hour, time.Hour),
		},
		{name: "another network is free", given: row(0, quarter), when: FailPassword{portal, home}, then: []Event{other}},
		{
			name:  "guesses from two networks are two rows",
			given: join(four, now(times(3, other)...)), when: FailPassword{portal, home}, then: []Event{other},
		},
		{
			name:  "another asker at the same network is the same row",
			given: four, when: FailPassword{hall, office},
			then: []Event{LoginFailed{Reason: WrongPassword, By: hall, Network: office}, LoginLocked{office, noon.Add(quarter)}},
		},
		{name: "a login ends the row", given: join(four, now(asked, given(asked))), when: fail, then: []Event{wrongPassword}},
		{
			name:  "and the doubling",
			given: join(row(0, quarter), at(quarter, again(asked, "c1", quarter), given(asked)), at(quarter, times(4, wrongPassword)...)),
			when:  fail, at: quarter, then: locked(quarter, quarter),
		},
		{
			name:  "a login from elsewhere ends nothing here",
			given: join(four, now(LoginSucceeded{"c7", enrolment.SMS, portal, home, 11})), when: fail, then: locked(0, quarter),
		},
		{name: "the right password alone does not either", given: join(four, now(asked)), when: fail, then: locked(0, quarter)},
		{
			name:  "wrong codes and wrong digits are of the same row",
			given: now(wrongPassword, asked, wrongCode, phoned, wrongDigits, wrongPassword), when: fail, then: locked(0, quarter),
		},
		{
			name:  "what is no guess is not",
			given: join(four[:2], now(phoned, denied, phoned, notMe, asked, given(asked), stale, wrongPassword, wrongPassword, wrongPassword)),
			when:  fail, then: []Event{wrongPassword},
		},
	})
}

// crowd are failures from as many networks, a minute after each other.
func crowd(n int, first time.Duration) []fact {
	facts := make([]fact, n)
	for i := range facts {
		from := Network(first.String() + string(rune('A'+i)))
		facts[i] = fact{first + time.Duration(i)*time.Minute, LoginFailed{Reason: WrongPassword, By: portal, Network: from}}
	}
	return facts
}

func TestADayHasAHundredGuesses(t *testing.T) {
	t.Parallel()
	const later = 2 * time.Hour
	fail := FailPassword{portal, office}
	run(t, []scenario{
		{name: "the hundredth counts", given: crowd(99, 0), when: fail, at: later, then: []Event{wrongPassword}},
		{name: "the next is refused, wherever it comes from", given: crowd(100, 0), when: fail, at: later, refused: ErrLocked},
		{name: "the right password too", given: crowd(100, 0), when: Ask{asked}, at: later, refused: ErrLocked},
		{name: "until the first one is a day old", given: crowd(100, 0), when: fail, at: day - 1, refused: ErrLocked},
		{name: "then one more counts", given: crowd(100, 0), when: fail, at: day, then: []Event{wrongPassword}},
		{
			name:  "and one only",
			given: join(crowd(100, 0), at(day, wrongPassword)), when: fail, at: day + time.Minute - 1, refused: ErrLocked,
		},
		{
			name:  "a login from one network does not clear the day",
			given: join(crowd(99, 0), at(later, wrongPassword, asked, given(asked))), when: fail, at: later, refused: ErrLocked,
		},
		{
			name:  "an open code is not guessed at either",
			given: join(crowd(100, 0), at(later, again(asked, "c1", later))), when: Answer{"c1", portal, true}, at: later, refused: ErrLocked,
		},
	})
	s := fold(join(crowd(100, 0), row(later, quarter)))
	if until := s.Locked(policy, office, noon.Add(later)); !until.Equal(noon.Add(day + 5*time.Minute)) {
		t.Errorf("of two locks the longer one counts: got %s", until)
	}
}

// From one network comes a fifth of a day's guesses at most: nobody locks others out
// everywhere from one place.
func TestOneNetworkHasItsShareOfADay(t *testing.T) {
	t.Parallel()
	var facts []fact
	for i := range policy.LoginFailuresADay / 5 {
		facts = append(facts, at(time.Duration(i)*quarter, wrongPassword)...)
	}
	s := fold(facts)
	last := time.Duration(len(facts)-1) * quarter
	if got, want := s.Locked(policy, office, noon.Add(last)), noon.Add(day); !got.Equal(want) {
		t.Errorf("the network is locked until %s, want %s", got, want)
	}
	if got := s.Locked(policy, home, noon.Add(last)); !got.IsZero() {
		t.Errorf("another one is locked until %s", got)
	}
	if got := s.Locked(policy, office, noon.Add(day)); !got.IsZero() {
		t.Errorf("a day later it is locked until %s", got)
	}
}

func TestLocked(t *testing.T) {
	t.Parallel()
	s := fold(row(0, quarter))
	for _, c := range []struct {
		name string
		at   time.Duration
		from Network
		want time.Time
	}{
		{"at once", 0, office, noon.Add(quarter)},
		{"at the last moment", quarter - 1, office, noon.Add(quarter)},
		{"after it", quarter, office, time.Time{}},
		{"elsewhere", 0, home, time.Time{}},
	} {
		if got := s.Locked(policy, c.from, noon.Add(c.at)); !got.Equal(c.want) {
			t.Errorf("%s: until %s, want %s", c.name, got, c.want)
		}
	}
	p := policy
	p.LoginLock = 2 * p.LoginLockMost
	events, err := Decide(p, fold(now(times(4, wrongPassword)...)), FailPassword{portal, office}, domain.Stamp{At: noon})
	if want := (LoginLocked{office, noon.Add(p.LoginLockMost)}); err != nil || len(events) != 2 || events[1] != want {
		t.Errorf("no lock lasts longer than the longest: %v, %v", events, err)
	}
}

// Whoever guesses from ever new networks does not make the state grow for ever.
func TestNetworksAreForgottenAfterADay(t *testing.T) {
	t.Parallel()
	s := fold(join(crowd(100, 0), crowd(100, day), crowd(100, 2*day)))
	if len(s.Networks) > policy.LoginFailuresADay {
		t.Errorf("%d networks are remembered", len(s.Networks))
	}
	fail := FailPassword{portal, office}
	run(t, []scenario{
		{
			name:  "a row goes on for a day",
			given: now(times(4, wrongPassword)...), when: fail, at: day - 1,
			then: []Event{wrongPassword, LoginLocked{office, noon.Add(day - 1 + quarter)}},
		},
		{name: "and no longer", given: now(times(4, wrongPassword)...), when: fail, at: day, then: []Event{wrongPassword}},
		{
			name:  "counted from its last guess",
			given: join(now(wrongPassword), at(day/2, times(3, wrongPassword)...)), when: fail, at: day,
			then: []Event{wrongPassword, LoginLocked{office, noon.Add(day + quarter)}},
		},
		{
			name:  "so does the doubling",
			given: join(row(0, quarter), at(day-time.Minute, times(4, wrongPassword)...)), when: fail, at: day - time.Minute,
			then: []Event{wrongPassword, LoginLocked{office, noon.Add(day + 29*time.Minute)}},
		},
		{
			name:  "a lock is as short as the first after a quiet day",
			given: join(row(0, quarter), at(day, times(4, wrongPassword)...)), when: fail, at: day,
			then: []Event{wrongPassword, LoginLocked{office, noon.Add(day + quarter)}},
		},
	})
}

func TestAsking(t *testing.T) {
	t.Parallel()
	ask := func(c LoginChallenged) Ask {
		c.Expires = time.Time{}
		return Ask{c}
	}
	three := join(now(phoned), at(time.Minute, again(phoned, "c2", time.Minute)), at(2*time.Minute, again(phoned, "c3", 2*time.Minute)))
	mine := again(asked, "c9", 0)
	mine.By, mine.Network, mine.Change = hall, home, "phone"
	run(t, []scenario{
		{name: "a code works for ten minutes", when: ask(asked), then: []Event{asked}},
		{name: "an approval for two", when: ask(phoned), then: []Event{phoned}},
		{name: "whatever the asker says", when: Ask{again(phoned, "c1", time.Hour)}, then: []Event{phoned}},
		{name: "not while the network is locked", given: row(0, quarter), when: ask(asked), refused: ErrLocked},
		{name: "nor is a phone asked then", given: row(0, quarter), when: ask(phoned), refused: ErrLocked},
		{name: "from another network it is", given: row(0, quarter), when: ask(mine), then: []Event{mine}},
		{name: "another takes the place of an open one", given: now(asked), when: ask(mine), then: []Event{mine}},
		{name: "after which the code of the first is none", given: now(asked, mine), when: Answer{"c1", portal, true}, refused: ErrNoChallenge},
		{name: "its phone is too late", given: now(phoned, mine), when: Decision{"c1", "d1", "n1", true, ""}, refused: ErrOver},
		{name: "and its approval is not taken", given: now(phoned, approved, mine), when: Redeem{"c1", portal}, refused: ErrNoChallenge},
		{name: "the other one counts", given: now(asked, mine), when: Answer{"c9", hall, true}, then: []Event{given(mine)}},

		{name: "a phone is asked a third time", given: three[:2], when: ask(phoned), then: []Event{phoned}},
		{name: "not a fourth within five minutes", given: three, when: ask(phoned), at: 5*time.Minute - 1, refused: ErrTooManyApprovals},
		{name: "nor from another network", given: three, when: Ask{LoginChallenged{Factor: enrolment.Pocket, Network: home}}, at: 4 * time.Minute, refused: ErrTooManyApprovals},
		{
			name: "when the first is five minutes old it is", given: three, when: ask(again(phoned, "c4", 0)), at: 5 * time.Minute,
			then: []Event{again(phoned, "c4", 5*time.Minute)},
		},
		{
			name: "a code by SMS does not disturb it", given: three, when: ask(again(asked, "c4", 0)), at: 3 * time.Minute,
			then: []Event{again(asked, "c4", 3*time.Minute)},
		},
		{name: "nor is it counted", given: now(asked, asked, asked), when: ask(phoned), then: []Event{phoned}},
		{
			name: "answers give none back", given: join(three, at(2*time.Minute, denied, LoginFailed{"c3", Denied, portal, office})),
			when: ask(phoned), at: 3 * time.Minute, refused: ErrTooManyApprovals,
		},
	})
	s := fold(three)
	for after, want := range map[time.Duration]time.Time{
		2 * time.Minute: noon.Add(5 * time.Minute), 5*time.Minute - 1: noon.Add(5 * time.Minute), 5 * time.Minute: {},
	} {
		if got := s.AskAgainAt(policy, noon.Add(after)); !got.Equal(want) {
			t.Errorf("after %s: again at %s, want %s", after, got, want)
		}
	}
	if got := fold(three[:2]).AskAgainAt(policy, noon.Add(time.Minute)); !got.IsZero() {
		t.Errorf("after two: again at %s", got)
	}
}

func TestMessagesOfACode(t *testing.T) {
	t.Parallel()
	sent, failed := CodeSent{"c1", 1, "cm", "m1"}, CodeUndeliverable{"c1", 2, enrolment.Blocked}
	run(t, []scenario{
		{name: "a send is recorded", given: now(asked), when: RecordSent{sent}, then: []Event{sent}},
		{name: "and a failure", given: now(asked), when: RecordUndeliverable{failed}, then: []Event{failed}},
	})
	if c := fold(now(asked, sent, failed)).Open; c.Sends != 2 || c.Failed != enrolment.Blocked {
		t.Errorf("the last failed: %+v", c)
	}
	if c := fold(now(asked, failed, sent)).Open; c.Sends != 2 || c.Failed != "" {
		t.Errorf("the last left: %+v", c)
	}
	if c := fold(now(asked, CodeSent{"c0", 1, "cm", "m0"}, CodeUndeliverable{"c0", 4, enrolment.Blocked})).Open; c.Sends != 0 || c.Failed != "" {
		t.Errorf("what became of another code: %+v", c)
	}
}

func TestCodes(t *testing.T) {
	t.Parallel()
	right, bad := Answer{"c1", portal, true}, Answer{"c1", portal, false}
	const late = 10*time.Minute + 1
	run(t, []scenario{
		{name: "the right one gives the login", given: now(asked), when: right, then: []Event{given(asked)}},
		{name: "to its last moment", given: now(asked), when: right, at: late - 1, then: []Event{given(asked)}},
		{name: "not later", given: now(asked), when: right, at: late, refused: ErrOver},
		{name: "a late guess is not recorded", given: now(asked), when: bad, at: late, refused: ErrOver},
		{name: "a wrong one is recorded", given: now(asked), when: bad, then: []Event{wrongCode}},
		{
			name:  "the fifth locks the network",
			given: now(append([]Event{asked}, times(4, wrongCode)...)...), when: bad,
			then: []Event{wrongCode, LoginLocked{office, noon.Add(quarter)}},
		},
		{
			name:  "then the right one is refused",
			given: now(append([]Event{asked}, append(times(5, wrongCode), LoginLocked{office, noon.Add(quarter)})...)...), when: right,
			refused: ErrLocked,
		},
		{
			name:  "five wrong ones end a code even where nothing is locked",
			given: now(append([]Event{asked}, times(5, wrongCode)...)...), when: right, refused: ErrOver,
		},
		{
			name:  "a network that was locked for wrong passwords is for codes too",
			given: join(now(asked), row(0, quarter)), when: right, refused: ErrLocked,
		},
		{name: "it is not given twice", given: now(asked, given(asked)), when: right, refused: ErrGiven},
		{name: "a guess after it is not looked at", given: now(asked, given(asked)), when: bad, refused: ErrGiven},
		{name: "another asker has no such login", given: now(asked), when: Answer{"c1", hall, true}, refused: ErrNoChallenge},
		{name: "also when it was given", given: now(asked, given(asked)), when: Answer{"c1", hall, true}, refused: ErrNoChallenge},
		{name: "the wrong guess of another asker costs nothing", given: now(asked), when: Answer{"c1", hall, false}, refused: ErrNoChallenge},
		{name: "there is no such login", given: now(asked), when: Answer{"c2", portal, true}, refused: ErrNoChallenge},
		{name: "nor one without a name", when: Answer{"", Asker{}, true}, refused: ErrNoChallenge},
		{name: "a phone that was asked takes no code", given: now(phoned), when: right, refused: ErrNoChallenge},
		{name: "not even when it has said yes", given: now(phoned, approved), when: right, refused: ErrNoChallenge},
		{name: "one that was taken back is over", given: now(asked, given(asked), stale), when: right, refused: ErrOver},
	})
}

func TestDecisionsOfThePhone(t *testing.T) {
	t.Parallel()
	yes, no := Decision{"c1", "d1", "n1", true, ""}, Decision{"c1", "d1", "n1", false, ""}
	deny, not := Decision{"c1", "d1", "n1", false, Denied}, Decision{"c1", "d1", "n1", false, NotMe}
	const late = 2*time.Minute + 1
	run(t, []scenario{
		{name: "yes with the digits of the screen approves", given: now(phoned), when: yes, then: []Event{approved}},
		{name: "to the last moment", given: now(phoned), when: yes, at: late - 1, then: []Event{approved}},
		{name: "not later", given: now(phoned), when: yes, at: late, refused: ErrOver},
		{name: "nor twice", given: now(phoned, approved), when: yes, refused: ErrOver},
		{name: "wrong digits are recorded", given: now(phoned), when: no, then: []Event{wrongDigits}},
		{name: "the right ones at the third try approve", given: now(phoned, wrongDigits, wrongDigits), when: yes, then: []Event{approved}},
		{name: "three wrong tries end it", given: now(phoned, wrongDigits, wrongDigits, wrongDigits), when: yes, refused: ErrOver},
		{name: "a fourth is not recorded", given: now(phoned, wrongDigits, wrongDigits, wrongDigits), when: no, refused: ErrOver},
		{
			name:  "wrong digits lock the network that was logging in",
			given: now(wrongPassword, wrongPassword, phoned, wrongDigits, wrongDigits), when: no,
			then: []Event{wrongDigits, LoginLocked{office, noon.Add(quarter)}},
		},
		{name: "while that lasts nothing is approved", given: join(now(phoned), row(0, quarter)), when: yes, refused: ErrLocked},
		{name: "nor guessed", given: join(now(phoned), row(0, quarter)), when: no, refused: ErrLocked},
		{name: "no ends it", given: now(phoned), when: deny, then: []Event{denied}},
		{name: "also while it is locked", given: join(now(phoned), row(0, quarter)), when: deny, then: []Event{denied}},
		{name: "after that yes is too late", given: now(phoned, denied), when: yes, refused: ErrOver},
		{name: "no comes too late after the time", given: now(phoned), when: deny, at: late, refused: ErrOver},
		{name: "and after yes", given: now(phoned, approved), when: deny, refused: ErrOver},

		{name: "somebody else", given: now(phoned), when: not, then: []Event{notMe}},
		{name: "somebody else, seen late", given: now(phoned), when: not, at: day, then: []Event{notMe}},
		{name: "somebody else, after yes", given: now(phoned, approved), when: not, then: []Event{notMe}},
		{name: "somebody else, after no", given: now(phoned, denied), when: not, then: []Event{notMe}},
		{name: "somebody else, after the login", given: now(phoned, approved, given(phoned)), when: not, at: day, then: []Event{notMe}},
		{name: "somebody else, after it was taken back", given: now(phoned, approved, given(phoned), stale), when: not, then: []Event{notMe}},
		{name: "somebody else, while it is locked", given: join(now(phoned), row(0, quarter)), when: not, then: []Event{notMe}},
		{name: "once said it is said", given: now(phoned, notMe), when: not, refused: ErrOver},
		{name: "and yes comes too late", given: now(phoned, notMe), when: yes, refused: ErrOver},

		{name: "another phone does not decide", given: now(phoned), when: Decision{"c1", "d2", "n1", true, ""}, refused: ErrWrongPhone},
		{name: "nor says that it was somebody else", given: now(phoned), when: Decision{"c1", "d2", "n1", false, NotMe}, refused: ErrWrongPhone},
		{name: "nor this one with an old nonce", given: now(phoned), when: Decision{"c1", "d1", "n0", true, ""}, refused: ErrWrongPhone},
		{name: "nor without one", given: now(phoned), when: Decision{"c1", "d1", "", true, ""}, refused: ErrWrongPhone},
		{name: "a phone that was not asked has nothing to decide", given: now(asked), when: Decision{Challenge: "c1", Matches: true}, refused: ErrOver},
		{name: "nor one that nobody asks", when: Decision{Matches: true}, refused: ErrOver},
		{name: "an earlier question is over", given: now(phoned), when: Decision{"c0", "d1", "n1", true, ""}, refused: ErrOver},
	})
}

func TestRedeeming(t *testing.T) {
	t.Parallel()
	take := Redeem{"c1", portal}
	const life = 2 * time.Minute
	run(t, []scenario{
		{name: "what the phone approved is given", given: now(phoned, approved), when: take, then: []Event{given(phoned)}},
		{name: "not before", given: now(phoned), when: take, refused: ErrNotApproved},
		{name: "nor after wrong digits", given: now(phoned, wrongDigits), when: take, refused: ErrNotApproved},
		{name: "nor when it was not approved in time", given: now(phoned), when: take, at: life + 1, refused: ErrOver},
		{name: "a minute after its end", given: now(phoned, approved), when: take, at: life + time.Minute, then: []Event{given(phoned)}},
		{name: "not later", given: now(phoned, approved), when: take, at: life + time.Minute + 1, refused: ErrOver},
		{name: "nor twice", given: now(phoned, approved, given(phoned)), when: take, refused: ErrGiven},
		{name: "nor when the phone said no", given: now(phoned, denied), when: take, refused: ErrOver},
		{name: "nor when it said so after yes", given: now(phoned, approved, notMe), when: take, refused: ErrOver},
		{name: "nor when it was taken back", given: now(phoned, approved, given(phoned), stale), when: take, refused: ErrOver},
		{name: "another asker gets nothing", given: now(phoned, approved), when: Redeem{"c1", hall}, refused: ErrNoChallenge},
		{name: "nor is told that it was given", given: now(phoned, approved, given(phoned)), when: Redeem{"c1", hall}, refused: ErrNoChallenge},
		{name: "there is no such login", given: now(phoned, approved), when: Redeem{"c2", portal}, refused: ErrNoChallenge},
		{name: "nor one without a name", when: Redeem{}, refused: ErrNoChallenge},
		{name: "a code by SMS is not taken without it", given: now(asked), when: take, refused: ErrNotApproved},
		{
			name:  "a network that was locked meanwhile gets nothing",
			given: join(now(phoned, approved), row(0, quarter)), when: take, refused: ErrLocked,
		},
		{
			name:  "nor does anybody after a hundred guesses",
			given: join(crowd(100, 0), at(2*time.Hour, again(phoned, "c1", 2*time.Hour), approved)), when: take, at: 2 * time.Hour, refused: ErrLocked,
		},
	})
}

func TestTakingBack(t *testing.T) {
	t.Parallel()
	run(t, []scenario{
		{name: "what was recorded and not given is taken back", given: now(asked, given(asked)), when: Void{"c1"}, then: []Event{stale}},
		{name: "once", given: now(asked, given(asked), stale), when: Void{"c1"}},
		{name: "not what was not recorded", given: now(asked), when: Void{"c1"}},
		{name: "not another one", given: now(asked, given(asked)), when: Void{"c2"}},
		{name: "nor nothing", when: Void{}},
		{name: "nor what the phone took back itself", given: now(phoned, approved, given(phoned), notMe), when: Void{"c1"}},
	})
}

func TestStages(t *testing.T) {
	t.Parallel()
	const end = 2 * time.Minute
	for _, c := range []struct {
		name  string
		given []fact
		at    time.Duration
		stage Stage
		live  bool
	}{
		{"nothing", nil, 0, NoChallenge, false},
		{"asked", now(phoned), end, Waiting, true},
		{"too late", now(phoned), end + 1, Waiting, false},
		{"approved", now(phoned, approved), end, Approved, true},
		{"approved in time, and to be taken still", now(phoned, approved), end + time.Minute, Approved, true},
		{"approved, and not taken", now(phoned, approved), end + time.Minute + 1, Approved, false},
		{"given", now(phoned, approved, given(phoned)), 0, Succeeded, false},
		{"denied", now(phoned, denied), 0, Ended, false},
		{"taken back", now(phoned, approved, given(phoned), stale), 0, Ended, false},
		{"wrong digits", now(phoned, wrongDigits), 0, Waiting, true},
		{"another was approved", now(phoned, LoginApproved{"c0", "d1"}), 0, Waiting, true},
		{"another was denied", now(phoned, LoginFailed{"c0", Denied, portal, office}), 0, Waiting, true},
		{"another was given", now(phoned, LoginSucceeded{Challenge: "c0", Network: office}), 0, Waiting, true},
		{"a wrong password meanwhile", now(phoned, wrongPassword), 0, Waiting, true},
	} {
		o := fold(c.given).Open
		if o.Stage != c.stage || o.Live(noon.Add(c.at)) != c.live {
			t.Errorf("%s: stage %d, live %t; want %d, %t", c.name, o.Stage, o.Live(noon.Add(c.at)), c.stage, c.live)
		}
	}
	got := fold(now(phoned, wrongDigits, denied)).Open
	want := Challenge{
		ID: "c1", Stage: Ended, Factor: enrolment.Pocket, By: portal, Network: office, Enrolment: 12, KeyID: "k2", Asked: noon,
		Expires: phoned.Expires, Device: "d1", Nonce: "n1", From: place, Wrong: 1, Why: Denied,
	}
	if got != want {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	for _, f := range []Failure{WrongPassword, WrongCode, WrongDigits, Denied, NotMe, Stale} {
		if guess := f != Denied && f != NotMe && f != Stale; f.Guess() != guess {
			t.Errorf("%s is a guess: %t", f, !guess)
		}
	}
}
