package pocket

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"

	"github.com/keydesk/keydesk/domain/pairing"
)

// A Phone is a phone in Go: it speaks to the service as the page does. One
// Phone pairs with one station at a time: Scan or Type, show Digits, Wait,
// Finish. Then it has an account, and Awaits logins and Decides on them. It may
// not be used concurrently.
type Phone struct {
	Client *http.Client // default: http.DefaultClient
	Label  string       // what the station's screens call it; default "Keydesk"

	key        keyPair
	public     string // URL of the service
	pairing    string
	nonce      string
	claimBytes []byte // what was sent, to be sent again as it is

	accountFile string // "": nothing is kept
	account     account
	ask         string // the service's nonce for questions
	decided     decided
}

// OpenPhone returns a phone with the key of a file, which it makes (mode 0600)
// if there is none, and with the account that Finish kept beside it. A file that
// others may read is refused. Without a name both live in memory only.
func OpenPhone(keyFile string) (*Phone, error) {
	key, err := openKey(keyFile)
	if err != nil {
		return nil, fmt.Errorf("phone's key: %w", err)
	}
	p := &Phone{Label: "Keydesk", key: key}
	if keyFile != "" {
		p.accountFile = keyFile + ".account"
		if p.account, err = readAccount(p.accountFile); err != nil {
			return nil, fmt.Errorf("phone's account: %w", err)
		}
	}
	return p, nil
}

// NewPhone returns a phone that was paired before, with its key and account. It keeps
// nothing.
func NewPhone(key *ecdsa.PrivateKey, publicURL string, a pairing.Account) (*Phone, error) {
	pair, err := newKeyPair(key)
	if err != nil {
		return nil, fmt.Errorf("phone's key: %w", err)
	}
	public, err := pairing.CheckPublicURL(publicURL)
	if err != nil {
		return nil, fmt.Errorf("phone's account: %w", err)
	}
	return &Phone{Label: "Keydesk", key: pair, account: account{URL: public, accountAnswer: accountAnswer(a)}}, nil
}

// Thumbprint names the phone's key (RFC 7638).
func (p *Phone) Thumbprint() string { return p.key.thumbprint }

// Scan claims the pairing of a QR code. Refusals are a pairing.Refusal,
// pairing.ErrBadQR or a network's error. Scanning the same code again is
// harmless: it repeats the same claim.
func (p *Phone) Scan(ctx context.Context, content string) error {
	qr, err := pairing.ParseQR(content)
	if err != nil {
		return fmt.Errorf("scan: %w", err)
	}
	return p.claim(ctx, qr.PublicURL, qr.Pairing, qr.Secret)
}

// Type claims the pairing of a typed code at the service with the given public
// URL. Refusals are those of Scan, with pairing.ErrBadCode for ErrBadQR.
func (p *Phone) Type(ctx context.Context, publicURL, typed string) error {
	public, err := pairing.CheckPublicURL(publicURL)
	if err != nil {
		return fmt.Errorf("type pairing code: %w", err)
	}
	code, err := pairing.NormaliseCode(typed)
	if err != nil {
		return fmt.Errorf("type pairing code: %w", err)
	}
	body, err := json.Marshal(findRequest{pairing.Locator(code)})
	if err != nil {
		return fmt.Errorf("type pairing code: %w", err)
	}
	var found foundAnswer
	if err := p.call(ctx, public+"/p/v1/find", "application/json", body, &found); err != nil {
		return fmt.Errorf("find pairing: %w", err)
	}
	return p.claim(ctx, public, found.Pairing, code)
}

func (p *Phone) claim(ctx context.Context, public, id, shown string) error {
	if p.pairing != id || p.public != public {
		proof := pairing.ClaimProof(shown, id, p.key.thumbprint)
		message, err := p.sign(pairing.TypeClaim, map[string]any{
			"aud": public, "pairing": id, "label": p.Label,
			"proof": base64.RawURLEncoding.EncodeToString(proof),
		})
		if err != nil {
			return err
		}
		p.public, p.pairing, p.claimBytes, p.nonce = public, id, message, ""
	}
	var claimed claimedAnswer
	if err := p.call(ctx, public+"/p/v1/claim", "application/jose", p.claimBytes, &claimed); err != nil {
		return fmt.Errorf("claim pairing %s: %w", id, err)
	}
	p.nonce = claimed.Nonce
	return nil
}

// Digits returns the six digits to type at the station, "" before a claim was
// answered.
func (p *Phone) Digits() string {
	if p.nonce == "" {
		return ""
	}
	return pairing.Digits(p.pairing, p.key.thumbprint, p.nonce)
}

