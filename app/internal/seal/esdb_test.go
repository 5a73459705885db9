package seal_test

import (
	"testing"

	"github.com/keydesk/keydesk/app/internal/seal"
	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/app/internal/store/esdbtest"
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
