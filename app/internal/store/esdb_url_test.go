package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keydesk/keydesk/app/internal/store"
)

// Whatever is wrong with a URL is said before anything is connected, and
// without repeating its password.
func TestESDBURLRefused(t *testing.T) {
	t.Parallel()
	const password = "geheim"
	const as = "esdb://u:" + password + "@"
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		url  string
		o    store.Options
		says string
	}{
		"no host":             {url: "esdb://", says: "host 1 is empty"},
		"an empty seed":       {url: as + "a,,b", says: "host 2 is empty"},
		"no port":             {url: as + "a:x", says: "no port"},
		"IPv6":                {url: as + "[::1]:2113", says: "IPv6"},
		"a path":              {url: as + "a:1/x", says: "port"},
		"a misspelt key":      {url: as + "a?tsl=false", says: `unknown key "tsl"`},
		"a key twice":         {url: as + "a?tls=true&tls=false", says: "twice"},
		"a key in two cases":  {url: as + "a?tls=true&TLS=false", says: "twice"},
		"a follower":          {url: as + "a?nodePreference=follower", says: "leader"},
		"a word as deadline":  {url: as + "a?defaultDeadline=soon", says: "milliseconds"},
		"tls is no yes or no": {url: as + "a?tls=perhaps", says: "true or false"},
		"a user alone":        {url: "esdb://u@a", says: "a user and a password"},
		"a stray percent":     {url: "esdb://u:" + password + "%zz@a", says: "%25"},
		"discovery of many":   {url: "esdb+discover" + as[4:] + "a,b", says: "one name"},
		"a CA that is none":   {url: as + "a", o: store.Options{CAFile: empty}, says: "no certificate"},
		"a CA that is gone":   {url: as + "a?tlsCAFile=/no/such/file", says: "no such file"},
		"half a certificate":  {url: as + "a", o: store.Options{CertFile: empty}, says: "userKeyFile"},
		"a key that is gone":  {url: as + "a", o: store.Options{CertFile: empty, KeyFile: empty + "x"}, says: "no such file"},
		"credentials without TLS": {
			url: as + "db.example.org?tls=false", says: "tls=false",
		},
		"options' credentials without TLS": {
			url: "esdb://127.0.0.1,db.example.org?tls=false", o: store.Options{User: "u", Password: password}, says: "tls=false",
		},
		"kurrentdb": {url: "kurrentdb" + as[4:] + "a", says: "esdb://"},
	} {
		_, err := store.Open(t.Context(), test.url, test.o)
		switch {
		case !errors.Is(err, store.ErrURL) && !errors.Is(err, store.ErrScheme):
			t.Errorf("%s: %v", name, err)
		case strings.Contains(err.Error(), password):
			t.Errorf("%s: the password is in %v", name, err)
		case !strings.Contains(err.Error(), test.says):
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is right opens without a server: a kiosk may start before the cluster.
func TestESDBURLAdmitted(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"esdb://db.example.org",
		"esdb://u:p%40ss@db.example.org:2113?tls=true&tlsVerifyCert=false",
		"esdb://u:a,b@a.example.org,b.example.org:2114,c.example.org?nodePreference=leader",
		"esdb+discover://u:p@cluster.example.org?gossipTimeout=2&keepAliveInterval=10000&keepAliveTimeout=10000",
		"esdb://db.example.org?tls=false",
		"esdb://u:p@127.0.0.1:2113,localhost?tls=false&defaultDeadline=5000",
	} {
		l, err := store.Open(t.Context(), url, store.Options{})
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}
