package seal

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/service"
)

// A memory is a log of n events that is always there, as a sealer needs it.
type memory struct{ n int }

func idOf(i int) (id domain.EventID) {
	binary.BigEndian.PutUint64(id[:], uint64(i)+1) //nolint:gosec // of a test
	return id
}

func (m *memory) event(i int) domain.Recorded {
	return domain.Recorded{
		Message: domain.Message{
			ID: idOf(i), Type: "EmailConfirmed",
			Data: fmt.Appendf(nil, `{"n":%d}`, i), Metadata: []byte(`{}`),
		},
		Stream: "enrolment-a", Revision: domain.Revision(i), Position: domain.Position(i + 1), //nolint:gosec // of a test
		Recorded: time.Date(2026, 11, 1, 0, 0, i, 0, time.UTC),
	}
}

func (m *memory) ReadAll(_ context.Context, q domain.Query, yield func(domain.Batch) error) error {
	const some = 100
	for at := int(q.After); ; at += some { //nolint:gosec // of a test
		var b domain.Batch
		for i := at; i < min(at+some, m.n); i++ {
			b.Events = append(b.Events, m.event(i))
		}
		b.Through = domain.Position(max(min(at+some, m.n), int(q.After))) //nolint:gosec // of a test
		b.Live = at+some >= m.n
		if err := yield(b); err != nil || b.Live {
			return err
		}
	}
}

func (m *memory) Follow(ctx context.Context, q domain.Query, yield func(domain.Batch) error) error {
	if err := m.ReadAll(ctx, q, yield); err != nil {
		return err
	}
	<-ctx.Done()
	return context.Cause(ctx)
}

func (m *memory) ReadStream(context.Context, string, domain.Revision) ([]domain.Recorded, error) {
	return nil, nil
}

func (m *memory) Head(context.Context) (domain.Position, error) {
	return domain.Position(m.n), nil //nolint:gosec // of a test
}
func (m *memory) Identity(context.Context) (string, error) { return "m", nil }

type oneKey struct{}

func (oneKey) ID() string                                  { return "k" }
func (oneKey) DeriveWith(string, string) ([32]byte, error) { return [32]byte{1}, nil }

type remembered struct{ begun *service.SealBegun }

func (r remembered) Sealing(context.Context) (service.SealBegun, error) { return *r.begun, nil }
func (r remembered) BeginSeal(_ context.Context, e service.SealBegun, after string) error {
	if r.begun.Sealer != after {
		return service.ErrOtherSealer
	}
	*r.begun = e
	return nil
}

// rootOf computes the tree of the first n events of a memory.
func (m *memory) rootOf(n int) tlog.Hash {
	var e edge
	l := leafer{store: "m"}
	for i := range n {
		event := m.event(i)
		e.add(l.make(&event).hash, nil)
	}
	return e.root()
}

// Whatever is appended between whatever openings, the tree is the one that the whole
// log has.
func TestAnyHistoryOfOpeningsSealsTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		dir, begun, n := t.TempDir(), new(service.SealBegun), 0
		for range rapid.IntRange(1, 5).Draw(r, "openings") {
			n += rapid.IntRange(1, 700).Draw(r, "events")
			s, err := Open(t.Context(), Config{Folder: dir, Log: &memory{n}, Keys: oneKey{}, Register: remembered{begun}, Writer: true})
			if err == nil {
				err = s.Now(t.Context())
			}
			if err = errors.Join(err, s.Close()); err != nil {
				r.Fatal(err)
			}
		}
		report, err := Verify(t.Context(), &memory{n}, dir, VerifyOptions{Keys: oneKey{}}, nil)
		if err != nil || report.Bad != nil || report.Size != int64(n) || report.Checkpoint.Root != (&memory{}).rootOf(n) {
			r.Fatalf("%d events: %+v, %v", n, report, err)
		}
	})
}

var errCrash = errors.New("the machine stopped")

