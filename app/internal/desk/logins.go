package desk

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/login"
	"github.com/keydesk/keydesk/domain/pairing"
)

// The ceremony of a login, which windows (login.go), the API (signin.go) and phones
// (approve.go) stand on.

// An applicant is somebody who wants to log in, as whoever asks for it knows them.
type applicant struct {
	by      login.Asker
	network login.Network
	nowhere bool   // the client did not say where they are
	from    string // where they are, in words for them; may be empty
	stamp   func(domain.CommandID) domain.Stamp

	counted *bool           // the send was counted, by an earlier try of the same call; nil: there is none
	next    func(time.Time) // told from when on a code may be sent again; nil: nobody
}

// network returns what failures are counted by: a keyed hash of where somebody is,
// as the asker knows it. An address is personal data, and does not get into the log.
func (d *Desk) network(by login.Asker, where string) login.Network {
	key, _ := d.Keys.Derive("login/network")
	h := hmac.New(sha256.New, key[:])
	for _, part := range []string{by.Client, by.Station, where} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return login.Network(base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:16]))
}

// A loginRecord is one person's logins as the log has them.
type loginRecord struct {
	state    login.State
	revision domain.Revision
	last     []recordedLogin // the last events, to find a command's own among them
}

type recordedLogin struct {
	id    domain.EventID
	event login.Event
}

// ownEvents is how many of the last events are looked through for a command's own.
const ownEvents = 64

// own returns the events that a command has recorded already.
func (r loginRecord) own(c domain.CommandID) (mine []login.Event) {
	for _, e := range r.last {
		if e.id == domain.EventIDFor(c, len(mine)) {
			mine = append(mine, e.event)
		}
	}
	return mine
}

func (r loginRecord) evolve(e login.Event, id domain.EventID, at time.Time) loginRecord {
	r.state = login.Evolve(r.state, e, at)
	last := append([]recordedLogin(nil), r.last[max(0, len(r.last)-ownEvents+1):]...)
	r.last = append(last, recordedLogin{id, e})
	return r
}

// loginCache holds what was read of people's logins: their streams hold years, and
// only what is new of them is read. What stands in a log never changes.
type loginCache struct {
	mu    sync.Mutex
	known map[domain.SubjectID]loginRecord
}

const loginsKnown = 4096

func (c *loginCache) get(s domain.SubjectID) (loginRecord, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r, ok := c.known[s]
	return r, ok
}

func (c *loginCache) put(s domain.SubjectID, r loginRecord) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || len(c.known) >= loginsKnown {
		c.known = map[domain.SubjectID]loginRecord{}
	}
	if old, ok := c.known[s]; !ok || old.revision < r.revision {
		c.known[s] = r
	}
}

// loadLogins reads and folds one person's logins. An unknown event is an error:
// with it nothing may be decided.
func (d *Desk) loadLogins(ctx context.Context, s domain.SubjectID) (loginRecord, error) {
	r, ok := d.logins.get(s)
	if !ok {
		r.revision = domain.NoStream
	}
	events, err := d.Log.ReadStream(ctx, login.Stream(s), r.revision+1)
	if err != nil {
		return loginRecord{}, fmt.Errorf("read logins of %s: %w", s, err)
	}
	for _, rec := range events {
		e, err := login.Decode(rec.Type, rec.Data)
		var meta struct {
			At time.Time `json:"at"`
		}
		if err == nil {
			err = json.Unmarshal(rec.Metadata, &meta)
		}
		if err != nil {
			return loginRecord{}, fmt.Errorf("fold logins of %s at revision %d: %w", s, rec.Revision, err)
		}
		r = r.evolve(e, rec.ID, meta.At)
		r.revision = rec.Revision
	}
	if len(events) > 0 {
		d.logins.put(s, r)
	}
	return r, nil
}

// actLogin has a command decided and recorded in somebody's logins, as act does in
// their enrolment. The last of them may be too old to be given: where the stream is, a
// conflict says, and all that is given behind what was read has been read after it.
func (d *Desk) actLogin(ctx context.Context, s domain.SubjectID, by domain.Stamp, command func(login.State) (login.Command, error)) (login.State, []login.Event, error) {
	actual := domain.NoStream
	for range maxRedecide {
		r, err := d.loadLogins(ctx, s)
		if err != nil {
			return r.state, nil, err
		}
		if mine := r.own(by.Command); len(mine) > 0 {
			return r.state, mine, nil
		}
		c, err := command(r.state)
		if err != nil {
			return r.state, nil, err
		}
		events, err := login.Decide(d.Policy, r.state, c, by)
		if err != nil || len(events) == 0 {
			return r.state, nil, err
		}
		msgs, err := login.Messages(events, by)
		if err != nil {
			return r.state, nil, err
		}
		_, err = d.append(ctx, login.Stream(s), max(r.revision, actual), msgs)
		if c, ok := errors.AsType[*domain.Conflict](err); ok {
			actual = c.Actual
			continue
		}
		if err != nil {
			return r.state, nil, fmt.Errorf("record %s of %s: %w", msgs[0].Type, s, err)
		}
		for i, e := range events {
			r = r.evolve(e, msgs[i].ID, by.At)
		}
		return r.state, events, nil
	}
	return login.State{}, nil, fmt.Errorf("decide on logins of %s: %w", s, domain.ErrConflict)
}

