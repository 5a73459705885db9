package home

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/seal"
	"github.com/keydesk/keydesk/app/internal/seal/bundle"
	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/domain"
)

// exportFolder is where in the home bundles lie until they are fetched.
const exportFolder = "exports"

// bundles makes bundles for desk, each in a file of its own.
type bundles struct {
	seal    *seal.Seal
	log     store.Log
	folder  string
	version string
	name    string // of the portal
	now     func() time.Time
}

// sealPatience is how long a bundle waits until what was recorded just now is sealed.
const sealPatience = 15 * time.Second

// Make implements desk.Bundles.
func (b *bundles) Make(ctx context.Context, q desk.BundleQuery, progress func(done, total int64)) (desk.Bundle, error) {
	soon, cancel := context.WithTimeout(ctx, sealPatience)
	defer cancel()
	_ = b.seal.Now(soon) // else it goes up to the last checkpoint
	f, err := newSpool(b.folder)
	if err != nil {
		return nil, fmt.Errorf("keep a bundle: %w", err)
	}
	if f.events, err = b.write(ctx, f, q, progress); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (b *bundles) write(ctx context.Context, f *spool, q desk.BundleQuery, progress func(done, total int64)) (int64, error) {
	query := bundle.Query{
		From: bundle.Moment{Position: uint64(q.From)}, To: bundle.Moment{Position: uint64(q.To) + 1},
		Language: q.Language, Zone: q.Zone, Made: b.now(), Version: b.version, Name: b.name,
	}
	if q.Since != "" {
		query.Since = [][]byte{[]byte(q.Since)}
	}
	w := bufio.NewWriterSize(f.File, 1<<18)
	made, err := bundle.Write(ctx, w, bundle.Source{Log: b.log, Seal: b.seal, Skip: []string{store.ProbePrefix}}, query, progress)
	if err != nil {
		return 0, bundleError(err)
	}
	if err := w.Flush(); err != nil {
		return 0, fmt.Errorf("%w: write a bundle: %w", domain.ErrUnavailable, err)
	}
	info, err := f.Stat()
	if err != nil {
		return 0, fmt.Errorf("write a bundle: %w", err)
	}
	f.size = info.Size()
	return made.Events, nil
}

// bundleError has an error of the bundle's be one of desk's, where there is one.
func bundleError(err error) error {
	for _, e := range []struct{ is, as error }{
		{bundle.ErrUnsealed, desk.ErrNotSealed},
		{bundle.ErrNothing, desk.ErrNothingThere},
		{bundle.ErrSince, desk.ErrBadCheckpoint},
		{bundle.ErrDiffers, desk.ErrNotAsSealed},
	} {
		if errors.Is(err, e.is) {
			return fmt.Errorf("%w: %w", e.as, err)
		}
	}
	return err
}

// A spool is a file of which nobody else knows the name. It is gone when it is closed, or
// the program ends.
type spool struct {
	*os.File
	size, events int64
	close        func() error
}

func newSpool(folder string) (*spool, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(folder, "bundle-*")
	if err != nil {
		return nil, err
	}
	// Where a file can be removed while it is open, it has no name from here on.
	removed := os.Remove(f.Name()) == nil
	return &spool{File: f, close: sync.OnceValue(func() error {
		err := f.Close()
		if !removed {
			err = errors.Join(err, os.Remove(f.Name()))
		}
		return err
	})}, nil
}

// Close implements desk.Bundle.
func (s *spool) Close() error { return s.close() }

// Size implements desk.Bundle.
func (s *spool) Size() int64 { return s.size }

// Events implements desk.Bundle.
func (s *spool) Events() int64 { return s.events }

// clearExports removes what a program has left that was killed, where files that are open
// keep their names.
func clearExports(home string) error {
	left, err := filepath.Glob(filepath.Join(home, exportFolder, "bundle-*"))
	for _, f := range left {
		err = errors.Join(err, os.Remove(f))
	}
	return err
}
