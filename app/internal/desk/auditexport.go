package desk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/staff"
	"github.com/keydesk/keydesk/projections/ledger"
)

const (
	// maxExports is how many bundles there may be at once, whether they are made or lie
	// ready, and shiftExports how many of them may be one auditor's.
	maxExports   = 8
	shiftExports = 2
	// exportLife is for how long one lies ready to be fetched.
	exportLife = time.Hour
	// longestNote is as long as any checkpoint's note, in bytes.
	longestNote = 8 << 10
)

// exports are the bundles that are being made, or lie ready to be fetched.
type exports struct {
	mu  sync.Mutex
	all []*export // the oldest first
}

// An export is a bundle of one shift. What may change is guarded by exports.mu, but for
// the bundle's own bytes.
type export struct {
	id, shift string
	call      Call
	query     ExportQuery
	stop      context.CancelFunc

	done, total int64
	ended       time.Time // zero while it is made
	err         error     // why it could not be
	name        string

	using  sync.RWMutex // held to read from the bundle, and to remove it
	bundle Bundle       // nil: there is none yet, or no more
}

// Export begins to make a bundle of what was recorded, or says how far one is that was
// begun. That it is made is recorded before. It goes on while the auditor is signed in,
// and lies ready for an hour. BadRange: the query cannot be. Busy: one of this auditor is
// being made, or too many are. NoExport: there is none of that ID any more.
func (a *Auditor) Export(ctx context.Context, shift string, q ExportQuery) (v ExportView, err error) {
	d := a.d
	err = d.audited(ctx, shift, func(ctx context.Context, by Agent) error {
		if d.Bundles == nil {
			return refuse(NoSeal)
		}
		q.From.At, q.To.At = q.From.At.UTC(), q.To.At.UTC()
		d.exports.expire(d.Now())
		e := d.exports.find(shift, q, CallOf(ctx))
		switch {
		case e == nil && q.ID != "":
			return refuse(NoExport)
		case e == nil:
			if e, err = d.beginExport(ctx, shift, by, q); err != nil {
				return err
			}
		}
		v, err = d.exports.view(e)
		return err
	})
	return nothingUnless(v, err)
}

// ExportPart returns the next bytes of a bundle that was made, at most ExportPartSize;
// none at its end. NoExport: there is none such.
func (a *Auditor) ExportPart(ctx context.Context, shift, id string, offset int64) (part []byte, err error) {
	d := a.d
	err = d.audited(ctx, shift, func(_ context.Context, _ Agent) error {
		d.exports.expire(d.Now())
		e := d.exports.find(shift, ExportQuery{ID: id}, Call{})
		if e == nil || offset < 0 {
			return refuse(NoExport)
		}
		part, err = e.read(offset)
		return err
	})
	return nothingUnless(part, err)
}

// DropExport ends the making of a bundle, or removes one that lies ready, with all that
// was written of it. One that is there no more is no error: it is gone.
func (a *Auditor) DropExport(ctx context.Context, shift, id string) error {
	d := a.d
	return d.audited(ctx, shift, func(context.Context, Agent) error {
		if e := d.exports.find(shift, ExportQuery{ID: id}, Call{}); id != "" && e != nil {
			d.exports.remove(e)
		}
		return nil
	})
}

// read returns the bytes from a place on.
func (e *export) read(offset int64) ([]byte, error) {
	e.using.RLock()
	defer e.using.RUnlock()
	if e.bundle == nil {
		return nil, refuse(NoExport)
	}
	part := make([]byte, max(0, min(ExportPartSize, e.bundle.Size()-offset)))
	if n, err := e.bundle.ReadAt(part, offset); n < len(part) {
		return nil, fmt.Errorf("read a bundle: %w", errors.Join(err, io.ErrUnexpectedEOF))
	}
	return part, nil
}

// find returns a bundle of a shift: by its id, or, without one, what the same call has
// begun before.
func (x *exports) find(shift string, q ExportQuery, call Call) *export {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, e := range x.all {
		if e.shift == shift && (e.id == q.ID || q.ID == "" && e.call == call && e.query == q) {
			return e
		}
	}
	return nil
}

// view says how far a bundle is.
func (x *exports) view(e *export) (ExportView, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	v := ExportView{ID: e.id, Running: e.ended.IsZero(), Done: e.done, Total: e.total}
	if v.Running || e.err != nil {
		return v, e.err
	}
	e.using.RLock()
	defer e.using.RUnlock()
	if e.bundle == nil {
		return v, refuse(NoExport)
	}
	v.Size, v.Events, v.Name = e.bundle.Size(), e.bundle.Events(), e.name
	return v, nil
}

