package desk

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/login"
	"github.com/keydesk/keydesk/domain/pairing"
)

// nonceLife is how old a nonce for a phone's question may be.
const nonceLife = 5 * time.Minute

// PhoneNonce returns a nonce for a question of a paired phone: when it was made, 8
// random bytes, and a MAC. It needs no memory: every server of the installation
// knows it again.
func (d *Desk) PhoneNonce() string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(d.Now().Unix())) //nolint:gosec // the time is after 1970
	rand.Read(b[8:])                                          //nolint:errcheck // crypto/rand.Read never fails
	key, _ := d.Keys.Derive("phone/nonce")
	return base64.RawURLEncoding.EncodeToString(append(b[:], nonceMAC(key, b[:])...))
}

func nonceMAC(key [32]byte, b []byte) []byte {
	h := hmac.New(sha256.New, key[:])
	h.Write(b)
	return h.Sum(nil)[:16]
}

// freshNonce says whether a nonce is one of PhoneNonce, and not too old.
func (d *Desk) freshNonce(nonce string) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(nonce)
	if err != nil || len(b) != 32 {
		return false
	}
	key, _ := d.Keys.Derive("phone/nonce")
	age := d.Now().Sub(time.Unix(int64(binary.BigEndian.Uint64(b[:8])), 0)) //nolint:gosec // compared with its MAC
	return hmac.Equal(b[16:], nonceMAC(key, b[:16])) && age > -nonceLife && age < nonceLife
}

// device returns who a paired phone belongs to: its key has to be the one that
// counts now.
func (d *Desk) device(ctx context.Context, subject, device, thumbprint string) (domain.SubjectID, error) {
	s, err := domain.ParseSubjectID(subject)
	if err != nil {
		return s, pairing.Revoked
	}
	r, err := d.load(ctx, s)
	if err != nil {
		return s, d.phoneRefusal(err)
	}
	if live := r.state.Device; live.ID == "" || string(live.ID) != device || live.Thumbprint != thumbprint {
		return s, pairing.Revoked
	}
	return s, nil
}

// PendingApproval returns the login that waits for a phone, as soon as there is
// one, or nil when ctx ends. Refusals are a pairing.Refusal: WrongNonce, Revoked.
func (d *Desk) PendingApproval(ctx context.Context, q pairing.Ask) (*pairing.Approval, error) {
	if !d.freshNonce(q.Nonce) {
		return nil, pairing.WrongNonce
	}
	s, err := domain.ParseSubjectID(q.Subject)
	if err != nil {
		return nil, pairing.Revoked
	}
	changed, stop := d.Logins.Watch(s)
	defer stop()
	for {
		// Not ctx: its end is when to answer, not when to give up.
		reading := context.WithoutCancel(ctx)
		if _, err := d.device(reading, q.Subject, q.Device, q.Thumbprint); err != nil {
			return nil, err
		}
		logins, err := d.loadLogins(reading, s)
		if err != nil {
			return nil, d.phoneRefusal(err)
		}
		if c := logins.state.Open; string(c.Device) == q.Device && c.Stage == login.Waiting && d.ended(c) == "" {
			a, err := d.approval(reading, s, c)
			if err != nil {
				return nil, d.phoneRefusal(err)
			}
			return &a, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, nil //nolint:nilnil // documented: nothing waits
		}
	}
}

// approval is a challenge as the phone shows it.
func (d *Desk) approval(ctx context.Context, s domain.SubjectID, c login.Challenge) (pairing.Approval, error) {
	from, err := d.open(ctx, s, KindPlace, c.From)
	if err != nil {
		return pairing.Approval{}, err
	}
	a := pairing.Approval{
		Challenge: string(c.ID), Nonce: c.Nonce, Portal: d.Portal, Organisation: d.Organisation,
		Client: c.By.Client, From: from, Change: c.Change != "",
		Asked: c.Asked.Truncate(time.Second), Expires: c.Expires, Tries: d.Policy.ApprovalTries - c.Wrong,
	}
	if c.By.Station != "" {
		a.Client, a.Station = c.By.Station, true
	}
	return a, nil
}

