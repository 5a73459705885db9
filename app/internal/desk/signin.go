package desk

import (
	"context"
	"encoding/base64"
	"errors"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/login"
	"github.com/keydesk/keydesk/domain/pairing"
)

// A LoginAttempt is what a client of the API asks for.
type LoginAttempt struct {
	Client   string // whose token was shown
	Email    string
	Password string
	Network  string // of the person, as the client tells it: an address or whatever names it; empty: not known
	From     string // where the person is, in words for them to recognise; up to 80 characters; may be empty
}

// LoginStatus is where a login stands.
type LoginStatus string

// The statuses.
const (
	LoginPending   LoginStatus = "pending"
	LoginApproved  LoginStatus = "approved"  // by the phone: RedeemLogin ends it
	LoginSucceeded LoginStatus = "succeeded" // given to whoever ended it, once
	LoginEnded     LoginStatus = "ended"     // see Login.Ended
)

// A Login is one of the API's.
type Login struct {
	ID       string // 43 characters of base64url
	Status   LoginStatus
	Ended    LoginEnd
	Factor   enrolment.Factor
	Digits   string    // with Pocket: six, for the person to type on the phone
	Expires  time.Time // of the code or the approval
	ResendIn time.Duration
	Tries    int      // left
	Delivery Delivery // of the code

	// With LoginSucceeded only:
	Subject  domain.SubjectID
	Revision domain.Revision // of the enrolment, read after the login was recorded
	At       time.Time       // when it was
}

// StartLogin takes an address and a password, and asks for the second step. What
// is not right, or comes too often, is WrongLogin, after the same time for
// everybody. Who knows the password may be told more: AccountFrozen, OutOfOrder
// (no factor yet), Limited.
func (d *Desk) StartLogin(ctx context.Context, a LoginAttempt) (Login, error) {
	who := d.client(a)
	s, r, err := d.verify(ctx, who, a.Email, a.Password, who.stamp(newCommand()))
	switch {
	case err != nil:
		return Login{}, d.loginRefusal(err)
	case r.state.Frozen != "":
		return Login{}, refuse(AccountFrozen)
	case r.state.Chosen() == enrolment.NoFactor:
		return Login{}, refuse(OutOfOrder)
	}
	var next time.Time
	who.next = func(at time.Time) { next = at }
	st, err := d.challenge(ctx, s, r, who, "", who.stamp(newCommand()))
	if err != nil {
		return Login{}, d.loginRefusal(err)
	}
	l, err := d.login(s, st.Open)
	if !next.IsZero() {
		l.ResendIn = max(0, next.Sub(d.Now()))
	}
	return l, err
}

func (d *Desk) client(a LoginAttempt) applicant {
	by := login.Asker{Client: a.Client}
	return applicant{
		by: by, network: d.network(by, a.Network), nowhere: a.Network == "", from: oneLine(a.From, 80), stamp: d.clientStamp(a.Client),
	}
}

// clientStamp says that a client of the API asks.
func (d *Desk) clientStamp(client string) func(domain.CommandID) domain.Stamp {
	correlation := domain.EventID(newCommand())
	return func(c domain.CommandID) domain.Stamp {
		by := d.machineStamp(correlation)
		by.Command, by.Actor.ID = c, client
		return by
	}
}

// oneLine keeps of a text what can be shown in one line.
func oneLine(s string, most int) string {
	keep := make([]rune, 0, most)
	for _, r := range s {
		if len(keep) < most && unicode.IsPrint(r) && r != utf8.RuneError {
			keep = append(keep, r)
		}
	}
	return string(keep)
}

// LoginState returns where a client's login stands, as soon as it is not pending
// any more, or when ctx ends. NoCode: there is no such login of this client.
func (d *Desk) LoginState(ctx context.Context, client, id string) (Login, error) {
	s, challenge, err := parseLogin(id)
	if err != nil {
		return Login{}, err
	}
	changed, stop := d.Logins.Watch(s)
	defer stop()
	for {
		// Not ctx: its end is when to answer, not when to give up.
		logins, err := d.loadLogins(context.WithoutCancel(ctx), s)
		if err != nil {
			return Login{}, d.loginRefusal(err)
		}
		c := logins.state.Open
		if c.ID != challenge {
			// Another login took its place. Whose that one was is not known any more, and
			// who asks may be another client: it is told of no login.
			return Login{}, refuse(NoCode)
		}
		if c.By != (login.Asker{Client: client}) {
			return Login{}, refuse(NoCode)
		}
		l, err := d.login(s, c)
		if err != nil || l.Status != LoginPending {
			return l, err
		}
		expired := time.NewTimer(max(0, c.Expires.Sub(d.Now())) + time.Millisecond)
		select {
		case <-changed:
		case <-expired.C:
		case <-ctx.Done():
			expired.Stop()
			return l, nil
		}
		expired.Stop()
	}
}

// LoginCode brings the code from the SMS. The right one succeeds, once: after it
// CodeUsed. LoginStale: something else was recorded of the person in between.
func (d *Desk) LoginCode(ctx context.Context, client, id, code string) (Login, error) {
	return d.finish(client, id, func(s domain.SubjectID, challenge enrolment.ChallengeID, who applicant) (login.Challenge, error) {
		return d.answer(ctx, s, challenge, who, code, who.stamp(newCommand()))
	})
}

