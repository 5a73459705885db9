package esdbtest_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/keydesk/keydesk/app/internal/store/esdbtest"
)

// rights tries everything, and returns what of it is allowed: r, w, d on a
// stream; R, W on what is said about it.
func rights(tb testing.TB, c *esdb.Client, stream string) string {
	tb.Helper()
	var may strings.Builder
	note := func(what string, err error) {
		switch status.Code(err) { //nolint:exhaustive // the others are refusals of another kind
		case codes.PermissionDenied:
		case codes.Unauthenticated:
			may.WriteString("?")
		default:
			may.WriteString(what)
		}
	}
	read := func(name string) error {
		_, err := readStream(tb, c, name, esdb.ReadStreamOptions{}, 1)
		return err
	}
	write := func(name string) error {
		for {
			// Trap: who is turned away at once may be too late to learn why.
			_, err := tryAppend(tb, c, name, esdb.Revision(1<<40), event("$metadata"))
			if !errors.Is(err, io.EOF) {
				return err
			}
		}
	}
	note("r", read(stream))
	note("w", write(stream))
	_, err := c.DeleteStream(tb.Context(), stream, esdb.DeleteStreamOptions{ExpectedRevision: esdb.Revision(1 << 40)})
	note("d", err)
	note("R", read("$$"+stream))
	note("W", write("$$"+stream))
	return may.String()
}

func TestRights(t *testing.T) {
	t.Parallel()
	s := esdbtest.Start(t, esdbtest.Options{
		Denied: true, Users: map[string]string{esdbtest.Admin: "a", "keydesk": "k", "auditor": "b"},
	})
	admin := connect(t, s.URLFor(esdbtest.Admin, "a"))
	clients := map[string]*esdb.Client{
		"admin": admin, "keydesk": connect(t, s.URLFor("keydesk", "k")), "auditor": connect(t, s.URLFor("auditor", "b")),
		"wrong password": connect(t, s.URLFor("keydesk", "K")), "unknown": connect(t, s.URLFor("nobody", "k")),
		"nobody": connect(t, strings.Replace(s.URL(), "keydesk:secret@", "", 1)),
	}
	want := func(when, stream string, may map[string]string) {
		t.Helper()
		for name, c := range clients {
			if got := rights(t, c, stream); name == "wrong password" || name == "unknown" {
				if got != "?????" {
					t.Errorf("%s, %s of %s: %s", when, name, stream, got)
				}
			} else if got != may[name] {
				t.Errorf("%s, %s may %q on %s instead of %q", when, name, got, stream, may[name])
			}
		}
	}
	set := func(stream, kind, data string) {
		t.Helper()
		e := event(kind)
		e.Data = []byte(data)
		mustAppend(t, admin, stream, esdb.Any{}, e)
	}
	everything := map[string]string{"admin": "rwdRW", "keydesk": "rwdRW", "auditor": "rwdRW"}
	want("at first", "one", everything)
	want("at first", "$one", map[string]string{"admin": "rwdRW"})
	want("at first", "$all", map[string]string{"admin": "rRW"}) // nobody writes everything

	set("$settings", "update-default-acl", `{"$userStreamAcl":{"$r":"$all","$w":["keydesk","$ops"],"$d":[],"$mr":["auditor"],"$mw":null},"$systemStreamAcl":{"$r":["keydesk"]}}`)
	want("with settings", "one", map[string]string{"admin": "rwdRW", "keydesk": "rwW", "auditor": "rRW"})
	want("with settings", "$one", map[string]string{"admin": "rwdRW", "keydesk": "r"})

	set("$$one", "$metadata", `{"$acl":{"$r":["auditor"],"$d":"keydesk"}}`)
	want("with a list of its own", "one", map[string]string{"admin": "rwdRW", "keydesk": "wdW", "auditor": "rRW"})
	want("with a list of its own", "two", map[string]string{"admin": "rwdRW", "keydesk": "rwW", "auditor": "rRW"})

	set("$$$all", "$metadata", `{"$acl":{"$r":["auditor"]}}`)
	for name, allowed := range map[string]bool{"admin": true, "keydesk": false, "auditor": true, "nobody": false} {
		_, err := collect(clients[name].ReadAll(t.Context(), esdb.ReadAllOptions{From: esdb.Start{}}, 1))
		if allowed != (err == nil) || !allowed && status.Code(err) != codes.PermissionDenied {
			t.Errorf("%s reads everything: %v", name, err)
		}
		if !allowed {
			wantCode(t, err, esdb.ErrorCodeAccessDenied)
			_, err = clients[name].SubscribeToAll(t.Context(), esdb.SubscribeToAllOptions{})
			wantCode(t, err, esdb.ErrorCodeAccessDenied)
		}
	}
	_, err := readStream(t, clients["wrong password"], "one", esdb.ReadStreamOptions{}, 1)
	wantCode(t, err, esdb.ErrorCodeUnauthenticated)
}

// A right that is taken away ends the subscriptions that needed it.
func TestRightTakenAway(t *testing.T) {
	t.Parallel()
	s := esdbtest.Start(t, esdbtest.Options{})
	admin, c := connect(t, s.URLFor(esdbtest.Admin, esdbtest.AdminPassword)), connect(t, s.URL())
	all, one := subscribeAll(t, c, esdb.SubscribeToAllOptions{}), subscribeStream(t, c, "one", esdb.Start{})
	all.until(isCaughtUp)
	one.until(isCaughtUp)
	for _, about := range []string{"$$$all", "$$one"} {
		e := event("$metadata")
		e.Data = []byte(`{"$acl":{"$r":"$admins"}}`)
		mustAppend(t, admin, about, esdb.Any{}, e)
	}
	for _, w := range []*watch{all, one} {
		if _, end := w.until(isDropped); status.Code(end.SubscriptionDropped.Error) != codes.PermissionDenied {
			t.Error(end.SubscriptionDropped.Error)
		}
	}
}

// The authority is the test's own: without it nobody trusts the server, and
// without TLS nobody gets through.
func TestTLS(t *testing.T) {
	t.Parallel()
	s := esdbtest.Start(t, esdbtest.Options{})
	for name, url := range map[string]string{
		"without the authority": "esdb://keydesk:secret@" + s.Addr(0) + "?tls=true",
		"without TLS":           "esdb://" + s.Addr(0) + "?tls=false",
	} {
		if _, err := readStream(t, connect(t, url), "one", esdb.ReadStreamOptions{}, 1); err == nil {
			t.Errorf("%s: let in", name)
		}
	}
	_, err := readStream(t, connect(t, strings.Replace(s.URL(), "127.0.0.1", "localhost", 1)), "one", esdb.ReadStreamOptions{}, 1)
	wantCode(t, err, esdb.ErrorCodeResourceNotFound)
}

// Trap: without TLS the client drops its credentials, and says nothing.
func TestInsecure(t *testing.T) {
	t.Parallel()
	s := esdbtest.Start(t, esdbtest.Options{Insecure: true})
	for _, url := range []string{s.URL(), "esdb://nobody:wrong@" + s.Addr(0) + "?tls=false"} {
		if may := rights(t, connect(t, url), "$one"); may != "rwdRW" {
			t.Errorf("%s may %s", url, may)
		}
	}
}
