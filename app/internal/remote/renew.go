package remote

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
)

// renewAgain is how long a renewal that failed rests.
const renewAgain = 10 * time.Minute

// A renewal replaces the station's certificate when two thirds of its life are
// over, or a newer master key has brought a newer authority. The key and the call
// of a try are kept for the next one, so that a lost answer is asked for again
// and is the same certificate.
type renewal struct {
	client *Client

	wanted bool // the server has another authority than the bundle
	key    ed25519.PrivateKey
	call   desk.Call
	next   time.Time
}

// heard compares the server's authorities with those of the bundle.
func (r *renewal) heard(authorities [][]byte) {
	b := r.client.link.current()
	if len(authorities) == 0 {
		return
	}
	newest, err := x509.ParseCertificate(authorities[0])
	r.wanted = err == nil && (len(b.authorities) != len(authorities) || b.cert.CheckSignatureFrom(newest) != nil)
}

// look renews when it is time. It returns ErrRefused, and reports all else: there
// is a third of a life left to try it again.
func (r *renewal) look(ctx context.Context) error {
	now := r.client.link.now()
	if b := r.client.link.current(); now.Before(r.next) || !r.wanted && now.Before(b.due()) {
		return nil
	}
	err := r.renew(ctx)
	switch {
	case err == nil:
		r.wanted, r.key = false, nil
		return nil
	case errors.Is(err, ErrRefused):
		return err
	case ctx.Err() == nil:
		r.next = now.Add(renewAgain)
		r.client.report("", fmt.Errorf("renew the station's certificate: %w", err))
	}
	return nil
}

// renew asks for a certificate and keeps it. That the file can be replaced is
// made sure of first: a renewal that nobody can keep is one for nothing.
func (r *renewal) renew(ctx context.Context) error {
	c := r.client
	s, err := newSpare(c.file)
	if err != nil {
		return err
	}
	defer s.drop()
	if r.key == nil {
		if _, r.key, err = ed25519.GenerateKey(rand.Reader); err != nil {
			return err
		}
		r.call = desk.NewCall()
	}
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, r.key)
	if err != nil {
		return err
	}
	a, err := c.once(desk.WithCall(ctx, r.call), "renew", ask{Request: request})
	if err != nil {
		return err
	}
	b, err := r.bundle(a)
	if err != nil {
		return err
	}
	if err := s.fill(b); err != nil {
		return err
	}
	if err := s.replace(); err != nil {
		return err
	}
	c.link.use(b)
	return nil
}

// bundle puts together what the server gave.
func (r *renewal) bundle(a answer) (*Bundle, error) {
	old := r.client.link.current()
	b := &Bundle{Station: old.Station, key: r.key}
	var err error
	if b.cert, err = x509.ParseCertificate(a.Certificate); err != nil {
		return nil, fmt.Errorf("%w: a certificate that cannot be read", errMalformed)
	}
	for _, der := range a.Authorities {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("%w: an authority that cannot be read", errMalformed)
		}
		b.authorities = append(b.authorities, c)
	}
	if len(b.authorities) == 0 {
		return nil, fmt.Errorf("%w: no authority", errMalformed)
	}
	public, ok := b.cert.PublicKey.(ed25519.PublicKey)
	if !ok || !public.Equal(r.key.Public()) || b.cert.Subject.CommonName != old.Station || b.cert.CheckSignatureFrom(b.authorities[0]) != nil {
		return nil, fmt.Errorf("%w: a certificate of another", errMalformed)
	}
	return b, nil
}
