package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func cmdCertificate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: certificate FILE KEY DAYS")
	}
	days, err := strconv.Atoi(args[2])
	ts.Check(err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "127.0.0.1"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Duration(days) * 24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	ts.Check(err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	for file, block := range map[string]*pem.Block{args[0]: {Type: "CERTIFICATE", Bytes: cert}, args[1]: {Type: "PRIVATE KEY", Bytes: private}} {
		file = ts.MkAbs(file)
		ts.Check(os.WriteFile(file+".new", pem.EncodeToMemory(block), 0o600))
		ts.Check(os.Rename(file+".new", file)) // so does whoever renews one: nobody reads half a file
	}
}

func cmdAsk(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: [!] ask URL ROOTS TOKEN")
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(ts.ReadFile(args[1]))) {
		ts.Fatalf("no certificate is in %s", args[1])
	}
	client := &http.Client{Timeout: patience, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}, DisableKeepAlives: true,
	}}
	token := strings.TrimSpace(ts.ReadFile(args[2]))
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		told, err := ask(client, args[0], token)
		switch {
		case neg && err == nil:
			ts.Fatalf("it was answered: %s", told)
		case neg:
			return
		case err == nil:
			_, err = ts.Stdout().Write(told)
			ts.Check(err)
			return
		case time.Now().After(end):
			ts.Fatalf("not answered within %s: %v", patience, err)
		}
	}
}

func ask(client *http.Client, url, token string) ([]byte, error) {
	r, err := http.NewRequest(http.MethodGet, url, nil) //nolint:noctx // the client has a time-out
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	response, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close() //nolint:errcheck // only read
	told, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, told)
	}
	return told, err
}
