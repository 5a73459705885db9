package remote

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
)

func authority(tb testing.TB, secrets ...byte) *Authority {
	tb.Helper()
	var all [][32]byte
	for _, s := range secrets {
		all = append(all, [32]byte{s})
	}
	a, err := NewAuthority(time.Now, all...)
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

func bundle(tb testing.TB, a *Authority, id string) *Bundle {
	tb.Helper()
	b, err := a.Bundle(id, 24*time.Hour)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func TestTheAuthorityFollowsFromTheKeyAlone(t *testing.T) {
	t.Parallel()
	a, b := authority(t, 1), authority(t, 2, 1)
	if !bytes.Equal(a.certs[0].Raw, b.certs[1].Raw) {
		t.Error("the same key made another certificate")
	}
	if bytes.Equal(a.certs[0].Raw, b.certs[0].Raw) {
		t.Error("another key made the same certificate")
	}
	if _, err := NewAuthority(time.Now); err == nil {
		t.Error("an authority of no key")
	}
}

func TestBundleFile(t *testing.T) {
	t.Parallel()
	b := bundle(t, authority(t, 2, 1), "hal-west")
	file := filepath.Join(t.TempDir(), "hal-west.pem")
	if err := WriteBundle(file, b); err != nil {
		t.Fatal(err)
	}
	got, err := ReadBundle(file)
	if err != nil {
		t.Fatal(err)
	}
	if got.Station != "hal-west" || !got.key.Equal(b.key) || !got.cert.Equal(b.cert) || len(got.authorities) != 2 {
		t.Errorf("read %v", got)
	}
	if strings.Contains(got.String(), string(b.key)) || got.String() != "bundle of station hal-west" {
		t.Errorf("shown as %q", got)
	}
	before, err := os.ReadFile(file) //nolint:gosec // a file of this test
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteBundle(file, bundle(t, authority(t, 1), "other")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over another file: %v", err)
	}
	after, err := os.ReadFile(file) //nolint:gosec // a file of this test
	if err != nil || !bytes.Equal(before, after) {
		t.Error("the file was changed")
	}
	if entries, err := os.ReadDir(filepath.Dir(file)); err != nil || len(entries) != 1 {
		t.Errorf("beside it: %v, %v", entries, err)
	}
	if runtime.GOOS == "windows" {
		return
	}
	if err := os.Chmod(file, 0o640); err != nil { //nolint:gosec // what is to be refused
		t.Fatal(err)
	}
	if _, err := ReadBundle(file); !errors.Is(err, ErrBundle) {
		t.Errorf("others may read it: %v", err)
	}
}

func TestBundlesThatAreNone(t *testing.T) {
	t.Parallel()
	a := authority(t, 1)
	one, two := bundle(t, a, "one"), bundle(t, a, "two")
	for name, b := range map[string]*Bundle{
		"another's key": {key: two.key, cert: one.cert, authorities: a.certs},
		"no authority":  {key: one.key, cert: one.cert},
		"two stations":  {key: one.key, cert: one.cert, authorities: append([]*x509.Certificate{two.cert}, a.certs...)},
	} {
		data, err := b.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseBundle(data); !errors.Is(err, ErrBundle) {
			t.Errorf("%s: %v", name, err)
		}
	}
	good, err := one.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, data := range [][]byte{nil, []byte("x"), good[:len(good)/2], bytes.Repeat(good, 80)} {
		if _, err := ParseBundle(data); !errors.Is(err, ErrBundle) {
			t.Errorf("%d bytes: %v", len(data), err)
		}
	}
}

// What becomes of stations while a master key is replaced: servers have the old
// key, then both, and the new one alone once no station needs the other. This is
// about who may ask at all; whether it is let in, the log says.
func TestStationsAndServersOfDifferentKeys(t *testing.T) {
	t.Parallel()
	before, both, after := authority(t, 1), authority(t, 2, 1), authority(t, 2)
	// No station has such a file, since it takes its certificate and the authorities
	// with one answer. With it, it shows that the server refuses as well: the old
	// station hangs up first.
	half := bundle(t, before, "half")
	half.authorities = both.certs
	old, renewed, latest := bundle(t, before, "old"), bundle(t, both, "renewed"), bundle(t, after, "latest")
	for _, server := range []struct {
		keys                       string
		is                         *Authority
		old, half, renewed, latest error
	}{
		{"the old key", before, nil, nil, ErrRefused, ErrStranger},
		{"both keys", both, nil, nil, nil, ErrStranger},
		{"the new key", after, ErrStranger, ErrRefused, nil, nil},
	} {
		at := answering(t, server.is)
		for b, want := range map[*Bundle]error{old: server.old, half: server.half, renewed: server.renewed, latest: server.latest} {
			l := newLink(at, b, 10*time.Second, time.Now)
			_, _, err := l.ask(t.Context(), "status", desk.NewCall(), []byte("{}"), func() {})
			l.client.CloseIdleConnections()
			if !errors.Is(err, want) {
				t.Errorf("a server of %s to station %s: %v", server.keys, b.Station, err)
			}
		}
	}
}

// answering has a server of an authority answer whoever may ask, and returns its
// URL.
func answering(t *testing.T, a *Authority) string {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write([]byte("{}\n"))
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // of who is refused
	at := "https://" + s.Listener.Addr().String()
	s.Listener = tls.NewListener(s.Listener, a.TLS([]string{"127.0.0.1"}))
	s.Start()
	t.Cleanup(s.Close)
	return at
}

func FuzzParseBundle(f *testing.F) {
	good, err := bundle(f, authority(f, 1), "one").Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:200])
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := ParseBundle(data)
		if err != nil {
			if !errors.Is(err, ErrBundle) {
				t.Fatal(err)
			}
			return
		}
		again, err := b.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if c, err := ParseBundle(again); err != nil || c.Station != b.Station || !c.cert.Equal(b.cert) {
			t.Fatalf("read, written and read again: %v", err)
		}
	})
}
