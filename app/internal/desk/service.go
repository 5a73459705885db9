package desk

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/service"
)

// A Token is with what a client of the API shows who it is: its id, a dot, and
// 256 random bits in base64url. It is a secret, and kept nowhere.
type Token string

// tokenPrefix lets scanners for leaked secrets know a token.
const tokenPrefix = "keydesk_"

// String does not show it.
func (Token) String() string { return "(token)" }

// Reveal returns it.
func (t Token) Reveal() string { return string(t) }

// ParseToken reads a token: whose it is, and what the log holds of it.
func ParseToken(s string) (client, hash string, ok bool) {
	s, ok = strings.CutPrefix(s, tokenPrefix)
	client, secret, dot := strings.Cut(s, ".")
	if !ok || !dot || client == "" || len(secret) != base64.RawURLEncoding.EncodedLen(32) {
		return "", "", false
	}
	return client, hashOf(secret), true
}

func hashOf(secret string) string {
	h := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(h[:])
}

// SameToken says whether two hashes are of one token, in constant time.
func SameToken(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// AddClient records that a program may ask the API for what its scopes name. The
// token is given this once. Who asks has been checked.
func (d *Desk) AddClient(ctx context.Context, id string, scopes []service.Scope) (Token, error) {
	var b [32]byte
	rand.Read(b[:]) //nolint:errcheck // crypto/rand.Read never fails (documented since Go 1.24)
	secret := base64.RawURLEncoding.EncodeToString(b[:])
	err := d.decideService(ctx, d.adminStamp(), func(s service.State) (service.Event, error) {
		return service.AddClient(s, id, scopes, hashOf(secret))
	})
	if err != nil {
		return "", err
	}
	return Token(tokenPrefix + id + "." + secret), nil
}

// RevokeClient records that a program may ask for nothing any more.
func (d *Desk) RevokeClient(ctx context.Context, id string) error {
	return d.decideService(ctx, d.adminStamp(), func(s service.State) (service.Event, error) { return service.RevokeClient(s, id) })
}

// RotateKey records that another key, derived from the newest master key, will sign
// assertions, and returns it. Who asks has been checked.
func (d *Desk) RotateKey(ctx context.Context) (service.Key, error) {
	return d.recordKey(ctx, d.adminStamp(), service.RotateKey)
}

// EnsureKey records the first key that signs assertions, where there is none.
func (d *Desk) EnsureKey(ctx context.Context) error {
	_, err := d.recordKey(ctx, d.machineStamp(domain.EventID(newCommand())), service.FirstKey)
	if errors.Is(err, service.ErrKeyThere) {
		return nil
	}
	return err
}

// PruneLogins records that the logins of before a moment, so many events, are going to
// be removed. Who asks has been checked.
func (d *Desk) PruneLogins(ctx context.Context, before time.Time, events int64) error {
	by := d.adminStamp()
	return d.decideService(ctx, by, func(s service.State) (service.Event, error) {
		return service.PruneLogins(s, before, events, by.At)
	})
}

func (d *Desk) recordKey(ctx context.Context, by domain.Stamp, decide func(s service.State, key, master string, at time.Time) (service.Event, error)) (service.Key, error) {
	_, master := d.Keys.Derive("assertion") // which one is the newest
	id := newID()[:16]
	var key service.Key
	err := d.decideService(ctx, by, func(s service.State) (service.Event, error) {
		e, err := decide(s, id, master, by.At)
		if rotated, ok := e.(service.KeyRotated); ok {
			key = service.Key{ID: rotated.Key, Master: rotated.Master, From: rotated.From}
		}
		return e, err
	})
	return key, err
}

func (d *Desk) decideService(ctx context.Context, by domain.Stamp, decide func(service.State) (service.Event, error)) error {
	return decideIn(ctx, d, domain.ServiceStream, by, decide, service.Decode, service.Evolve, service.Message)
}
