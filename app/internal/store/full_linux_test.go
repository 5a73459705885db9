package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/domain"
)

func init() { //nolint:gochecknoinits // the parts of another process on Linux
	parts["full-tmpfs"] = partFullTmpfs
	parts["full-limit"] = partFullLimit
	parts["full-backup"] = partFullBackup
	parts["full-prune"] = partFullPrune
	parts["full-open"] = partFullOpen
}

// mountRefused is how a child says that it may not mount.
const mountRefused = 77

// TestDiskFull lets the disk be full while a process appends: the append that
// meets it is refused and leaves nothing, and when there is space again, the
// log goes on.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"full-tmpfs", "full-limit", "full-backup", "full-prune", "full-open"} {
		t.Run(part, func(t *testing.T) {
			t.Parallel()
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), self, filepath.Join(t.TempDir(), "log.db")) //nolint:gosec // ourselves
			cmd.Env = append(os.Environ(), partVariable+"="+part)
			if part != "full-limit" {
				cmd.SysProcAttr = ownMounts()
			}
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			switch {
			case errors.As(err, &exit) && exit.ExitCode() == mountRefused,
				errors.Is(err, os.ErrPermission), errors.Is(err, syscall.ENOSPC):
				t.Skipf("no small file system can be mounted here: %v %s", err, out)
			case err != nil:
				t.Fatalf("%v\n%s", err, out)
			}
			t.Logf("%s", out)
		})
	}
}

// ownMounts gives a child a view of its own on the file systems, in which it
// may mount, and which vanishes with it.
func ownMounts() *syscall.SysProcAttr {
	if os.Geteuid() == 0 {
		return &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	}
	return &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
}

func partFullTmpfs(path string) error {
	makeSpace, err := smallDisk(path, "3m", 1<<20)
	if err != nil {
		return err
	}
	return fill(path, makeSpace)
}

const ballastName = "ballast"

// smallDisk puts a file system of some size where the log will be, of which ballast
// takes a part until makeSpace is called.
func smallDisk(path, size string, ballast int) (makeSpace func() error, err error) {
	dir := filepath.Dir(path)
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		fmt.Println(err)
		os.Exit(mountRefused)
	}
	name := filepath.Join(dir, ballastName)
	err = os.WriteFile(name, make([]byte, ballast), 0o600) //nolint:gosec // our own folder
	return func() error { return os.Remove(name) }, err    //nolint:gosec // our own file
}

// partFullBackup backs up to a disk that becomes full, and then has space again.
func partFullBackup(path string) error {
	ctx := context.Background()
	makeSpace, err := smallDisk(path, "8m", 4<<20)
	if err != nil {
		return err
	}
	l, err := store.OpenSQLite(ctx, path)
	if err != nil {
		return err
	}
	defer l.Close()
	for i := range 40 {
		if _, err := l.Append(ctx, "enrolment-a", domain.Revision(3*i-1), large(i)...); err != nil {
			return err
		}
	}
	to := filepath.Join(filepath.Dir(path), "copy.db")
	if _, err := l.Backup(ctx, to, nil); !errors.Is(err, domain.ErrUnavailable) {
		return fmt.Errorf("full: %w instead of unavailable", err)
	}
	if beside, err := filepath.Glob(to + "*"); err != nil || len(beside) > 0 {
		return fmt.Errorf("left behind: %v, %w", beside, err)
	}
	if _, err := l.Append(ctx, "enrolment-b", domain.NoStream, large(0)...); err != nil {
		return fmt.Errorf("append after a backup that failed: %w", err)
	}
	if err := makeSpace(); err != nil {
		return err
	}
	if _, err := l.Backup(ctx, to, nil); err != nil {
		return err
	}
	return wantLarge(ctx, l, 40)
}

// partFullPrune prunes on a disk that has no room for a second copy of the log, and
// again when it has.
func partFullPrune(path string) error {
	ctx := context.Background()
	makeSpace, err := smallDisk(path, "8m", 0)
	if err != nil {
		return err
	}
	l, err := store.OpenSQLite(ctx, path)
	if err != nil {
		return err
	}
	defer func() { _ = l.Close() }()
	if err := fillLogins(ctx, l, 10, 40); err != nil {
		return err
	}
	for i := range 30 {
		if _, err := l.Append(ctx, "enrolment-a", domain.Revision(3*i-1), large(i)...); err != nil {
			return err
		}
	}
	if err := l.Close(); err != nil { // which empties the write-ahead log
		return err
	}
	if l, err = store.OpenSQLite(ctx, path); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), ballastName), make([]byte, 5<<20), 0o600); err != nil { //nolint:gosec // our own folder
		return err
	}
	n, err := l.Prune(ctx, domain.LoginPrefix, limit(), nil)
	if n != 400 || !errors.Is(err, domain.ErrUnavailable) {
		return fmt.Errorf("full: %d removed, %w instead of unavailable", n, err)
	}
	if err := wantLarge(ctx, l, 30); err != nil {
		return err
	}
	if _, err := l.Append(ctx, "enrolment-b", domain.NoStream, large(0)...); err != nil {
		return fmt.Errorf("append after a prune that failed: %w", err)
	}
	if err := makeSpace(); err != nil {
		return err
	}
	if n, err := l.Prune(ctx, domain.LoginPrefix, limit(), nil); n != 0 || err != nil {
		return fmt.Errorf("with space again: %d, %w", n, err)
	}
	if _, err := os.Stat(path + "-prune"); !errors.Is(err, os.ErrNotExist) { //nolint:gosec // our own file
		return fmt.Errorf("not finished: %w", err)
	}
	return wantLarge(ctx, l, 30)
}

