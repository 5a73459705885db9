package seal

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/service"
)

// soon is a minute, in these tests.
const soon = 200 * time.Millisecond

// sealing opens the seal of a log of 300 events, in a folder where something was sealed.
func sealing(t *testing.T, change func(*Config)) *Seal {
	t.Helper()
	c := Config{
		Folder: filepath.Join(t.TempDir(), "seal"), Log: &memory{300}, Keys: oneKey{}, Register: remembered{new(service.SealBegun)}, Writer: true,
		patience: soon,
	}
	s, err := Open(t.Context(), c)
	if err == nil {
		err = s.Now(t.Context())
	}
	if err = errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	change(&c)
	if s, err = Open(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// running runs a sealer until the test ends.
func running(t *testing.T, s *Seal) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context())) // not the test's: it ends before what is cleaned up
	var on sync.WaitGroup
	on.Go(func() { _ = s.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		on.Wait()
	})
}

// now asks that all be sealed, without a deadline, and fails if that takes for ever.
func now(t *testing.T, s *Seal) error {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- s.Now(context.WithoutCancel(t.Context())) }()
	select {
	case err := <-ended:
		return err
	case <-time.After(30 * time.Second):
		t.Fatal("it waits for ever")
		return nil
	}
}

// locked holds the lock of a seal, as another program does.
func locked(t *testing.T, s *Seal) {
	t.Helper()
	lock := flock.New(s.folder.path(lockFile))
	if ok, err := lock.TryLock(); !ok || err != nil {
		t.Fatal(ok, err)
	}
	t.Cleanup(func() { _ = lock.Close() })
}

// Another program has the lock, and nobody can ask it: nothing is tried again and again.
func TestNobodyCanBeAsked(t *testing.T) {
	t.Parallel()
	full, asked := errors.New("no space left"), 0
	s := sealing(t, func(c *Config) {
		c.fault = func(step string) error {
			if step != "wish" {
				return nil
			}
			asked++
			return full
		}
	})
	locked(t, s)
	if err := now(t, s); !errors.Is(err, full) || asked != 1 {
		t.Errorf("asked %d times: %v", asked, err)
	}
}

// Another program has the lock, and does nothing.
func TestAnotherProgramStandsStill(t *testing.T) {
	t.Parallel()
	s := sealing(t, func(*Config) {})
	locked(t, s)
	if err := now(t, s); !errors.Is(err, ErrStalled) {
		t.Errorf("got %v", err)
	}
	left, err := s.folder.wishes()
	if err != nil || len(left) != 0 {
		t.Errorf("a wish is left: %v, %v", left, err)
	}
}

// It is slow, and gets on.
func TestAnotherProgramIsSlow(t *testing.T) {
	t.Parallel()
	s := sealing(t, func(c *Config) { c.patience = 5 * time.Second })
	locked(t, s)
	ended := make(chan error, 1)
	go func() { ended <- s.Now(context.WithoutCancel(t.Context())) }()
	hashes, err := os.OpenFile(s.folder.path(hashesFile), os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer hashes.Close() //nolint:errcheck // of the test
	for begun := time.Now(); time.Since(begun) < 8*time.Second; time.Sleep(100 * time.Millisecond) {
		if _, err := hashes.Write(make([]byte, 32)); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-ended:
			t.Fatalf("it has given up: %v", err)
		default:
		}
	}
	wishes, err := s.folder.wishes()
	if err != nil || len(wishes) != 1 {
		t.Fatalf("%v, %v", wishes, err)
	}
	if err := os.Remove(wishes[0]); err != nil { // granted
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("got %v", err)
	}
}

// A boaster says that it holds more than it gives.
type boaster struct{ memory }

func (b *boaster) Head(context.Context) (domain.Position, error) {
	return domain.Position(b.n + 1), nil //nolint:gosec // of a test
}

// A log that never comes to the end that it has told of: whoever waits is told so, and
// the sealer begins again, whoever asks it.
func TestALogThatNeverEnds(t *testing.T) {
	t.Parallel()
	told := make(chan error, 100)
	s := sealing(t, func(c *Config) {
		c.Log = &boaster{memory{310}}
		c.Report = func(err error) { told <- err }
	})
	c := s.c
	c.patience = patience // it waits for the answer
	other, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close() //nolint:errcheck // only read
	running(t, s)
	for deadline := time.Now().Add(30 * time.Second); !s.Status().Sealing; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not seal")
		}
	}
	if err := now(t, s); !errors.Is(err, ErrStalled) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var asks sync.WaitGroup
	asks.Go(func() { _ = other.Now(ctx) })
	defer asks.Wait() // it takes its wish back
	defer cancel()
	select {
	case err := <-told:
		if !errors.Is(err, ErrStalled) {
			t.Errorf("told %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Error("nobody was told")
	}
}