// Wait returns nil once the digits were typed at the station. A pairing that
// failed is pairing.Failed, wrapped with the reason; the end of ctx is its
// error.
func (p *Phone) Wait(ctx context.Context) error {
	for {
		message, err := p.sign(pairing.TypeStatus, map[string]any{"aud": p.public, "pairing": p.pairing})
		if err != nil {
			return err
		}
		var s statusAnswer
		if err := p.call(ctx, p.public+"/p/v1/status", "application/jose", message, &s); err != nil {
			return fmt.Errorf("wait for station: %w", err)
		}
		switch s.State {
		case pairing.StateConfirmed, pairing.StatePaired:
			return nil
		case pairing.StateFailed:
			return fmt.Errorf("wait for station: %w: %s", pairing.Failed, s.Reason)
		case pairing.StateClaimed:
		}
	}
}

// Finish ends the pairing and returns what the phone keeps of it, beside its
// key. Finishing again gives the same answer.
func (p *Phone) Finish(ctx context.Context) (pairing.Account, error) {
	message, err := p.sign(pairing.TypeFinish, map[string]any{
		"aud": p.public, "pairing": p.pairing, "nonce": p.nonce,
	})
	if err != nil {
		return pairing.Account{}, err
	}
	var a accountAnswer
	if err := p.call(ctx, p.public+"/p/v1/finish", "application/jose", message, &a); err != nil {
		return pairing.Account{}, fmt.Errorf("finish pairing %s: %w", p.pairing, err)
	}
	p.account, p.ask, p.decided = account{URL: p.public, accountAnswer: a}, "", decided{}
	if p.accountFile != "" {
		if err := writeAccount(p.accountFile, p.account); err != nil {
			return pairing.Account{}, fmt.Errorf("keep phone's account: %w", err)
		}
	}
	return pairing.Account(a), nil
}

// sign makes a message of the protocol, with a new jti.
func (p *Phone) sign(typ string, payload map[string]any) ([]byte, error) {
	var jti [16]byte
	_, _ = rand.Read(jti[:]) // never fails (crypto/rand)
	payload["jti"] = base64.RawURLEncoding.EncodeToString(jti[:])
	payload["iat"] = time.Now().Unix()
	text, err := json.Marshal(payload)
	if err != nil {
		return nil, fmt.Errorf("sign message: %w", err)
	}
	public, err := jwk.ParseKey(p.key.canonical)
	if err != nil {
		return nil, fmt.Errorf("sign message: %w", err)
	}
	header := jws.NewHeaders()
	if err := errors.Join(header.Set(jws.TypeKey, typ), header.Set(jws.JWKKey, public)); err != nil {
		return nil, fmt.Errorf("sign message: %w", err)
	}
	signed, err := jws.Sign(text, jws.WithKey(jwa.ES256(), p.key.private, jws.WithProtectedHeaders(header)))
	if err != nil {
		return nil, fmt.Errorf("sign message: %w", err)
	}
	return signed, nil
}

// call sends a request, again while the network or the service is away for a
// moment (four times, over about four seconds). The bytes stay the same, so
// that nothing happens twice.
func (p *Phone) call(ctx context.Context, url, mediaType string, body []byte, answer any) error {
	pause := 250 * time.Millisecond
	for try := 1; ; try++ {
		again, err := p.once(ctx, url, mediaType, body, answer)
		if err == nil || !again || try == 5 || ctx.Err() != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		pause *= 2
	}
}

func (p *Phone) once(ctx context.Context, url, mediaType string, body []byte, answer any) (again bool, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	r.Header.Set("Content-Type", mediaType)
	c := p.Client
	if c == nil {
		c = http.DefaultClient
	}
	res, err := c.Do(r)
	if err != nil {
		return true, err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil {
		return true, err
	}
	if res.StatusCode == http.StatusOK {
		return false, json.Unmarshal(text, answer)
	}
	again = res.StatusCode == http.StatusTooManyRequests || res.StatusCode == http.StatusServiceUnavailable
	var refused refusedAnswer
	if json.Unmarshal(text, &refused) == nil && slices.Contains(pairing.Refusals(), pairing.Refusal(refused.Error)) {
		return again, pairing.Refusal(refused.Error)
	}
	return again, fault{res.StatusCode, refused.Error}
}

// PairCommand pairs a phone from the command line: it claims the pairing of
// the QR code's content, writes the six digits to out, waits until they were
// typed at the station and finishes. The key is kept as OpenPhone does.
func PairCommand(ctx context.Context, content, keyFile string, out io.Writer) error {
	p, err := OpenPhone(keyFile)
	if err != nil {
		return err
	}
	if err := p.Scan(ctx, content); err != nil {
		return err
	}
	d := p.Digits()
	if _, err := fmt.Fprintf(out, "Type these digits at the station: %s %s\n", d[:3], d[3:]); err != nil {
		return err
	}
	if err := p.Wait(ctx); err != nil {
		return err
	}
	a, err := p.Finish(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "Paired with %s, device %s\n", at(a.Portal, a.Organisation), a.Device)
	return err
}
