package remote

import (
	"bytes"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/station"
)

// ErrBundle says that a file is not a station's bundle, or others can read it.
var ErrBundle = errors.New("not a station's bundle")

// A bundle is far smaller than this, in bytes.
const maxBundle = 64 << 10

// A Bundle is all that a station holds: its key, its certificate, and the
// authorities by which it knows the server. In its file, PEM, they follow each
// other in this order. Whoever has the file can be the station, until it is
// revoked.
type Bundle struct {
	Station     string
	key         ed25519.PrivateKey
	cert        *x509.Certificate
	authorities []*x509.Certificate
}

// Certificate returns what the log has to say of the certificate.
func (b *Bundle) Certificate() station.Certificate { return describe(b.cert) }

// Ends returns when the certificate does.
func (b *Bundle) Ends() time.Time { return b.cert.NotAfter }

// due says when another certificate should be asked for: after two thirds of the
// life of this one.
func (b *Bundle) due() time.Time {
	return b.cert.NotBefore.Add(b.cert.NotAfter.Sub(b.cert.NotBefore) * 2 / 3)
}

// tls returns the certificate as TLS wants it.
func (b *Bundle) tls() *tls.Certificate {
	return &tls.Certificate{Certificate: [][]byte{b.cert.Raw}, PrivateKey: b.key, Leaf: b.cert}
}

func (b *Bundle) roots() *x509.CertPool {
	pool := x509.NewCertPool()
	for _, c := range b.authorities {
		pool.AddCert(c)
	}
	return pool
}

// String does not show the key.
func (b *Bundle) String() string { return "bundle of station " + b.Station }

// Encode returns the content of the bundle's file. It holds a private key.
func (b *Bundle) Encode() ([]byte, error) {
	key, err := x509.MarshalPKCS8PrivateKey(b.key)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "# Keydesk: station %s. Whoever has this file can be this station.\n", b.Station)
	blocks := []*pem.Block{{Type: "PRIVATE KEY", Bytes: key}, {Type: "CERTIFICATE", Bytes: b.cert.Raw}}
	for _, a := range b.authorities {
		blocks = append(blocks, &pem.Block{Type: "CERTIFICATE", Bytes: a.Raw})
	}
	for _, block := range blocks {
		if err := pem.Encode(&out, block); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

// ParseBundle reads what Encode wrote; ErrBundle for anything else.
func ParseBundle(data []byte) (*Bundle, error) {
	b := new(Bundle)
	if len(data) > maxBundle {
		return nil, fmt.Errorf("%w: too long", ErrBundle)
	}
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			break
		}
		data = rest
		if err := b.add(block); err != nil {
			return nil, err
		}
	}
	if b.cert == nil || len(b.authorities) == 0 {
		return nil, fmt.Errorf("%w: a key, its certificate and an authority belong in it", ErrBundle)
	}
	public, ok := b.cert.PublicKey.(ed25519.PublicKey)
	if !ok || !public.Equal(b.key.Public()) {
		return nil, fmt.Errorf("%w: the certificate is another key's", ErrBundle)
	}
	b.Station = b.cert.Subject.CommonName
	if !domain.ValidID(b.Station) {
		return nil, fmt.Errorf("%w: the certificate names no station", ErrBundle)
	}
	return b, nil
}

// add takes the next block of a bundle's file.
func (b *Bundle) add(block *pem.Block) error {
	switch {
	case b.key == nil && block.Type == "PRIVATE KEY":
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		ed, ok := key.(ed25519.PrivateKey)
		if err != nil || !ok {
			return fmt.Errorf("%w: its key is not one of Ed25519", ErrBundle)
		}
		b.key = ed
	case b.key != nil && block.Type == "CERTIFICATE":
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return fmt.Errorf("%w: a certificate in it cannot be read", ErrBundle)
		}
		switch {
		case b.cert == nil:
			b.cert = cert
		case cert.IsCA:
			b.authorities = append(b.authorities, cert)
		default:
			return fmt.Errorf("%w: two certificates of stations are in it", ErrBundle)
		}
	default:
		return fmt.Errorf("%w: a %.20q where none belongs", ErrBundle, block.Type)
	}
	return nil
}

// ReadBundle reads a bundle's file, which nobody but its owner may read or write.
func ReadBundle(file string) (*Bundle, error) {
	f, err := os.Open(file) //nolint:gosec // the operator's to choose
	if err != nil {
		return nil, fmt.Errorf("read the station's bundle: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read the station's bundle: %w", err)
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o077 != 0 {
		return nil, fmt.Errorf("%w: others may read %s (mode %04o): chmod 600", ErrBundle, file, mode)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxBundle+1))
	if err != nil {
		return nil, fmt.Errorf("read the station's bundle: %w", err)
	}
	b, err := ParseBundle(data)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	return b, nil
}

// WriteBundle makes a bundle's file, with mode 0600, and does not touch one that
// is there. It is on disk when this returns.
func WriteBundle(file string, b *Bundle) error {
	s, err := newSpare(file)
	if err != nil {
		return err
	}
	defer s.drop()
	if err := s.fill(b); err != nil {
		return err
	}
	if err := os.Link(s.name, file); err != nil {
		return fmt.Errorf("write the station's bundle: %w", err)
	}
	return s.settle()
}

// A spare is a file beside a bundle's that is to take its place: who has one
// knows that the folder can be written to.
type spare struct{ name, file string }

func newSpare(file string) (*spare, error) {
	f, err := os.CreateTemp(filepath.Dir(file), "."+filepath.Base(file)+"-*")
	if err != nil {
		return nil, fmt.Errorf("write the station's bundle: %w", err)
	}
	return &spare{f.Name(), file}, f.Close()
}

// fill writes a bundle to the spare file, onto the disk.
func (s *spare) fill(b *Bundle) error {
	data, err := b.Encode()
	if err == nil {
		var f *os.File
		if f, err = os.OpenFile(s.name, os.O_WRONLY, 0o600); err == nil {
			_, err = f.Write(data)
			err = errors.Join(err, f.Sync(), f.Close())
		}
	}
	if err != nil {
		return fmt.Errorf("write the station's bundle: %w", err)
	}
	return nil
}

// replace puts the spare in the place of the bundle's file.
func (s *spare) replace() error {
	if err := os.Rename(s.name, s.file); err != nil {
		return fmt.Errorf("write the station's bundle: %w", err)
	}
	return s.settle()
}

// settle has the folder's entry on disk.
func (s *spare) settle() error {
	if runtime.GOOS == "windows" {
		return nil // folders cannot be synced there
	}
	dir, err := os.Open(filepath.Dir(s.file))
	if err != nil {
		return fmt.Errorf("write the station's bundle: %w", err)
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func (s *spare) drop() { _ = os.Remove(s.name) } // gone already, where it was renamed