// beginExport records that a bundle is made, and has it made.
func (d *Desk) beginExport(ctx context.Context, shift string, by Agent, q ExportQuery) (*export, error) {
	from, to, err := d.exportRange(ctx, q)
	if err != nil {
		return nil, err
	}
	zone, err := zoneNamed(q.Zone)
	if err != nil {
		return nil, refuse(BadRange)
	}
	e := &export{id: newID(), shift: shift, call: CallOf(ctx), query: q, name: d.exportName(from, to)}
	making, stop := context.WithCancel(context.WithoutCancel(ctx))
	e.stop = stop
	if err := d.exports.add(e); err != nil {
		stop()
		return nil, err
	}
	made := staff.ExportMade{Scope: staff.ExportedEvents, From: from, To: to}
	if err := d.noteAccess(ctx, by, e.call.command("export/"+shift+"/"+e.id, 0), made); err != nil {
		d.exports.remove(e)
		return nil, err
	}
	d.background.Go(func() {
		defer e.stop()
		b, err := d.Bundles.Make(making, BundleQuery{From: from, To: to, Language: q.Language, Zone: zone, Since: q.Since}, func(done, total int64) {
			d.exports.mu.Lock()
			defer d.exports.mu.Unlock()
			e.done, e.total = done, total
		})
		d.finishExport(making, e, b, err)
	})
	d.whenOver(shift, func() { d.exports.remove(e) })
	return e, nil
}

// finishExport notes what has become of a bundle. One that nobody waits for any more goes
// at once.
func (d *Desk) finishExport(ctx context.Context, e *export, b Bundle, err error) {
	if err != nil && ctx.Err() == nil {
		err = d.refusal(fmt.Errorf("make a bundle: %w", err))
	}
	x := &d.exports
	x.mu.Lock()
	defer x.mu.Unlock()
	e.ended, e.err = d.Now(), err
	if err != nil {
		return
	}
	if ctx.Err() != nil {
		d.report(b.Close())
		return
	}
	e.using.Lock()
	defer e.using.Unlock()
	e.bundle = b
}

// exportRange returns from where to where in the log a bundle goes, both included.
func (d *Desk) exportRange(ctx context.Context, q ExportQuery) (from, to domain.Position, err error) {
	if q.Language != "nl" && q.Language != "en" || len(q.Since) > longestNote {
		return 0, 0, refuse(BadRange)
	}
	if from, err = d.firstOf(ctx, q.From); err != nil {
		return 0, 0, err
	}
	last := q.To
	if last.Position == 0 && !last.At.IsZero() {
		last.At = last.At.Add(-1)
	}
	if to, err = d.position(ctx, last); err != nil {
		return 0, 0, err
	}
	head, err := d.position(ctx, Moment{})
	if to = min(to, head); err == nil && from > to {
		err = refuse(BadRange)
	}
	return from, to, err
}

// firstOf returns from which position on a moment is meant.
func (d *Desk) firstOf(ctx context.Context, m Moment) (domain.Position, error) {
	if m.Position != 0 || m.At.IsZero() {
		return domain.Position(max(1, m.Position)), nil
	}
	before, err := d.position(ctx, Moment{At: m.At.Add(-1)})
	return before + 1, err
}

// exportName returns what the file is called: from and to which day it goes, in UTC; by
// position while the index does not know.
func (d *Desk) exportName(from, to domain.Position) string {
	first, begins := d.Index.Step(from-1, 1, ledger.Filter{})
	last, ends := d.Index.Step(to+1, -1, ledger.Filter{})
	if !begins || !ends || d.Index.Ready() < 1 {
		return fmt.Sprintf("keydesk-%d--%d.zip", from, to)
	}
	return "keydesk-" + first.Recorded.Format(time.DateOnly) + "--" + last.Recorded.Format(time.DateOnly) + ".zip"
}

// add takes one in. The oldest of the same shift makes room where it is ready.
func (x *exports) add(e *export) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	var oldest *export
	mine := 0
	for _, other := range x.all {
		if other.shift != e.shift {
			continue
		}
		if other.ended.IsZero() {
			return refuse(Busy)
		}
		if mine++; oldest == nil {
			oldest = other
		}
	}
	if mine >= shiftExports {
		x.drop(oldest)
	}
	if len(x.all) >= maxExports {
		return refuse(Busy)
	}
	x.all = append(x.all, e)
	return nil
}

// remove ends one, and removes what was made of it. Twice is as good as once.
func (x *exports) remove(e *export) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.drop(e)
}

// expire removes those that have lain ready for long enough.
func (x *exports) expire(now time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, e := range slices.Clone(x.all) {
		if !e.ended.IsZero() && now.Sub(e.ended) >= exportLife {
			x.drop(e)
		}
	}
}

// drop is remove. x.mu is held, and all is not ranged over.
func (x *exports) drop(e *export) {
	x.all = slices.DeleteFunc(x.all, func(other *export) bool { return other == e })
	e.stop()
	e.using.Lock()
	defer e.using.Unlock()
	if e.bundle != nil {
		_ = e.bundle.Close() // it is out of reach all the same
		e.bundle = nil
	}
}

// NoteExport records that a part of the log is about to be taken out at the command
// line, from the first to the last event, both included. What the window takes out is
// recorded by Export.
func (d *Desk) NoteExport(ctx context.Context, by Agent, from, to domain.Position) error {
	return d.noteAccess(ctx, by, newCommand(), staff.ExportMade{Scope: staff.ExportedEvents, From: from, To: to})
}