// partFullOpen opens a log on a disk on which there is no room for what SQLite keeps
// beside it, and again when there is.
func partFullOpen(path string) error {
	ctx := context.Background()
	makeSpace, err := smallDisk(path, "3m", 0)
	if err != nil {
		return err
	}
	l, err := store.OpenSQLite(ctx, path)
	if err != nil {
		return err
	}
	if _, err := l.Append(ctx, "enrolment-a", domain.NoStream, large(0)...); err != nil {
		return err
	}
	if err := l.Close(); err != nil {
		return err
	}
	ballast := filepath.Join(filepath.Dir(path), ballastName)
	if err := os.WriteFile(ballast, make([]byte, 4<<20), 0o600); !errors.Is(err, syscall.ENOSPC) { //nolint:gosec // our own folder
		return fmt.Errorf("the disk has room for more: %w", err)
	}
	if l, err := store.OpenSQLite(ctx, path); !errors.Is(err, domain.ErrUnavailable) {
		if err == nil {
			_ = l.Close()
		}
		return fmt.Errorf("full: %w instead of unavailable", err)
	}
	if err := makeSpace(); err != nil {
		return err
	}
	if l, err = store.OpenSQLite(ctx, path); err != nil {
		return err
	}
	defer func() { _ = l.Close() }()
	return wantLarge(ctx, l, 1)
}

func partFullLimit(path string) error {
	signal.Ignore(syscall.SIGXFSZ)
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	small := unix.Rlimit{Cur: 1 << 20, Max: limit.Max}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &small); err != nil {
		return err
	}
	return fill(path, func() error { return unix.Setrlimit(unix.RLIMIT_FSIZE, &limit) })
}

// fill appends until the disk is full, makes space, and goes on.
func fill(path string, makeSpace func() error) error {
	ctx := context.Background()
	l, err := store.OpenSQLite(ctx, path)
	if err != nil {
		return err
	}
	defer l.Close()
	done, err := appendUntilFull(ctx, l, 0)
	if !errors.Is(err, domain.ErrUnavailable) {
		return fmt.Errorf("full after %d appends: %w instead of unavailable", done, err)
	}
	fmt.Printf("after %d appends: %v\n", done, err)
	for range 5 { // it stays so, and reading works
		if n, again := appendUntilFull(ctx, l, done); n != done || !errors.Is(again, domain.ErrUnavailable) {
			return fmt.Errorf("still full: %d more, %w", n-done, again)
		}
		if err := wantLarge(ctx, l, done); err != nil {
			return err
		}
	}
	if err := makeSpace(); err != nil {
		return err
	}
	if _, err := l.Append(ctx, "enrolment-a", domain.Revision(3*done-1), large(done)...); err != nil {
		return fmt.Errorf("with space again: %w", err)
	}
	if err := wantLarge(ctx, l, done+1); err != nil {
		return err
	}
	if err := l.Close(); err != nil {
		return err
	}
	if l, err = store.OpenSQLite(ctx, path); err != nil {
		return fmt.Errorf("open again: %w", err)
	}
	defer l.Close()
	return wantLarge(ctx, l, done+1)
}

func appendUntilFull(ctx context.Context, l *store.SQLite, done int) (int, error) {
	for ; ; done++ {
		if _, err := l.Append(ctx, "enrolment-a", domain.Revision(3*done-1), large(done)...); err != nil {
			return done, err
		}
	}
}

// large makes the i-th append: three events of some pages each.
func large(i int) []domain.Message {
	ms := make([]domain.Message, 3)
	for j := range ms {
		ms[j] = domain.Message{
			ID: domain.EventIDFor(domain.CommandID{}, 3*i+j), Type: "RosterImported",
			Data: []byte(`"` + strings.Repeat("x", 15_000) + `"`),
		}
	}
	return ms
}

func wantLarge(ctx context.Context, l *store.SQLite, appends int) error {
	events, err := l.ReadStream(ctx, "enrolment-a", 0)
	if err != nil {
		return err
	}
	if len(events) != 3*appends {
		return fmt.Errorf("%d events of %d appends", len(events), appends)
	}
	for i, e := range events {
		if want := large(i / 3)[i%3]; e.ID != want.ID || string(e.Data) != string(want.Data) {
			return fmt.Errorf("revision %d is not what was appended", i)
		}
	}
	return nil
}