// DecideApproval takes what the person said on the phone. The same decision again
// gets the same answer. Refusals are a pairing.Refusal: WrongNonce, Revoked, Over,
// Unavailable, Failed (not what the phone was shown).
func (d *Desk) DecideApproval(ctx context.Context, c pairing.Decision) (pairing.Decided, error) {
	s, err := d.device(ctx, c.Subject, c.Device, c.Thumbprint)
	if err != nil {
		return pairing.Decided{}, err
	}
	by := d.phoneStamp()
	by.Command = decisionCommand(c)
	by.Actor = domain.Actor{Kind: domain.ActorPerson, ID: s.String(), Role: domain.RoleSubject}
	if c.Answer == pairing.NotMe {
		return d.notMe(ctx, s, c, by)
	}
	shown := false
	st, events, err := d.actLogin(ctx, s, by, func(st login.State) (login.Command, error) {
		a, err := d.approval(ctx, s, st.Open)
		if err != nil {
			return nil, err
		}
		digits, err := d.loginCode(s, st.Open)
		if err != nil && st.Open.ID != "" {
			return nil, err
		}
		shown = hmac.Equal([]byte(a.Context()), []byte(c.Context))
		if st.Open.ID == enrolment.ChallengeID(c.Challenge) && !shown {
			return nil, pairing.Failed
		}
		says := login.Failure("")
		if c.Answer == pairing.Deny {
			says = login.Denied
		}
		return login.Decision{
			Challenge: enrolment.ChallengeID(c.Challenge), Device: enrolment.DeviceID(c.Device), Nonce: c.Nonce,
			Matches: digits != "" && enrolment.Matches(digits, c.Digits), Says: says,
		}, nil
	})
	if err != nil {
		return pairing.Decided{}, d.approvalRefusal(err)
	}
	d.tellLocked(s, events)
	return decided(d.Policy, st, events), nil
}

// decisionCommand makes one command of all sendings of one decision: a phone sends
// it again with the same jti when the answer was lost.
func decisionCommand(c pairing.Decision) domain.CommandID {
	h := sha256.Sum256([]byte("decision\x00" + c.Challenge + "\x00" + c.Thumbprint + "\x00" + string(c.Answer) + "\x00" + c.JTI))
	return domain.CommandID(h[:16])
}

func decided(p enrolment.Policy, st login.State, events []login.Event) pairing.Decided {
	for _, e := range events {
		switch e := e.(type) { //nolint:gochecksumtype // the two that a decision records
		case login.LoginApproved:
			return pairing.Decided{State: pairing.DecidedApproved}
		case login.LoginFailed:
			if e.Reason == login.WrongDigits {
				return pairing.Decided{State: pairing.DecidedWrong, Tries: max(0, p.ApprovalTries-st.Open.Wrong)}
			}
		}
	}
	return pairing.Decided{State: pairing.DecidedDenied}
}

// notMe freezes the account: somebody else knows the password. That comes first,
// and does not depend on whether the login is still open.
func (d *Desk) notMe(ctx context.Context, s domain.SubjectID, c pairing.Decision, by domain.Stamp) (pairing.Decided, error) {
	freeze := enrolment.Freeze{Reason: enrolment.FrozenNotMe, Case: newCase()}
	st, events, err := d.act(ctx, s, by, func(enrolment.State) (enrolment.Command, error) { return freeze, nil })
	if err != nil {
		return pairing.Decided{}, d.phoneRefusal(err)
	}
	over := by
	over.Command = domain.CommandID(domain.EventIDFor(by.Command, 1000))
	_, _, err = d.actLogin(ctx, s, over, func(login.State) (login.Command, error) {
		return login.Decision{
			Challenge: enrolment.ChallengeID(c.Challenge), Device: enrolment.DeviceID(c.Device), Nonce: c.Nonce, Says: login.NotMe,
		}, nil
	})
	if err != nil && !errors.Is(err, login.ErrOver) && !errors.Is(err, login.ErrWrongPhone) {
		d.report(err) // the freeze counts all the same
	}
	if len(events) > 0 {
		d.tellFrozen(s, occasionOf(by.Command), FrozenNotMe, string(st.Case.ID))
	}
	return pairing.Decided{State: pairing.DecidedFrozen}, nil
}

// tellFrozen tells the person, and the helpdesk.
func (d *Desk) tellFrozen(s domain.SubjectID, occasion string, why Frozen, reference string) {
	d.notify(s, occasion, Message{Kind: FrozenMessage, Reason: why, Reference: reference}, enrolment.ByMail, enrolment.BySMS)
	d.alarm(s, occasion, why, reference)
}

func (d *Desk) approvalRefusal(err error) error {
	switch {
	case errors.Is(err, login.ErrOver), errors.Is(err, login.ErrLocked), errors.Is(err, login.ErrNoChallenge):
		return pairing.Over
	case errors.Is(err, login.ErrWrongPhone):
		return pairing.WrongNonce
	}
	return d.phoneRefusal(err)
}