// challenge asks for the factor, of somebody whose password was right. chosen is
// the one to ask for. Of an SMS that may not be sent now the open code of the same
// asker goes on to count, if there is one.
func (d *Desk) challenge(ctx context.Context, s domain.SubjectID, r record, who applicant, change login.Change, by domain.Stamp) (login.State, error) {
	factor := r.state.Chosen()
	switch {
	case factor == enrolment.NoFactor:
		return login.State{}, refuse(OutOfOrder)
	case r.state.Frozen != "" && change != login.Change(provesFound):
		return login.State{}, refuse(AccountFrozen)
	}
	e := login.LoginChallenged{
		Factor: factor, By: who.by, Network: who.network, Change: change, Enrolment: r.revision,
	}
	var random [16]byte
	rand.Read(random[:]) //nolint:errcheck // crypto/rand.Read never fails
	e.Challenge = enrolment.ChallengeID(pairing.ID(random))
	if factor == enrolment.Pocket {
		return d.askPhone(ctx, s, r, e, who.from, by)
	}
	return d.askNumber(ctx, s, r, e, who, by)
}

// digitsKey is the purpose of the key of the digits that a phone has to be told.
const digitsKey = "login/digits"

func (d *Desk) askPhone(ctx context.Context, s domain.SubjectID, r record, e login.LoginChallenged, from string, by domain.Stamp) (login.State, error) {
	var nonce [18]byte
	rand.Read(nonce[:]) //nolint:errcheck // see above
	logins, err := d.loadLogins(ctx, s)
	if err != nil {
		return login.State{}, err
	}
	if at := logins.state.AskAgainAt(d.Policy, by.At); at.After(by.At) && len(logins.own(by.Command)) == 0 {
		return login.State{}, &Refusal{Code: Limited, Wait: max(time.Second, at.Sub(by.At))}
	}
	e.Device, e.Nonce = r.state.Device.ID, base64.RawURLEncoding.EncodeToString(nonce[:])
	_, e.KeyID = d.Keys.Derive(digitsKey)
	if from != "" {
		ref, err := d.put(ctx, s, KindPlace, []byte(from))
		if err != nil {
			return login.State{}, err
		}
		e.From = &ref
	}
	st, events, err := d.actLogin(ctx, s, by, func(login.State) (login.Command, error) { return login.Ask{Challenge: e}, nil })
	if err == nil {
		err = asked(st, events, e.Change)
	}
	if errors.Is(err, login.ErrTooManyApprovals) {
		return st, &Refusal{Code: Limited, Wait: max(time.Second, st.AskAgainAt(d.Policy, by.At).Sub(by.At))}
	}
	if err == nil && e.From != nil {
		d.activate(ctx, s, *e.From)
	}
	return st, err
}

// asked refuses a challenge that is not the one which a command asked for: another
// login took its place, or it was asked for before and for something else.
func asked(st login.State, events []login.Event, what login.Change) error {
	for _, e := range events {
		if c, ok := e.(login.LoginChallenged); ok && c.Challenge == st.Open.ID && c.Change == what {
			return nil
		}
	}
	return refuse(MovedOn)
}

func (d *Desk) askNumber(ctx context.Context, s domain.SubjectID, r record, e login.LoginChallenged, who applicant, by domain.Stamp) (login.State, error) {
	_, e.KeyID = d.Keys.Derive(codeKey(enrolment.LoggingIn))
	e.To = &r.state.Phone.Ref
	next, allowed, err := d.countLogin(ctx, s, r.state.Phone.Ref, who)
	if err != nil {
		return login.State{}, err
	}
	if !allowed {
		return d.openCode(ctx, s, e, next)
	}
	st, events, err := d.actLogin(ctx, s, by, func(login.State) (login.Command, error) { return login.Ask{Challenge: e}, nil })
	if err == nil {
		err = asked(st, events, e.Change)
	}
	if err == nil {
		d.sendLogin(s, st.Open.ID, r.state.Language)
	}
	return st, err
}

