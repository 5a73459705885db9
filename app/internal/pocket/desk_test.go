package pocket_test

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/pairing"
)

// memoryDesk keeps the rules of pairing and approval in memory: one claim (a
// second phone burns it), three tries at the digits, an end to everything, and
// the same answer for the same request.
type memoryDesk struct {
	key []byte

	mu       sync.Mutex
	pairings map[string]*offer
	moved    chan struct{} // closed and replaced at every change
	down     error         // what every method returns while the log is away
	waiting  int           // phones in AwaitPairing
	lost     error         // what the next finish returns although it was recorded

	logins map[string]*login // by device: one waits at a time
	nonces map[string]bool   // false: too old
	polls  int               // calls of PendingApproval

	cases map[string]pairing.Refusal // codes that stop one, and what is said; "": it is stopped
	stops []string                   // codes that were brought
}

// A login waits for a phone.
type login struct {
	approval pairing.Approval
	digits   string
	state    pairing.DecidedState // "" until decided
	said     pairing.Decision     // the last one
	answered pairing.Decided
	over     bool
}

type offer struct {
	expires time.Time
	claim   pairing.Claim
	nonce   string
	wrong   int
	state   pairing.State // "" until claimed
	reason  pairing.Reason
	subject string
	device  string
	revoked bool
}

func newDesk() *memoryDesk {
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	return &memoryDesk{
		key: key, pairings: map[string]*offer{}, moved: make(chan struct{}),
		logins: map[string]*login{}, nonces: map[string]bool{},
		cases: map[string]pairing.Refusal{},
	}
}

func token() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// Offer shows a new pairing at the station: what its QR code says, and the
// code to type.
func (d *memoryDesk) Offer(publicURL string, life time.Duration) (qr pairing.QR, code string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	id := token()
	d.pairings[id] = &offer{expires: time.Now().Add(life)}
	return pairing.QR{PublicURL: publicURL, Pairing: id, Secret: pairing.Secret(d.key, id)}, pairing.Code(d.key, id)
}

// TypeDigits is the person at the station. It says whether they were right.
func (d *memoryDesk) TypeDigits(id, digits string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	o := d.pairings[id]
	if o.state != pairing.StateClaimed {
		return false
	}
	right := digits == pairing.Digits(id, o.claim.Thumbprint, o.nonce)
	if right {
		d.move(o, pairing.StateConfirmed, "")
	} else if o.wrong++; o.wrong == 3 {
		d.move(o, pairing.StateFailed, pairing.ReasonWrongDigits)
	}
	return right
}

// Stop is the person leaving the station.
func (d *memoryDesk) Stop(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.move(d.pairings[id], pairing.StateFailed, pairing.ReasonStopped)
}

// Expire ends the pairing's time.
func (d *memoryDesk) Expire(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	o := d.pairings[id]
	o.expires = time.Now()
	if o.state == pairing.StateClaimed {
		d.move(o, pairing.StateFailed, pairing.ReasonExpired)
	}
}

// Fail makes every method return err, or work again.
func (d *memoryDesk) Fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.down = err
}

// LoseAnswer makes the next finish happen without its answer.
func (d *memoryDesk) LoseAnswer() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lost = errors.New("the answer is lost")
}

// State says how far a pairing is, and with which device it ended.
func (d *memoryDesk) State(id string) (state pairing.State, label, device string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	o := d.pairings[id]
	return o.state, o.claim.Label, o.device
}

func (d *memoryDesk) move(o *offer, s pairing.State, why pairing.Reason) {
	o.state, o.reason = s, why
	d.tell()
}

func (d *memoryDesk) tell() {
	close(d.moved)
	d.moved = make(chan struct{})
}

func (d *memoryDesk) FindPairing(_ context.Context, locator string) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for id, o := range d.pairings {
		if pairing.Locator(pairing.Code(d.key, id)) == locator && time.Now().Before(o.expires) {
			return id, d.down
		}
	}
	return "", pairing.Unknown
}

