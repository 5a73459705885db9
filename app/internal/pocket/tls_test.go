package pocket_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/pocket"
)

// writeCertificate makes a certificate for 127.0.0.1 and returns who to trust.
func writeCertificate(t *testing.T, dir string) (certFile, keyFile string, roots *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	succeed(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "127.0.0.1"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	succeed(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	succeed(t, err)
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	succeed(t, os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	succeed(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	cert, err := x509.ParseCertificate(der)
	succeed(t, err)
	roots = x509.NewCertPool()
	roots.AddCert(cert)
	return certFile, keyFile, roots
}

func TestPairOverTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	certFile, keyFile, roots := writeCertificate(t, dir)
	plain, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	succeed(t, err)
	l, err := pocket.ListenTLS(plain, certFile, keyFile)
	succeed(t, err)
	desk, url := newDesk(), "https://"+l.Addr().String()
	h, err := pocket.NewHandler(pocket.Config{PublicURL: url, Portal: "Mijn OPO-R", Desk: desk})
	succeed(t, err)
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- pocket.Serve(ctx, l, h) }()

	p := newPhone(t)
	p.Client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
	qr, _ := desk.Offer(url, time.Minute)
	succeed(t, p.Scan(t.Context(), qr.String()))
	stop()
	succeed(t, <-served)
}

// A renewed certificate counts without a restart, and one that cannot be read
// does not take the old one away.
func TestCertificateIsReadAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	certFile, keyFile, _ := writeCertificate(t, dir)
	now := time.Now()
	c := pocket.NewCertificate(certFile, keyFile, func() time.Time { return now })
	first, err := c.Get(nil)
	succeed(t, err)
	writeCertificate(t, dir)
	later := now.Add(time.Hour)
	succeed(t, os.Chtimes(certFile, later, later))
	if same, err := c.Get(nil); err != nil || !bytes.Equal(same.Certificate[0], first.Certificate[0]) {
		t.Errorf("it looked again at once: %v", err)
	}
	now = now.Add(11 * time.Second)
	second, err := c.Get(nil)
	succeed(t, err)
	if bytes.Equal(second.Certificate[0], first.Certificate[0]) {
		t.Error("it kept the old certificate")
	}
	succeed(t, os.WriteFile(certFile, []byte("half writ"), 0o600))
	now = now.Add(11 * time.Second)
	if third, err := c.Get(nil); err != nil || !bytes.Equal(third.Certificate[0], second.Certificate[0]) {
		t.Errorf("it lost the certificate: %v", err)
	}
}

// A phone that waits does not hold up the stop.
func TestServeStopsWhilePhonesWait(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	succeed(t, err)
	desk, url := newDesk(), "http://"+l.Addr().String()
	h, err := pocket.NewHandler(pocket.Config{PublicURL: url, Desk: desk})
	succeed(t, err)
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- pocket.Serve(ctx, l, h) }()
	p := newPhone(t)
	qr, _ := desk.Offer(url, time.Minute)
	succeed(t, p.Scan(t.Context(), qr.String()))
	waiting, giveUp := context.WithCancel(t.Context())
	waited := make(chan error, 1)
	go func() { waited <- p.Wait(waiting) }()
	eventually(t, "the phone waits", func() bool { return desk.Waiting() == 1 })
	start := time.Now()
	stop()
	succeed(t, <-served)
	if d := time.Since(start); d > 4*time.Second {
		t.Errorf("it took %v", d)
	}
	giveUp()
	if err := <-waited; err == nil {
		t.Error("the phone thinks it was confirmed")
	}
}

func TestListenTLSRefusesBadFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "cert.pem")
	if _, err := pocket.ListenTLS(nil, name, name); err == nil {
		t.Error("no file, and no error")
	}
	succeed(t, os.WriteFile(name, []byte("not a certificate"), 0o600))
	if _, err := pocket.ListenTLS(nil, name, name); err == nil {
		t.Error("no certificate, and no error")
	}
}

func TestPhoneKeepsItsKey(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "phone.pem")
	first, err := pocket.OpenPhone(name)
	succeed(t, err)
	second, err := pocket.OpenPhone(name)
	succeed(t, err)
	if first.Thumbprint() != second.Thumbprint() {
		t.Error("the second time it had another key")
	}
	info, err := os.Stat(name)
	succeed(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %#o", info.Mode().Perm())
	}
	succeed(t, os.Chmod(name, 0o644)) //nolint:gosec // that is what has to be refused
	if _, err := pocket.OpenPhone(name); err == nil {
		t.Error("took a key that others may read")
	}
	succeed(t, os.Chmod(name, 0o600))
	succeed(t, os.WriteFile(name, []byte("no key"), 0o600))
	if _, err := pocket.OpenPhone(name); err == nil {
		t.Error("took a file that holds no key")
	}
}

func TestPairCommand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	qr, _ := w.desk.Offer(w.url, time.Minute)
	out := &watched{lines: make(chan string, 9)}
	done := make(chan error, 1)
	go func() {
		done <- pocket.PairCommand(t.Context(), qr.String(), filepath.Join(t.TempDir(), "phone.pem"), out)
	}()
	line := <-out.lines
	digits := strings.ReplaceAll(line[strings.Index(line, ": ")+2:], " ", "")
	if !w.desk.TypeDigits(qr.Pairing, strings.TrimSpace(digits)) {
		t.Errorf("the line %q does not hold the digits", line)
	}
	succeed(t, <-done)
	if line := <-out.lines; !strings.Contains(line, "Mijn OPO-R") {
		t.Errorf("the last line is %q", line)
	}
}

// watched hands on what is written, a line at a time.
type watched struct{ lines chan string }

func (w *watched) Write(b []byte) (int, error) {
	w.lines <- string(b)
	return len(b), nil
}
