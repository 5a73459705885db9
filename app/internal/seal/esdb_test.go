package seal_test

import (
	"context"
	"crypto/rand"
	"testing"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/keydesk/keydesk/app/internal/seal"
	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/app/internal/store/esdbtest"
	"github.com/keydesk/keydesk/domain"
)

// The same over a server: positions have gaps there, others append between, and the
// log's id is that of its first event.
func TestALogOnAServer(t *testing.T) {
	t.Parallel()
	server := esdbtest.Start(t, esdbtest.Options{})
	w := newTown(t)
	_ = w.log.Close() // it is the server's
	w.url = server.URL()
	w.open()
	if _, err := seal.Verify(t.Context(), w.log, w.folder, w.options(), nil); err == nil {
		t.Error("an empty log was verified")
	}
	s, stop := w.run(w.config())
	w.append(200)
	eventually(t, "it seals", func() bool { return s.Status().Sealing })
	w.appendTo(store.ProbePrefix+"doctor", 1)
	w.append(100)
	if err := s.Now(t.Context()); err != nil {
		t.Fatal(err)
	}
	c, ok := s.Checkpoint()
	if size, root := bare(t, w.log); !ok || c.Size != size || c.Root != root {
		t.Errorf("%d leaves with root %s instead of %d with %s", c.Size, c.Root, size, root)
	}
	stop()
	r := w.good()
	if r.Events != 301 || r.Unsealed != 0 {
		t.Errorf("%+v", r)
	}
	// A second machine on the same log does not seal, and finds it as it was.
	other := newTown(t)
	_ = other.log.Close()
	other.url = server.URL()
	other.open()
	second, _ := other.run(other.config())
	eventually(t, "it says that another one seals", func() bool { return second.Status().Problem != nil && !second.Status().Sealing })
}

// Whoever asks that all be sealed waits for the end of the log, whatever stands there:
// what is no leaf, what is the server's own, and what was deleted.
func TestTheEndOfALogIsReached(t *testing.T) {
	t.Parallel()
	for _, lax := range []bool{false, true} {
		server := esdbtest.Start(t, esdbtest.Options{Lax: lax})
		w := newTown(t)
		_ = w.log.Close()
		w.url = server.URL()
		w.open()
		w.append(10)
		client := serverClient(t, server.URLFor(esdbtest.Admin, esdbtest.AdminPassword))
		s, _ := w.run(w.config())
		eventually(t, "it seals", func() bool { return s.Status().Sealing })
		size := int64(11)
		for name, last := range map[string]func() error{
			"nothing new": func() error { return nil },
			"a probe":     func() error { w.appendTo(store.ProbePrefix+"doctor", 1); return nil },
			"the server's own": func() error {
				_, err := client.SetStreamMetadata(t.Context(), "other", esdb.AppendToStreamOptions{}, esdb.StreamMetadata{})
				return err
			},
			"a deleted stream": func() error {
				w.appendTo(store.ProbePrefix+"gone", 3)
				_, err := client.DeleteStream(t.Context(), store.ProbePrefix+"gone", esdb.DeleteStreamOptions{})
				w.next = map[string]domain.Revision{}
				return err
			},
			"a tombstone": func() error {
				w.appendTo(store.ProbePrefix+"dead", 1)
				_, err := client.TombstoneStream(t.Context(), store.ProbePrefix+"dead", esdb.TombstoneStreamOptions{})
				return err
			},
		} {
			w.appendTo("station-"+rand.Text(), 2)
			if err := last(); err != nil {
				t.Fatal(err)
			}
			size += 2
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			err := s.Now(ctx)
			cancel()
			if c, _ := s.Checkpoint(); err != nil || c.Size != size {
				t.Errorf("behind %s: %d leaves, not %d, %v", name, c.Size, size, err)
			}
		}
	}
}

func serverClient(t *testing.T, url string) *esdb.Client {
	t.Helper()
	c, err := esdb.ParseConnectionString(url)
	if err != nil {
		t.Fatal(err)
	}
	client, err := esdb.NewClient(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}
