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

	"github.com/keydesk/keydesk/domain/pairing"
)

// memoryDesk keeps the rules of pairing in memory: one claim (a second phone
// burns it), three tries at the digits, an end to everything, and the same
// answer for the same request.
type memoryDesk struct {
	key []byte

	mu       sync.Mutex
	pairings map[string]*offer
	moved    chan struct{} // closed and replaced at every change
	down     error         // what every method returns while the log is away
	waiting  int           // phones in AwaitPairing
	lost     error         // what the next finish returns although it was recorded
}

type offer struct {
	expires time.Time
	claim   pairing.Claim
	nonce   string
	wrong   int
	state   pairing.State // "" until claimed
	reason  pairing.Reason
	device  string
}

func newDesk() *memoryDesk {
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	return &memoryDesk{key: key, pairings: map[string]*offer{}, moved: make(chan struct{})}
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
		o.device = token()
		d.move(o, pairing.StatePaired, "")
	}
	lost := d.lost
	d.lost = nil
	return pairing.Account{Device: o.device, Portal: "Mijn OPO-R", Organisation: "Stichting OPO-R"}, lost
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
