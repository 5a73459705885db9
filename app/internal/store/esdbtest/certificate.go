package esdbtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// certify makes an authority that lives as long as the test, and a certificate
// of it for this machine. It returns that, and the authority's file.
func certify(tb testing.TB) (config *tls.Config, caFile string) {
	tb.Helper()
	authority := &x509.Certificate{
		Subject: pkix.Name{CommonName: "esdbtest CA"}, KeyUsage: x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true,
	}
	authorityKey := issue(tb, authority, authority, nil)
	leaf := &x509.Certificate{
		Subject: pkix.Name{CommonName: "eventstoredb-node"}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		DNSNames:    []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	key := issue(tb, leaf, authority, authorityKey)
	caFile = filepath.Join(tb.TempDir(), "ca.crt")
	if err := os.WriteFile(caFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.Raw}), 0o600); err != nil {
		tb.Fatal(err)
	}
	return &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Raw}, PrivateKey: key}},
	}, caFile
}

// issue makes a certificate real: valid for a day, with a new key, which it
// returns, and signed by the issuer's, which is the new one when there is none.
func issue(tb testing.TB, c, issuer *x509.Certificate, issuerKey *ecdsa.PrivateKey) *ecdsa.PrivateKey {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	if issuerKey == nil {
		issuerKey = key
	}
	if c.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 100)); err != nil {
		tb.Fatal(err)
	}
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	if c.Raw, err = x509.CreateCertificate(rand.Reader, c, issuer, key.Public(), issuerKey); err != nil {
		tb.Fatal(err)
	}
	return key
}
