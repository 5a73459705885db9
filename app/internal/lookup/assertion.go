package lookup

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jwt"
	"go.uber.org/zap"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/service"
)

// assertionLife is for how long an assertion counts.
const assertionLife = time.Minute

// Keys derives what the private keys of assertions are made of; *vault.Keys.
type Keys interface {
	DeriveWith(master, purpose string) (key [32]byte, err error)
}

// A signer signs assertions with one key.
type signer struct {
	id      string
	private *ecdsa.PrivateKey
}

// newSigner derives the private key of a recorded key. It stands nowhere: neither
// in the log nor in a file.
func newSigner(keys Keys, k service.Key) (signer, error) {
	seed, err := keys.DeriveWith(k.Master, "assertion/"+k.ID)
	if err != nil {
		return signer{}, fmt.Errorf("derive the key %s: %w", k.ID, err)
	}
	defer clear(seed[:])
	private, err := scalar(func(try int) ([]byte, error) {
		return hkdf.Expand(sha256.New, seed[:], "keydesk/v1 ES256 "+strconv.Itoa(try), 32)
	})
	if err != nil {
		return signer{}, fmt.Errorf("derive the key %s: %w", k.ID, err)
	}
	return signer{k.ID, private}, nil
}

var errNoScalar = errors.New("no number of many is a private key")

// scalar returns the first of the numbers that is a private key of P-256: from 1
// to one less than the order of the group. Those that are not are passed over, and
// never reduced, so that all keys are equally likely. One in 2^32 is not.
func scalar(number func(try int) ([]byte, error)) (*ecdsa.PrivateKey, error) {
	for try := range 100 {
		b, err := number(try)
		if err != nil {
			return nil, err
		}
		private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), b)
		clear(b)
		if err == nil {
			return private, nil
		}
	}
	return nil, errNoScalar
}

// A claim is what an assertion says of a login that has succeeded.
type claim struct {
	issuer, client string
	login          desk.Login
	demo           bool
}

// sign makes an assertion that counts from now on.
func (s signer) sign(c claim, now time.Time) (string, error) {
	b := jwt.NewBuilder().
		Issuer(c.issuer).Audience([]string{c.client}).Subject(c.login.Subject.String()).
		IssuedAt(now).Expiration(now.Add(assertionLife)).JwtID(c.login.ID).
		Claim("auth_time", c.login.At.Unix()).Claim("amr", methods(c.login.Factor)).
		Claim("revision", int64(c.login.Revision))
	if c.demo {
		b = b.Claim("demo", true)
	}
	token, err := b.Build()
	if err != nil {
		return "", fmt.Errorf("make an assertion: %w", err)
	}
	token.Options().Enable(jwt.FlattenAudience)
	key, err := jwk.Import(s.private)
	if err == nil {
		err = key.Set(jwk.KeyIDKey, s.id)
	}
	if err != nil {
		return "", fmt.Errorf("sign an assertion: %w", err)
	}
	signed, err := jwt.Sign(token, jwt.WithKey(jwa.ES256(), key))
	if err != nil {
		return "", fmt.Errorf("sign an assertion: %w", err)
	}
	return string(signed), nil
}

// methods says how somebody has proved who they are (RFC 8176).
func methods(f enrolment.Factor) []string {
	if f == enrolment.Pocket {
		return []string{"pwd", "swk", "mfa"}
	}
	return []string{"pwd", "sms", "mfa"}
}

// keys returns the recorded keys, or why they are not known now.
func (h *Handler) keys() (service.Keys, *Problem) {
	keys, clear := h.c.Clients.Keys()
	if !clear || !h.c.ClientsKnown() {
		return nil, problem(http.StatusServiceUnavailable, CodeBehind, "this server does not know right now which keys count")
	}
	return keys, nil
}

// signer returns what signs now. It is asked for before a login ends, which it
// does only once: then nothing stands between that and its assertion.
func (h *Handler) signer() (signer, *Problem) {
	keys, p := h.keys()
	if p != nil {
		return signer{}, p
	}
	k, ok := keys.Signing(h.c.Now())
	if !ok {
		return signer{}, problem(http.StatusServiceUnavailable, CodeUnavailable, "there is no key yet that signs assertions")
	}
	s, err := newSigner(h.c.Keys, k)
	if err != nil {
		h.c.Log.Error("sign assertions", zap.Error(err))
		return s, problem(http.StatusServiceUnavailable, CodeUnavailable, "this server does not have the key that signs assertions")
	}
	return s, nil
}

// A KeySet is a JSON Web Key Set (RFC 7517).
type KeySet struct {
	Keys []PublicKey `json:"keys" doc:"Each one that an assertion may be signed with, now or soon, or was within the last hour."`
}

// A PublicKey verifies assertions.
type PublicKey struct {
	ID    string `json:"kid" doc:"Which it is; an assertion's header names it."`
	Type  string `json:"kty" enum:"EC"`
	Curve string `json:"crv" enum:"P-256"`
	X     string `json:"x" doc:"Base64url, 32 bytes."`
	Y     string `json:"y" doc:"Base64url, 32 bytes."`
	Alg   string `json:"alg" enum:"ES256"`
	Use   string `json:"use" enum:"sig"`
}

func (s signer) public() (PublicKey, error) {
	point, err := s.private.PublicKey.Bytes()
	if err != nil {
		return PublicKey{}, fmt.Errorf("publish the key %s: %w", s.id, err)
	}
	text := base64.RawURLEncoding.EncodeToString
	return PublicKey{ID: s.id, Type: "EC", Curve: "P-256", X: text(point[1:33]), Y: text(point[33:]), Alg: "ES256", Use: "sig"}, nil
}

type published struct {
	CacheControl string `header:"Cache-Control"`
	Body         KeySet
}

const (
	keysID   = "keys"
	keysPath = "/.well-known/jwks.json"
)

func (h *Handler) registerKeys() {
	huma.Register(h.api, huma.Operation{
		OperationID: keysID, Method: http.MethodGet, Path: keysPath, Errors: []int{http.StatusServiceUnavailable},
		Tags: []string{"logins"}, Summary: "The public keys that verify assertions, for everybody",
		Description: "A JSON Web Key Set (RFC 7517). It may be kept for five minutes. A key is published for ten minutes before it signs, " +
			"and for an hour after it has signed last.",
	}, h.publish)
}

func (h *Handler) publish(context.Context, *struct{}) (*published, error) {
	keys, p := h.keys()
	if p != nil {
		return nil, p
	}
	set := KeySet{Keys: []PublicKey{}}
	for _, k := range keys.Published(h.c.Now()) {
		s, err := newSigner(h.c.Keys, k)
		var public PublicKey
		if err == nil {
			public, err = s.public()
		}
		if err != nil { // those that are there are of use without it
			h.c.Log.Error("publish keys", zap.Error(err))
			continue
		}
		set.Keys = append(set.Keys, public)
	}
	return &published{fmt.Sprintf("public, max-age=%d", int(service.JWKSCached.Seconds())), set}, nil
}