func (d *memoryDesk) ClaimPairing(_ context.Context, c pairing.Claim) (pairing.Claimed, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	o, ok := d.pairings[c.Pairing]
	switch {
	case d.down != nil:
		return pairing.Claimed{}, d.down
	case !ok:
		return pairing.Claimed{}, pairing.Unknown
	case !d.proved(c):
		return pairing.Claimed{}, pairing.WrongProof
	case o.state != "" && o.claim.Thumbprint != c.Thumbprint:
		if o.state == pairing.StateClaimed {
			d.move(o, pairing.StateFailed, pairing.ReasonClaimedAlready)
		}
		return pairing.Claimed{}, pairing.ClaimedAlready
	case !time.Now().Before(o.expires):
		return pairing.Claimed{}, pairing.Expired
	case o.state == "":
		o.claim, o.nonce, o.state = c, token(), pairing.StateClaimed
	}
	return pairing.Claimed{Nonce: o.nonce, Expires: o.expires}, nil
}

func (d *memoryDesk) proved(c pairing.Claim) bool {
	for _, shown := range []string{pairing.Secret(d.key, c.Pairing), pairing.Code(d.key, c.Pairing)} {
		if hmac.Equal(c.Proof, pairing.ClaimProof(shown, c.Pairing, c.Thumbprint)) {
			return true
		}
	}
	return false
}

func (d *memoryDesk) AwaitPairing(ctx context.Context, id, thumbprint string) (pairing.Progress, error) {
	for {
		d.mu.Lock()
		o, moved, down := d.pairings[id], d.moved, d.down
		var p pairing.Progress
		mine := o != nil && o.claim.Thumbprint == thumbprint && o.state != ""
		if mine {
			p = pairing.Progress{State: o.state, Reason: o.reason}
		}
		d.mu.Unlock()
		switch {
		case down != nil:
			return pairing.Progress{}, down
		case !mine:
			return pairing.Progress{}, pairing.Unknown
		case p.State != pairing.StateClaimed:
			return p, nil
		}
		d.wait(1)
		select {
		case <-moved:
			d.wait(-1)
		case <-ctx.Done():
			d.wait(-1)
			return pairing.Progress{}, ctx.Err()
		}
	}
}

func (d *memoryDesk) wait(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.waiting += n
}

// Waiting counts the phones that wait for their station.
func (d *memoryDesk) Waiting() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.waiting
}

func (d *memoryDesk) FinishPairing(_ context.Context, f pairing.Finish) (pairing.Account, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	o, ok := d.pairings[f.Pairing]
	switch {
	case d.down != nil:
		return pairing.Account{}, d.down
	case !ok || o.claim.Thumbprint != f.Thumbprint:
		return pairing.Account{}, pairing.Unknown
	case o.nonce != f.Nonce:
		return pairing.Account{}, pairing.WrongNonce
	case o.state == pairing.StateFailed:
		return pairing.Account{}, pairing.Failed
	case o.state == pairing.StateClaimed:
		return pairing.Account{}, pairing.NotConfirmed
	case o.state == pairing.StateConfirmed:
		o.subject, o.device = domain.SubjectID([]byte(token())[:16]).String(), token()
		d.move(o, pairing.StatePaired, "")
	}
	lost := d.lost
	d.lost = nil
	return pairing.Account{Subject: o.subject, Device: o.device, Portal: "Mijn OPO-R", Organisation: "Stichting OPO-R"}, lost
}

// A change to an approval that Login makes.
type asks func(*pairing.Approval)

// Login has somebody log in whose phone is the device of a pairing. It returns
// the digits on their screen. An earlier login of theirs is over.
func (d *memoryDesk) Login(id string, life time.Duration, change ...asks) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	l := &login{approval: pairing.Approval{
		Challenge: token(), Nonce: token(), Portal: "Mijn OPO-R", Organisation: "Stichting OPO-R",
		Client: "mijn-opo-r", From: "Firefox, Utrecht", Asked: now, Expires: now.Add(life), Tries: 3,
	}, digits: pairing.Digits(id, token(), token())}
	for _, f := range change {
		f(&l.approval)
	}
	d.logins[d.pairings[id].device] = l
	d.tell()
	return l.digits
}

