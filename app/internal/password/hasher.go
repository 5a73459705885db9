package password

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/argon2"

	"github.com/keydesk/keydesk/domain"
)

// ErrBusy says that as many hashes as allowed are being made, and as many wait.
// Nothing was done; it matches domain.ErrUnavailable.
var ErrBusy = fmt.Errorf("too many passwords at once: %w", domain.ErrUnavailable)

// ErrNoPepper says that a hash names a pepper that the settings do not have. It
// matches domain.ErrUnavailable: with the key back, the password works again.
var ErrNoPepper = fmt.Errorf("pepper of a password hash: %w", domain.ErrUnavailable)

// ErrOptions says that a Hasher cannot be made like this.
var ErrOptions = errors.New("password hashing settings")

// Peppers are keys that a stolen vault does not hold: a password is hashed as
// HMAC-SHA256(key, password). To rotate, add a key and make it the current
// one; the old one stays until no hash names it.
type Peppers struct {
	Current string            // id of the key for new hashes, 1 to 8 bytes
	Keys    map[string][]byte // by id, each 32 bytes or more
}

// Options are the settings of a Hasher. A zero cost, AtOnce or Queue means the
// default.
type Options struct {
	Params  Params  // of new hashes; DefaultParams
	Peppers Peppers // required
	AtOnce  int     // hashes made at the same time; 4. The window takes 1
	Queue   int     // how many more may wait; 32

	// Salts is where the salts of new hashes come from; nil: from crypto/rand, which
	// is right for all but a demo whose history has to come again. It has to bear as
	// much at once as the Hasher.
	Salts io.Reader
}

const (
	defaultAtOnce = 4
	defaultQueue  = 32
	minPepper     = 32 // bytes
	newSalt       = 16 // bytes (RFC 9106, section 3.1)
	newHash       = 32
)

// A Hasher makes and compares password hashes, a bounded number at once: each
// one takes Params.Memory and some 200 ms of a core. It may be used
// concurrently.
type Hasher struct {
	params  Params
	peppers Peppers
	queue   *queue
	salts   io.Reader
	nothing PHC // of no password, for accounts that do not exist
}

// NewHasher returns a Hasher, or ErrOptions with what is wrong.
func NewHasher(o Options) (*Hasher, error) {
	if o.Params == (Params{}) {
		o.Params = DefaultParams()
	}
	if o.AtOnce == 0 {
		o.AtOnce = defaultAtOnce
	}
	if o.Queue == 0 {
		o.Queue = defaultQueue
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	h := &Hasher{params: o.Params, peppers: o.Peppers.clone(), queue: newQueue(o.AtOnce, o.Queue), salts: o.Salts}
	if h.salts == nil {
		h.salts = rand.Reader // whose Read never fails: it ends the program instead
	}
	var err error
	if h.nothing, err = h.fresh(); err != nil {
		return nil, err
	}
	return h, nil
}

func (o Options) check() error {
	if err := o.Params.Check(); err != nil {
		return fmt.Errorf("%w: %w", ErrOptions, err)
	}
	if o.AtOnce < 1 || o.Queue < 0 {
		return fmt.Errorf("%w: at once and queue must not be negative", ErrOptions)
	}
	if _, ok := o.Peppers.Keys[o.Peppers.Current]; !ok {
		return fmt.Errorf("%w: no current pepper", ErrOptions)
	}
	for id, key := range o.Peppers.Keys {
		if id == "" || len(id) > maxPepperID {
			return fmt.Errorf("%w: the id of a pepper has 1 to %d bytes", ErrOptions, maxPepperID)
		}
		if len(key) < minPepper {
			return fmt.Errorf("%w: pepper %q is shorter than %d bytes", ErrOptions, id, minPepper)
		}
	}
	return nil
}

func (p Peppers) clone() Peppers {
	keys := make(map[string][]byte, len(p.Keys))
	for id, key := range p.Keys {
		keys[id] = append([]byte(nil), key...)
	}
	return Peppers{p.Current, keys}
}

// Hash returns the PHC string of a password, with a fresh salt and the current
// pepper. It refuses with ErrUnusable what Prepare refuses, with ErrBusy when
// the queue is full, and with the error of ctx when that ends in the queue;
// once begun it runs to its end. Whether the password is a good one is for
// Policy.Check to say.
func (h *Hasher) Hash(ctx context.Context, pw string) (string, error) {
	text, err := Prepare(pw)
	if err != nil {
		return "", err
	}
	phc, err := h.fresh()
	if err != nil {
		return "", err
	}
	if phc.Hash, err = h.derive(ctx, phc, text); err != nil {
		return "", err
	}
	return phc.String(), nil
}

// Verify says whether a password is that of a hash, and with rehash, which is
// only ever true with ok, that it should be hashed anew: it was made with
// other parameters or with another pepper than new ones are. A password that
// cannot be one takes the same time as a wrong one. The errors are those of
// Hash, ErrBadHash and ErrNoPepper; with any of them nothing is known.
func (h *Hasher) Verify(ctx context.Context, hash, pw string) (ok, rehash bool, err error) {
	phc, err := ParsePHC(hash)
	if err != nil {
		return false, false, err
	}
	text, unusable := Prepare(pw)
	got, err := h.derive(ctx, phc, text)
	if err != nil {
		return false, false, err
	}
	ok = subtle.ConstantTimeCompare(got, phc.Hash) == 1 && unusable == nil
	return ok, ok && h.isOld(phc), nil
}

// VerifyNothing takes the time that Verify takes, for an account that does not
// exist. Its errors are those of the queue.
func (h *Hasher) VerifyNothing(ctx context.Context, pw string) error {
	text, err := Prepare(pw)
	if err != nil {
		text = ""
	}
	_, err = h.derive(ctx, h.nothing, text)
	return err
}

// fresh returns a hash to be made: its salt and costs, and the length of Hash.
func (h *Hasher) fresh() (PHC, error) {
	salt := make([]byte, newSalt)
	if _, err := io.ReadFull(h.salts, salt); err != nil {
		return PHC{}, fmt.Errorf("make a salt: %w", err)
	}
	return PHC{Params: h.params, Pepper: h.peppers.Current, Salt: salt, Hash: make([]byte, newHash)}, nil
}

func (h *Hasher) isOld(p PHC) bool {
	return p.Params != h.params || p.Pepper != h.peppers.Current || len(p.Salt) < newSalt || len(p.Hash) < newHash
}

// derive waits for its turn and hashes a prepared password.
func (h *Hasher) derive(ctx context.Context, p PHC, text string) ([]byte, error) {
	secret := []byte(text)
	defer func() { clear(secret) }()
	if p.Pepper != "" {
		key, ok := h.peppers.Keys[p.Pepper]
		if !ok {
			return nil, ErrNoPepper
		}
		mac := hmac.New(sha256.New, key)
		mac.Write(secret)
		clear(secret)
		secret = mac.Sum(nil)
	}
	if err := h.queue.enter(ctx); err != nil {
		return nil, err
	}
	defer h.queue.leave()
	return argon2.IDKey(secret, p.Salt, p.Time, p.Memory, p.Threads, uint32(len(p.Hash))), nil //nolint:gosec // 16 to 64
}