// countLogin counts the send of a login's code, once for each call.
func (d *Desk) countLogin(ctx context.Context, s domain.SubjectID, to domain.Ref, who applicant) (next time.Time, allowed bool, err error) {
	if who.counted != nil && *who.counted {
		return next, true, nil
	}
	number, err := d.open(ctx, s, KindPhone, to)
	if err != nil {
		return next, false, err
	}
	next, allowed, err = d.countSend(ctx, enrolment.LoggingIn, enrolment.BySMS, number, who.by.Station)
	if err != nil {
		return next, false, err
	}
	if who.counted != nil {
		*who.counted = allowed
	}
	if who.next != nil {
		who.next(next)
	}
	return next, allowed, nil
}

// openCode returns the state with a code that was sent before and serves the same
// purpose, or when one may be sent again. A station has one person at a time; of two
// who ask a client of the API neither is given the other's login.
func (d *Desk) openCode(ctx context.Context, s domain.SubjectID, e login.LoginChallenged, next time.Time) (login.State, error) {
	logins, err := d.loadLogins(ctx, s)
	if err != nil {
		return login.State{}, err
	}
	c := logins.state.Open
	if e.By.Station != "" && c.Live(d.Now()) && c.Factor == enrolment.SMS && c.By == e.By && c.Network == e.Network && c.Change == e.Change &&
		c.Enrolment == e.Enrolment && c.Wrong < d.Policy.WrongCodes {
		return logins.state, nil
	}
	return logins.state, &Refusal{Code: Limited, Wait: max(0, next.Sub(d.Now()))}
}

// repeat sends the open code of a login once more, or (when little is left of it)
// another one.
func (d *Desk) repeat(ctx context.Context, s domain.SubjectID, c login.Challenge, who applicant, by domain.Stamp) (login.State, error) {
	r, err := d.load(ctx, s)
	if err != nil {
		return login.State{}, err
	}
	frozen := r.state.Frozen != "" && c.Change != login.Change(provesFound)
	if frozen || r.movedOn(c.Enrolment) || d.Now().After(c.Expires.Add(d.Policy.RepeatWhileLeft)) {
		return login.State{}, login.ErrOver // the password was right for what was then
	}
	if !c.Live(d.Now()) || c.Expires.Sub(d.Now()) < d.Policy.RepeatWhileLeft || c.Wrong >= d.Policy.WrongCodes {
		return d.challenge(ctx, s, r, who, c.Change, by)
	}
	sent := who.counted != nil && *who.counted // by an earlier try of this call
	next, allowed, err := d.countLogin(ctx, s, c.To, who)
	switch {
	case err != nil:
		return login.State{}, err
	case !allowed:
		return login.State{}, &Refusal{Code: Limited, Wait: max(0, next.Sub(d.Now()))}
	case !sent:
		d.sendLogin(s, c.ID, r.state.Language)
	}
	logins, err := d.loadLogins(ctx, s)
	if err == nil && logins.state.Open.ID != c.ID {
		err = login.ErrOver
	}
	return logins.state, err
}

// sendLogin sends the code of a login in the background, and records what became
// of it.
func (d *Desk) sendLogin(s domain.SubjectID, id enrolment.ChallengeID, lang string) {
	send := func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, deliverFor)
		defer cancel()
		d.report(d.deliverLogin(ctx, s, id, lang))
	}
	if !d.enqueue(send) {
		d.report(fmt.Errorf("send the code of a login: %w: too much is waiting", domain.ErrUnavailable))
	}
}

func (d *Desk) deliverLogin(ctx context.Context, s domain.SubjectID, id enrolment.ChallengeID, lang string) error {
	logins, err := d.loadLogins(ctx, s)
	if err != nil {
		return err
	}
	c := logins.state.Open
	if c.ID != id || !c.Live(d.Now()) {
		return nil
	}
	number, err := d.startSend(ctx, enrolment.Challenge{ID: c.ID, Sends: c.Sends})
	if err != nil {
		return err
	}
	m := Message{
		ID: sendID(c.ID, number), Kind: CodeMessage, Purpose: enrolment.LoggingIn, Change: c.Change != "", Channel: enrolment.BySMS, Lang: lang,
		Life: c.Expires.Sub(d.Now()).Round(time.Minute),
	}
	if m.To, err = d.open(ctx, s, KindPhone, c.To); err != nil {
		return err
	}
	if m.Code, err = d.loginCode(s, c); err != nil {
		return err
	}
	receipt, failed := d.Courier.Deliver(ctx, m)
	if failed == nil || errors.Is(failed, domain.ErrUnknownOutcome) {
		if err := d.Sends.RecordSend(ctx, d.Now(), string(m.Channel), string(c.ID)); err != nil {
			return errors.Join(failed, err)
		}
	}
	var what login.Command = login.RecordSent{Sent: login.CodeSent{
		Challenge: c.ID, Number: number, Provider: receipt.Provider, ProviderID: receipt.ID,
	}}
	if failed != nil {
		what = login.RecordUndeliverable{Failed: login.CodeUndeliverable{Challenge: c.ID, Number: number, Reason: reasonOf(failed)}}
	}
	_, _, err = d.actLogin(ctx, s, d.machineStamp(domain.EventID(newCommand())), func(login.State) (login.Command, error) { return what, nil })
	return errors.Join(failed, err)
}

