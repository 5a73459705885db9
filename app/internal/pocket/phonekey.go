package pocket

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"

	"github.com/keydesk/keydesk/domain/pairing"
)

// A keyPair is a phone's ES256 key.
type keyPair struct {
	private    *ecdsa.PrivateKey
	canonical  []byte // public JWK
	thumbprint string
}

func newKeyPair(private *ecdsa.PrivateKey) (keyPair, error) {
	point, err := private.PublicKey.Bytes() // 4, x, y (SEC 1, section 2.3.3)
	if err != nil {
		return keyPair{}, err
	}
	b64 := base64.RawURLEncoding.EncodeToString
	canonical := pairing.CanonicalKey(b64(point[1:33]), b64(point[33:]))
	return keyPair{private, canonical, pairing.Thumbprint(canonical)}, nil
}

// openKey reads a PKCS #8 key in PEM, or makes one where there is no file.
func openKey(name string) (keyPair, error) {
	if name != "" {
		key, err := readKeyFile(name)
		if !errors.Is(err, fs.ErrNotExist) {
			return key, err
		}
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return keyPair{}, err
	}
	if name != "" {
		if err := writeKey(name, private); err != nil {
			return keyPair{}, err
		}
	}
	return newKeyPair(private)
}

func readKeyFile(name string) (keyPair, error) {
	text, err := readPrivate(name)
	if err != nil {
		return keyPair{}, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return keyPair{}, fmt.Errorf("%s: not a PEM file", name)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return keyPair{}, fmt.Errorf("%s: %w", name, err)
	}
	private, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || private.Curve != elliptic.P256() {
		return keyPair{}, fmt.Errorf("%s: not a P-256 key", name)
	}
	return newKeyPair(private)
}

// readPrivate reads a small file that nobody but its owner may read.
func readPrivate(name string) (text []byte, err error) {
	f, err := os.Open(name) //nolint:gosec // the name is what the user asked for
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s: others may read it (mode %#o, want 0600)", name, info.Mode().Perm())
	}
	return io.ReadAll(io.LimitReader(f, 16<<10))
}

// writeKey makes the file and never overwrites one.
func writeKey(name string, private *ecdsa.PrivateKey) (err error) {
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // as in readPrivate
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := pem.Encode(f, &pem.Block{Type: "PRIVATE KEY", Bytes: der}); err != nil {
		return err
	}
	return f.Sync()
}