// EndLogin is the person leaving the screen.
func (d *memoryDesk) EndLogin(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.logins[d.pairings[id].device].over = true
	d.tell()
}

// Decided says what came of the login of a pairing's device.
func (d *memoryDesk) Decided(id string) pairing.DecidedState {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.logins[d.pairings[id].device].state
}

// Revoke ends a device.
func (d *memoryDesk) Revoke(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pairings[id].revoked = true
	d.tell()
}

// AgeNonces makes all nonces of questions too old.
func (d *memoryDesk) AgeNonces() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for n := range d.nonces {
		d.nonces[n] = false
	}
}

// Polls counts the questions of phones.
func (d *memoryDesk) Polls() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.polls
}

func (d *memoryDesk) PhoneNonce() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := token()
	d.nonces[n] = true
	return n
}

// of returns the pairing of a device, if it is that phone's.
func (d *memoryDesk) of(subject, device, thumbprint string) error {
	for _, o := range d.pairings {
		if o.device == device && o.subject == subject && o.claim.Thumbprint == thumbprint && !o.revoked {
			return d.down
		}
	}
	return pairing.Revoked
}

func (d *memoryDesk) PendingApproval(ctx context.Context, q pairing.Ask) (*pairing.Approval, error) {
	d.mu.Lock()
	d.polls++
	fresh := d.nonces[q.Nonce]
	d.mu.Unlock()
	if !fresh {
		return nil, pairing.WrongNonce
	}
	d.wait(1)
	defer d.wait(-1)
	for {
		d.mu.Lock()
		err, moved, l := d.of(q.Subject, q.Device, q.Thumbprint), d.moved, d.logins[q.Device]
		if err == nil && l != nil && l.state == "" && !l.over && time.Now().Before(l.approval.Expires) {
			a := l.approval
			d.mu.Unlock()
			return &a, nil
		}
		d.mu.Unlock()
		if err != nil {
			return nil, err
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return nil, nil //nolint:nilnil // nothing waits
		}
	}
}

func (d *memoryDesk) DecideApproval(_ context.Context, c pairing.Decision) (pairing.Decided, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.of(c.Subject, c.Device, c.Thumbprint); err != nil {
		return pairing.Decided{}, err
	}
	l := d.logins[c.Device]
	switch {
	case l == nil || l.approval.Challenge != c.Challenge:
		return pairing.Decided{}, pairing.Over
	case l.said == c:
		return l.answered, nil
	case c.Answer == pairing.NotMe: // also when the login is over
	case l.approval.Nonce != c.Nonce:
		return pairing.Decided{}, pairing.WrongNonce
	case l.approval.Context() != c.Context:
		return pairing.Decided{}, pairing.Failed
	case l.over || l.state != "" || !time.Now().Before(l.approval.Expires):
		return pairing.Decided{}, pairing.Over
	}
	l.said = c
	switch {
	case c.Answer == pairing.NotMe:
		l.state = pairing.DecidedFrozen
	case c.Answer == pairing.Deny:
		l.state = pairing.DecidedDenied
	case c.Digits == l.digits:
		l.state = pairing.DecidedApproved
	default:
		l.approval.Tries--
		l.over = l.approval.Tries == 0
		l.answered = pairing.Decided{State: pairing.DecidedWrong, Tries: l.approval.Tries}
		d.tell()
		return l.answered, nil
	}
	l.answered = pairing.Decided{State: l.state}
	d.tell()
	lost := d.lost
	d.lost = nil
	return l.answered, lost
}

// eventually polls until the condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("waited too long: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// StopByCode takes the codes of cases.
func (d *memoryDesk) StopByCode(_ context.Context, code string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.down != nil {
		return d.down
	}
	d.stops = append(d.stops, code)
	said, ok := d.cases[code]
	switch {
	case !ok:
		return pairing.Unknown
	case said != "":
		return said
	}
	return nil
}

// Case opens one that a code stops.
func (d *memoryDesk) Case(code string, said pairing.Refusal) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cases[code] = said
}

// Stops returns the codes that were brought.
func (d *memoryDesk) Stops() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.stops...)
}