// loginCode returns the six digits of a challenge: those that the SMS brings, or
// those that the screen shows for the phone.
func (d *Desk) loginCode(s domain.SubjectID, c login.Challenge) (string, error) {
	purpose := codeKey(enrolment.LoggingIn)
	if c.Factor == enrolment.Pocket {
		purpose = digitsKey
	}
	key, err := d.Keys.DeriveWith(c.KeyID, purpose)
	if err != nil {
		return "", err
	}
	return enrolment.Code(key, s, enrolment.LoggingIn, c.ID), nil
}

// answer brings the code from the SMS. It returns the challenge that succeeded.
func (d *Desk) answer(ctx context.Context, s domain.SubjectID, id enrolment.ChallengeID, who applicant, typed string, by domain.Stamp) (login.Challenge, error) {
	by.Command = commandFor(by.Command, id)
	st, events, err := d.actLogin(ctx, s, by, func(st login.State) (login.Command, error) {
		code, err := d.loginCode(s, st.Open)
		if st.Open.ID != id {
			code, err = "", nil
		}
		return login.Answer{Challenge: id, By: who.by, Matches: code != "" && enrolment.Matches(code, digitsOf(typed))}, err
	})
	if err != nil {
		return st.Open, err
	}
	d.tellLocked(s, events)
	for _, e := range events {
		if f, ok := e.(login.LoginFailed); ok && f.Reason == login.WrongCode {
			if left := d.Policy.WrongCodes - st.Open.Wrong; left > 0 && len(events) == 1 {
				return st.Open, &Refusal{Code: WrongCode, Left: left}
			}
			return st.Open, refuse(CodeEnded)
		}
	}
	if st.Open.ID != id || st.Open.Stage != login.Succeeded {
		return st.Open, login.ErrOver
	}
	d.report(d.Sends.RecordVerified(ctx, string(id)))
	if number, err := d.open(ctx, s, KindPhone, st.Open.To); err == nil {
		d.report(d.Limits.Clear(ctx, d.perAddress(enrolment.LoggingIn, number)[0]))
	}
	return st.Open, d.give(ctx, s, st.Open)
}

// redeem takes a login that the phone has approved.
func (d *Desk) redeem(ctx context.Context, s domain.SubjectID, id enrolment.ChallengeID, who applicant, by domain.Stamp) (login.Challenge, error) {
	by.Command = commandFor(by.Command, id)
	st, _, err := d.actLogin(ctx, s, by, func(login.State) (login.Command, error) {
		return login.Redeem{Challenge: id, By: who.by}, nil
	})
	switch {
	case err != nil:
		return st.Open, err
	case st.Open.ID != id || st.Open.Stage != login.Succeeded:
		return st.Open, login.ErrOver
	}
	return st.Open, d.give(ctx, s, st.Open)
}

// commandFor makes a command be about one challenge only: under the same Call, another
// challenge is another act.
func commandFor(c domain.CommandID, id enrolment.ChallengeID) domain.CommandID {
	h := sha256.Sum256(append(c[:], id...))
	return domain.CommandID(h[:16])
}

// give reads the enrolment again, after a login was recorded and before anybody is
// told: when it has moved on, the login is taken back. A freeze, or another factor,
// that came in between is so never overtaken.
func (d *Desk) give(ctx context.Context, s domain.SubjectID, c login.Challenge) error {
	r, err := d.load(ctx, s)
	if err != nil {
		return err
	}
	frozen := r.state.Frozen != "" && c.Change != login.Change(provesFound)
	if !r.movedOn(c.Enrolment) && r.state.Chosen() == c.Factor && !frozen {
		return nil
	}
	_, _, err = d.actLogin(ctx, s, d.machineStamp(domain.EventID(newCommand())), func(login.State) (login.Command, error) {
		return login.Void{Challenge: c.ID}, nil
	})
	d.report(err)
	return refuse(LoginStale)
}

// movedOn says whether something was recorded behind a revision, other than what became
// of a message, a code that was read aloud, in which language, and what staff ask for:
// these come when they come, and say nothing of who somebody is. What a case does to an
// account is recorded beside it.
func (r record) movedOn(since domain.Revision) bool {
	return slices.ContainsFunc(r.events, func(e domain.Recorded) bool {
		return e.Revision > since && !slices.Contains(passing, e.Type)
	})
}

var passing = []string{
	"CodeSent", "CodeUndeliverable", "HelpCodeShown", "LanguageSet",
	"RecoveryRequested", "RecoveryApproved", "RecoveryDenied", "RecoveryStopped", "RecoveryExpired", "RecoveryCompleted",
}
