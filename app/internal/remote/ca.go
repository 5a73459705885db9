package remote

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"net"
	"sync"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/domain/station"
)

// How long a server's own certificate lives; it makes another one at half of it.
const serverLife = 48 * time.Hour

// skew is by how much the clocks of servers and stations may differ.
const skew = time.Hour

// An Authority issues the certificates of stations and of the servers that they
// ask. It follows from the master key alone: Ed25519 signatures have no chance
// in them (RFC 8032), so that its own certificate is the same, byte for byte,
// wherever and whenever it is made. While a master key is being replaced there
// are several. It may be used concurrently.
type Authority struct {
	keys  []ed25519.PrivateKey // the newest first
	certs []*x509.Certificate
	now   func() time.Time
}

// NewAuthority returns the authority of one secret or more, the newest first. Each
// is 32 bytes, derived from a master key for this purpose only.
func NewAuthority(now func() time.Time, secrets ...[32]byte) (*Authority, error) {
	a := &Authority{now: now}
	for _, secret := range secrets {
		key := ed25519.NewKeyFromSeed(secret[:])
		public := key.Public().(ed25519.PublicKey)
		hash := sha256.Sum256(public)
		template := &x509.Certificate{
			SerialNumber: positive(hash[:16]), Subject: pkix.Name{CommonName: "Keydesk stations"},
			NotBefore: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2119, 12, 31, 0, 0, 0, 0, time.UTC),
			KeyUsage: x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true,
			SubjectKeyId: hash[:20],
		}
		cert, err := sign(template, template, public, key)
		if err != nil {
			return nil, fmt.Errorf("make the stations' authority: %w", err)
		}
		a.keys, a.certs = append(a.keys, key), append(a.certs, cert)
	}
	if len(a.keys) == 0 {
		return nil, errors.New("make the stations' authority: no secret")
	}
	return a, nil
}

// Bundle makes the key and the certificate of a new station.
func (a *Authority) Bundle(id string, life time.Duration) (*Bundle, error) {
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	cert, err := a.issue(id, public, desk.NewCall(), life)
	if err != nil {
		return nil, err
	}
	return &Bundle{Station: id, key: key, cert: cert, authorities: a.certs}, nil
}

// issue makes a station's certificate. Its serial follows from the call and the
// key, so that whoever asks again under the same call gets the same one.
func (a *Authority) issue(id string, public ed25519.PublicKey, c desk.Call, life time.Duration) (*x509.Certificate, error) {
	now := a.now()
	hash := sha256.Sum256(append(c[:], public...))
	return sign(&x509.Certificate{
		SerialNumber: positive(hash[:16]), Subject: pkix.Name{CommonName: id},
		NotBefore: now.Add(-skew), NotAfter: now.Add(life),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
	}, a.certs[0], public, a.keys[0])
}

// TLS returns how a server shows itself under names (of machines, or addresses),
// and whom it lets in: who has a certificate from here.
//
// Its own certificate is from the oldest authority, since a station that was let
// in before the newest master key came knows that one.
func (a *Authority) TLS(names []string) *tls.Config {
	clients := x509.NewCertPool()
	for _, c := range a.certs {
		clients.AddCert(c)
	}
	own := &ownCertificate{authority: a, names: names}
	return &tls.Config{
		MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1"}, Time: a.now,
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients, GetCertificate: own.get,
	}
}

// ownCertificate is a server's, made anew before it ends. Its key never leaves
// the process.
type ownCertificate struct {
	authority *Authority
	names     []string

	mu      sync.Mutex
	current *tls.Certificate
	until   time.Time // when another one is due
}

func (o *ownCertificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	a, now := o.authority, o.authority.now()
	if o.current != nil && now.Before(o.until) {
		return o.current, nil
	}
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	var serial [16]byte
	rand.Read(serial[:]) //nolint:errcheck // crypto/rand.Read never fails (documented since Go 1.24)
	template := &x509.Certificate{
		SerialNumber: positive(serial[:]), Subject: pkix.Name{CommonName: "Keydesk"},
		NotBefore: now.Add(-skew), NotAfter: now.Add(serverLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	for _, n := range o.names {
		if ip := net.ParseIP(n); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, n)
		}
	}
	oldest := len(a.keys) - 1
	cert, err := sign(template, a.certs[oldest], public, a.keys[oldest])
	if err != nil {
		return nil, err
	}
	o.current = &tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}
	o.until = now.Add(serverLife / 2)
	return o.current, nil
}

func sign(template, parent *x509.Certificate, public ed25519.PublicKey, key ed25519.PrivateKey) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// positive reads a serial number (RFC 5280, section 4.1.2.2: not negative, not
// zero, at most 20 bytes).
func positive(b []byte) *big.Int {
	b[0] = b[0]&0x7f | 0x40
	return new(big.Int).SetBytes(b)
}

// describe returns what the log says of a certificate.
func describe(c *x509.Certificate) station.Certificate {
	key := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return station.Certificate{
		Serial: serialOf(c), Key: base64.RawURLEncoding.EncodeToString(key[:]), Ends: c.NotAfter.UTC(),
	}
}

func serialOf(c *x509.Certificate) string { return c.SerialNumber.Text(16) }
