package demo

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/login"
	"github.com/keydesk/keydesk/domain/pairing"
)

// A person is one of the staff.
type person struct {
	dice
	id domain.SubjectID
	who
	phone, country string // the number that they have now

	state    enrolment.State
	revision domain.Revision // of the next event
	logins   login.State
	login    domain.Revision // of the next event of the logins

	versions [9]int16 // the last one of each of kinds in the vault
	filling  int      // 1 + where in world.filling they are; 0: not there
	claimed  bool
	oldHash  bool // the password is hashed as it was some time ago
	busy     int64

	fate
}

// A fate is what is going to happen to somebody.
type fate struct {
	admission enrolment.Admission
	wants     enrolment.Factor
	way       way  // how their enrolment goes
	turn      turn // what happens to them afterwards
	rate      float64
	place     string      // from where they log in
	role      domain.Role // that they get; empty: none
	serves    bool        // and have
	start     time.Time   // the first day
}

// kinds are those of the values that people have.
var kinds = []desk.Kind{
	desk.KindEmail, desk.KindName, desk.KindPhone, desk.KindCredential, desk.KindDevice, desk.KindPlace,
	desk.KindEmployee, desk.KindTeam, desk.KindStartDate,
}

// value puts something into the vault, and returns what events name it by.
func (w *world) value(p *person, at time.Time, k desk.Kind, text string) domain.Ref {
	if w.over(at) { // no event will name it
		return domain.Ref{}
	}
	version := &p.versions[slices.Index(kinds, k)]
	*version++
	v := Value{Kind: k, Value: []byte(text), Version: int(*version), Put: at}
	p.bytes(v.Ref[:])
	p.bytes(v.Salt[:])
	if p.filling == 0 {
		f := Filling{Subject: p.id}
		if !p.claimed {
			f.Email, p.claimed = p.email, true
		}
		w.filling, w.filled = append(w.filling, f), append(w.filled, p)
		p.filling = len(w.filling)
	}
	f := &w.filling[p.filling-1]
	f.Values = append(f.Values, v)
	return domain.Ref{ID: v.Ref, Version: v.Version, Commitment: domain.Commit(v.Salt, v.Value)}
}

// do has a command about somebody decided, and records what follows.
func (w *world) do(p *person, by domain.Stamp, c enrolment.Command) {
	if w.over(by.At) || w.err != nil {
		return
	}
	events, err := w.Policy.Decide(p.state, c, by)
	if err != nil {
		w.refused(fmt.Errorf("%T of %s at %s: %w", c, p.id, by.At.Format(time.RFC3339), err))
		return
	}
	if len(events) == 0 {
		return
	}
	msgs, err := enrolment.Messages(events, by)
	if err != nil {
		w.fail(err)
		return
	}
	p.state = enrolment.Fold(p.state, events...)
	w.record(domain.EnrolmentStream(p.id), p.revision, by, msgs)
	p.revision += domain.Revision(len(msgs))
}

// doLogin is do for somebody's logins.
func (w *world) doLogin(p *person, by domain.Stamp, c login.Command) {
	if w.over(by.At) || w.err != nil {
		return
	}
	events, err := login.Decide(w.Policy, p.logins, c, by)
	if err != nil {
		w.refused(fmt.Errorf("%T of %s at %s: %w", c, p.id, by.At.Format(time.RFC3339), err))
		return
	}
	msgs, err := login.Messages(events, by)
	if err != nil {
		w.fail(err)
		return
	}
	for _, e := range events {
		p.logins = login.Evolve(p.logins, e, by.At)
	}
	w.record(login.Stream(p.id), p.login, by, msgs)
	p.login += domain.Revision(len(msgs))
}

// refused is what comes of a command that the domain refuses: nothing is recorded, as
// in life. Under the policy that the episodes were written for they ask for no such
// thing, and one that does is a mistake in them.
func (w *world) refused(err error) {
	if w.policy == enrolment.PolicyVersion {
		w.fail(err)
	}
}

// until keeps somebody busy: another episode of theirs begins later.
func (p *person) until(at time.Time) { p.busy = max(p.busy, at.UnixMicro()) }

// phoneKeys is the purpose of the key that the keys of a demo's phones come from.
const phoneKeys = "demo/phone"

// PhoneKey returns the private key of a phone of the history, so that a demo's phone
// can be any of them. A device that is none of the history's has a key as well, which
// is nobody's.
func PhoneKey(keys Keys, device enrolment.DeviceID) (*ecdsa.PrivateKey, error) {
	key, _ := keys.Derive(phoneKeys)
	for n := byte(0); ; n++ { // once, but for a chance of 2^-32
		h := hmac.New(sha256.New, key[:])
		h.Write([]byte(device))
		h.Write([]byte{n})
		private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), h.Sum(nil))
		if err == nil || n == 255 {
			return private, err
		}
	}
}

// publicKey returns a phone's key as events hold it.
func publicKey(private *ecdsa.PrivateKey) ([]byte, error) {
	point, err := private.PublicKey.Bytes() // 4, x, y (SEC 1, section 2.3.3)
	if err != nil {
		return nil, err
	}
	b64 := base64.RawURLEncoding.EncodeToString
	return pairing.CanonicalKey(b64(point[1:33]), b64(point[33:])), nil
}
