package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/seal"
	"github.com/keydesk/keydesk/app/internal/seal/bundle"
	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/domain"
)

type exportCommand struct {
	Out      string   `arg:"" name:"out.zip" type:"path" help:"The file to write, which is not there yet."`
	From     place    `help:"From this time on (2026-11-23T09:30:00Z, or 2026-11-23T10:30 as clocks here show it), from the beginning of this day (2026-11-23), or from this position. Left out: from the beginning." placeholder:"TIME|POSITION"`
	To       place    `help:"Until before this time, day or position. Left out: to the last event that is sealed." placeholder:"TIME|POSITION"`
	Since    []string `type:"path" sep:"none" help:"An older checkpoint that the bundle shall prove its consistency with; more than once for more." placeholder:"FILE"`
	Language string   `help:"Of the report and of the table: nl or en." enum:"nl,en" default:"nl"`
}

// Help says what is in it.
func (exportCommand) Help() string {
	return "A bundle is a zip file with the events, what proves that they are what was sealed, a report with charts, and a table for spreadsheets. " +
		"\"keydeskd verify\" checks it anywhere. There is no personal data in it; that it was made is recorded before it is. " +
		"Days, and what the report shows, are those of this machine's time zone."
}

// Left says what is there of one that was stopped.
func (exportCommand) Left() string {
	return "no file was written; that one was asked for may have been recorded"
}

// A place is a moment in the log: a time, a local day, or a position.
type place struct{ bundle.Moment }

func (p *place) UnmarshalText(b []byte) error {
	if n, err := strconv.ParseUint(string(b), 10, 63); err == nil && n > 0 {
		p.Position = n
		return nil
	}
	var t timeOrDay
	if err := t.UnmarshalText(b); err != nil {
		return errors.New("neither a time such as 2026-11-23T09:30:00Z, or 2026-11-23T10:30 here, nor a day such as 2026-11-23, nor a position such as 6412")
	}
	p.At = t.Time
	return nil
}

// Validate sees that something can be between the two.
func (c exportCommand) Validate() error {
	from, to := c.From, c.To
	if to.Position > 0 && from.Position >= to.Position || !to.At.IsZero() && !from.At.Before(to.At) {
		return errors.New("--from has to be before --to")
	}
	return nil
}

func (c exportCommand) Run(a *app) (err error) {
	query := bundle.Query{From: c.From.Moment, To: c.To.Moment, Language: c.Language, Zone: zoneHere()}
	for _, file := range c.Since {
		note, err := checkpointIn(file)
		if err != nil {
			return err
		}
		query.Since = append(query.Since, note)
	}
	if _, err := os.Lstat(c.Out); err == nil { // before anything is recorded
		return fmt.Errorf("%s: %w", c.Out, os.ErrExist)
	}
	set, err := a.existing()
	if err != nil {
		return err
	}
	h, err := a.open(set, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(a.ctx)) }()
	a.meter.begin("sealing what is recorded", "")
	defer a.meter.rest()
	if err := h.Seal().Now(a.ctx); err != nil && !alreadySealed(err) {
		return err
	}
	source := bundle.Source{Log: h.Log, Seal: h.Seal(), Skip: []string{store.ProbePrefix}}
	first, last, err := bundle.Range(a.ctx, source, query)
	if err != nil {
		return err
	}
	first = max(first, 1) // the checkpoint of a tree before stands before the first event
	if err := h.Desk.NoteExport(a.ctx, desk.Console(), domain.Position(first), domain.Position(last)); err != nil {
		return err
	}
	query.To = bundle.Moment{Position: last + 1} // what was recorded, and no more
	query.Made, query.Version, query.Name = time.Now(), version, set.Organisation.Portal
	var made bundle.Made
	size, err := writeNew(c.Out, func(f *os.File) (err error) {
		defer a.meter.rest()
		out := bufio.NewWriterSize(f, 1<<20)
		if made, err = bundle.Write(a.ctx, out, source, query, a.meter.begin("writing the bundle", "events")); err == nil {
			err = out.Flush()
		}
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s: %d events, positions %d to %d, %.1f MB\n", c.Out, made.Events, first, last, float64(size)/1e6)
	if made.Expired > 0 {
		fmt.Fprintf(a.out, "%d logins more have expired: what is left of them is their leaves\n", made.Expired)
	}
	_, err = fmt.Fprintf(a.out, "sealed by the checkpoint of %d leaves of %s, root %s\n", made.Size, made.Checkpoint.At.UTC().Format("2006-01-02 15:04 MST"), made.Checkpoint.Root)
	return err
}

// zoneHere returns the time zone of this machine under its own name, where it can be
// found out: "Local" means nothing to whoever reads the report elsewhere.
func zoneHere() *time.Location {
	name := os.Getenv("TZ")
	if link, err := os.Readlink("/etc/localtime"); err == nil && name == "" {
		_, name, _ = strings.Cut(filepath.ToSlash(link), "/zoneinfo/")
	}
	if zone, err := time.LoadLocation(name); err == nil && name != "" {
		return zone
	}
	return time.Local
}

// alreadySealed says that another machine seals, or nothing is new: what is sealed
// has to do.
func alreadySealed(err error) bool {
	return errors.Is(err, seal.ErrNotWriter) || errors.Is(err, seal.ErrOtherSealer) || errors.Is(err, seal.ErrEmpty)
}

// writeNew writes a file that was not there. Its name is taken at once; what it
// holds is there when it is whole and on disk, or the file is not there at all.
func writeNew(path string, write func(*os.File) error) (size int64, err error) {
	name, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // the operator's to choose
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(path))
		}
	}()
	if err := name.Close(); err != nil {
		return 0, err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		return 0, err
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		size, err = f.Seek(0, io.SeekEnd)
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return size, err
}
