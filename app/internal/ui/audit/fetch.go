package audit

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// errThere says that a file of that name is there already.
var errThere = errors.New("there is such a file")

// errLength says that a bundle is not as long as it was said to be.
var errLength = errors.New("not as long as it should be")

// A fetching is a bundle on its way to a file.
type fetching struct {
	part     func(ctx context.Context, offset int64) ([]byte, error) // the next bytes; none at the end
	size     int64                                                   // of the whole
	path     string
	replace  bool // a file of that name makes way
	progress func(done int64)
}

// run fetches it: into a file beside the one that was chosen, which takes its name once
// all of it is there and safe on the disk. Whatever goes wrong, the file that was there
// stays as it was, and nothing is left beside it.
func (f fetching) run(ctx context.Context) (err error) {
	if err := f.free(); err != nil {
		return err
	}
	beside := filepath.Join(filepath.Dir(f.path), "."+filepath.Base(f.path)+"."+rand.Text()[:8]+".part")
	out, err := os.OpenFile(beside, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // in the folder that somebody chose
	if err != nil {
		return fmt.Errorf("make a file for the bundle: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(beside))
		}
	}()
	err = errors.Join(f.fill(ctx, out), out.Close())
	if err != nil {
		return err
	}
	if err := f.free(); err != nil { // somebody else's, meanwhile
		return err
	}
	if err := os.Rename(beside, f.path); err != nil {
		return fmt.Errorf("name the file of the bundle: %w", err)
	}
	return nil
}

// free says that the name may be taken.
func (f fetching) free() error {
	switch _, err := os.Lstat(f.path); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("look for the file of the bundle: %w", err)
	case f.replace:
		return nil
	}
	return errThere
}

// fill writes all parts, and returns when they are safe.
func (f fetching) fill(ctx context.Context, out *os.File) error {
	for at := int64(0); ; {
		part, err := f.part(ctx, at)
		if err = errors.Join(err, ctx.Err()); err != nil { // of what is at hand, every part comes
			return err
		}
		if len(part) == 0 {
			if at != f.size {
				return errLength
			}
			if err := out.Sync(); err != nil {
				return fmt.Errorf("keep the bundle: %w", err)
			}
			return nil
		}
		if _, err := out.Write(part); err != nil {
			return fmt.Errorf("write the bundle: %w", err)
		}
		if at += int64(len(part)); at > f.size {
			return errLength
		}
		f.progress(at)
	}
}