// Whatever step of writing is the last one before the machine stops, and whatever
// was still to be written behind it: what was sealed stays, and sealing goes on to
// the same tree.
func TestACrashAtEachStep(t *testing.T) {
	t.Parallel()
	steps := 0
	count := func(string) error { steps++; return nil }
	run := func(dir string, begun *service.SealBegun, n int, fault func(string) error) error {
		s, err := Open(t.Context(), Config{
			Folder: dir, Log: &memory{n}, Keys: oneKey{}, Register: remembered{begun}, Writer: true, fault: fault,
		})
		if err != nil {
			return err
		}
		defer s.Close() //nolint:errcheck // only read
		return s.Now(t.Context())
	}
	if err := errors.Join(run(t.TempDir(), new(service.SealBegun), 700, count)); err != nil || steps < 5 {
		t.Fatalf("%d steps, %v", steps, err)
	}
	for last := range steps {
		for _, rubbish := range []int{0, 1, 31, 5000} {
			dir, begun := t.TempDir(), new(service.SealBegun)
			if err := run(dir, begun, 300, nil); err != nil {
				t.Fatal(err)
			}
			n, name := 0, ""
			err := run(dir, begun, 1000, func(step string) error {
				if n++; n > last {
					name = step
					return errCrash
				}
				return nil
			})
			if !errors.Is(err, errCrash) {
				t.Fatalf("step %d: %v", last, err)
			}
			// What the system had in its buffers may be there in part, and as zeros.
			for _, file := range []string{hashesFile, indexFile} {
				f, err := os.OpenFile(filepath.Join(dir, file), os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // of the test
				if err == nil {
					_, err = f.Write(make([]byte, rubbish))
				}
				if err = errors.Join(err, f.Close()); err != nil {
					t.Fatal(err)
				}
			}
			if err := run(dir, begun, 1000, nil); err != nil {
				t.Fatalf("after %q (%d): %v", name, rubbish, err)
			}
			r, err := Verify(t.Context(), &memory{1000}, dir, VerifyOptions{Keys: oneKey{}}, nil)
			if err != nil || r.Bad != nil || r.Size != 1000 || r.Checkpoint.Root != (&memory{}).rootOf(1000) {
				t.Fatalf("after %q (%d): %+v, %v", name, rubbish, r, err)
			}
		}
	}
}

// killedIn tells a process of this test to seal in a folder until it is killed.
const killedIn = "KEYDESK_TEST_SEAL_IN"

func TestMain(m *testing.M) {
	dir := os.Getenv(killedIn)
	if dir == "" {
		os.Exit(m.Run())
	}
	begun := service.SealBegun{Sealer: os.Getenv(killedIn + "_SEALER"), Origin: "keydesk/m"}
	for n := 1; ; n += 37 {
		s, err := Open(context.Background(), Config{Folder: dir, Log: &memory{n}, Keys: oneKey{}, Register: remembered{&begun}, Writer: true})
		if err == nil {
			err = s.Now(context.Background())
		}
		if err != nil && !errors.Is(err, ErrHistory) { // the log is shorter than it was before
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
		_ = s.Close()
	}
}

// The process that seals is killed, again and again: what it had sealed holds, and
// the next one goes on.
func TestASealerThatIsKilled(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, before := t.TempDir(), int64(0)
	for round := range 6 {
		sealer := ""
		if made, err := folder(dir).tree(); err == nil {
			sealer = made.Sealer
		}
		var says strings.Builder
		c := exec.CommandContext(t.Context(), self) //nolint:gosec // this program
		c.Env = append(os.Environ(), killedIn+"="+dir, killedIn+"_SEALER="+sealer)
		c.Stderr = &says
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		size := func() int64 {
			k, err := (Config{Keys: oneKey{}}).keysOf(treeIn(t, dir))
			if err != nil {
				t.Fatal(err)
			}
			c, _, err := folder(dir).lastListed(k)
			if err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
			return c.Size
		}
		for deadline := time.Now().Add(30 * time.Second); treeIn(t, dir).Sealer == "" || size() <= before; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("round %d: nothing is sealed: %s", round, says.String())
			}
		}
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait() // it was killed
		r, err := Verify(t.Context(), &memory{int(size()) + 1000}, dir, VerifyOptions{Keys: oneKey{}}, nil)
		if err != nil || r.Bad != nil || r.Size < before || r.Checkpoint.Root != (&memory{}).rootOf(int(r.Size)) {
			t.Fatalf("round %d: %+v, %v: %s", round, r, err, says.String())
		}
		before = r.Size
	}
}

// treeIn returns what a folder is the seal of; the zero tree while there is none.
func treeIn(t *testing.T, dir string) tree {
	t.Helper()
	made, err := folder(dir).tree()
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return made
}

// Any bytes in a file of the folder are refused or read as what they are, and whoever asks
// gets an answer or an error.
func FuzzFolder(f *testing.F) {
	dir := f.TempDir()
	s, err := Open(f.Context(), Config{Folder: dir, Log: &memory{50}, Keys: oneKey{}, Register: remembered{new(service.SealBegun)}, Writer: true})
	if err == nil {
		err = s.Now(f.Context())
	}
	if err != nil {
		f.Fatal(err)
	}
	whole := map[string][]byte{}
	names := []string{hashesFile, indexFile, checkpointsFile, checkpointFile, treeFile, witnessesFile}
	for i, name := range names {
		whole[name], _ = os.ReadFile(filepath.Join(dir, name)) //nolint:gosec // of the test
		f.Add(i, whole[name])
	}
	f.Fuzz(func(t *testing.T, which int, content []byte) {
		name := names[(which%len(names)+len(names))%len(names)]
		dir := t.TempDir()
		for _, one := range names {
			b := whole[one]
			if one == name {
				b = content
			}
			if err := os.WriteFile(filepath.Join(dir, one), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		r, err := Verify(t.Context(), &memory{50}, dir, VerifyOptions{Keys: oneKey{}}, nil)
		same := string(content) == string(whole[name])
		if err == nil && r.Bad == nil && r.Size == 50 && r.Checkpoint.Root != (&memory{}).rootOf(50) {
			t.Errorf("another tree is taken for ours")
		}
		if same && (err != nil || r.Bad != nil) {
			t.Errorf("ours is not: %+v, %v", r, err)
		}
		if s, err := Open(t.Context(), Config{Folder: dir, Keys: oneKey{}}); err == nil {
			s.Status()
			_, _ = s.Daily(10, time.UTC)
			for _, leaf := range []int64{0, 7, 49, 50} {
				_, _, _ = s.Leaf(leaf)
				_, _, _ = s.Covering(leaf)
				_, _ = s.LeafFrom(domain.Position(leaf)) //nolint:gosec // small
			}
			_, _ = s.Know(&domain.Recorded{Position: 8, Recorded: time.Unix(1, 0), Stream: "login-x", Message: domain.Message{Type: "LoginFailed"}})
			_ = s.Close()
		}
	})
}