// RedeemLogin ends a login that the phone has approved, once: after it CodeUsed;
// before it OutOfOrder. LoginStale as in LoginCode.
func (d *Desk) RedeemLogin(ctx context.Context, client, id string) (Login, error) {
	return d.finish(client, id, func(s domain.SubjectID, challenge enrolment.ChallengeID, who applicant) (login.Challenge, error) {
		return d.redeem(ctx, s, challenge, who, who.stamp(newCommand()))
	})
}

func (d *Desk) finish(client, id string, do func(domain.SubjectID, enrolment.ChallengeID, applicant) (login.Challenge, error)) (Login, error) {
	s, challenge, err := parseLogin(id)
	if err != nil {
		return Login{}, err
	}
	who := applicant{by: login.Asker{Client: client}, stamp: d.clientStamp(client)}
	c, err := do(s, challenge, who)
	if err != nil {
		return Login{}, d.loginRefusal(err)
	}
	l, err := d.login(s, c)
	l.Subject, l.Revision, l.At = s, c.Enrolment, d.Now().UTC()
	return l, err
}

// ResendLogin sends the code once more, or another one.
func (d *Desk) ResendLogin(ctx context.Context, client, id string) (Login, error) {
	s, challenge, err := parseLogin(id)
	if err != nil {
		return Login{}, err
	}
	logins, err := d.loadLogins(ctx, s)
	if err != nil {
		return Login{}, d.loginRefusal(err)
	}
	c := logins.state.Open
	who := applicant{by: login.Asker{Client: client}, network: c.Network, stamp: d.clientStamp(client)}
	if c.ID != challenge || c.By != who.by || c.Factor != enrolment.SMS || c.Stage != login.Waiting {
		return Login{}, refuse(NoCode)
	}
	var next time.Time
	who.next = func(at time.Time) { next = at }
	st, err := d.repeat(ctx, s, c, who, who.stamp(newCommand()))
	if err != nil {
		return Login{}, d.loginRefusal(err)
	}
	l, err := d.login(s, st.Open)
	l.ResendIn = max(0, next.Sub(d.Now()))
	return l, err
}

// login is a challenge as the API tells it.
func (d *Desk) login(s domain.SubjectID, c login.Challenge) (Login, error) {
	l := Login{ID: formatLogin(s, c.ID), Factor: c.Factor, Expires: c.Expires, Status: LoginPending}
	switch c.Stage {
	case login.Succeeded:
		l.Status = LoginSucceeded
		return l, nil
	case login.Approved:
		l.Status = LoginApproved
	case login.Waiting, login.Ended, login.NoChallenge:
		if l.Ended = d.ended(c); l.Ended != "" {
			l.Status = LoginEnded
			return l, nil
		}
	}
	if c.Factor == enrolment.SMS {
		l.Tries, l.Delivery = max(0, d.Policy.WrongCodes-c.Wrong), delivery(c.Sends, c.Failed)
		return l, nil
	}
	l.Tries = max(0, d.Policy.ApprovalTries-c.Wrong)
	var err error
	l.Digits, err = d.loginCode(s, c)
	return l, err
}

// ended says why a challenge can come to no login any more; empty: it can.
func (d *Desk) ended(c login.Challenge) LoginEnd {
	tries := d.Policy.WrongCodes
	if c.Factor == enrolment.Pocket {
		tries = d.Policy.ApprovalTries
	}
	switch {
	case c.Stage == login.Ended && c.Why == login.Stale:
		return EndedOther
	case c.Stage == login.Ended:
		return EndedDenied
	case c.Wrong >= tries:
		return EndedWrong
	case c.Stage != login.Approved && d.Now().After(c.Expires):
		return EndedExpired
	}
	return ""
}

// formatLogin makes the id of a login, which any server finds it by.
func formatLogin(s domain.SubjectID, c enrolment.ChallengeID) string {
	random, err := base64.RawURLEncoding.DecodeString(string(c))
	if err != nil {
		panic(err) // it was made here
	}
	return base64.RawURLEncoding.EncodeToString(append(s[:], random...))
}

func parseLogin(id string) (domain.SubjectID, enrolment.ChallengeID, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(id)
	if err != nil || len(b) != 32 {
		return domain.SubjectID{}, "", refuse(NoCode)
	}
	return domain.SubjectID(b[:16]), enrolment.ChallengeID(pairing.ID([16]byte(b[16:]))), nil
}

// loginRefusal turns the refusals of a login into what can be told. Who is locked
// is told what everybody is told whose guess was wrong.
func (d *Desk) loginRefusal(err error) error {
	for _, known := range []struct {
		err  error
		code Code
	}{
		{login.ErrLocked, WrongLogin},
		{login.ErrNoChallenge, NoCode},
		{login.ErrOver, CodeEnded},
		{login.ErrGiven, CodeUsed},
		{login.ErrNotApproved, OutOfOrder},
		{login.ErrTooManyApprovals, Limited},
	} {
		if errors.Is(err, known.err) {
			return refuse(known.code)
		}
	}
	return d.refusal(err)
}
