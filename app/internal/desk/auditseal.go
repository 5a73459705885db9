package desk

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// A sealCheck is the one verification of the log that may run at a time, and what the
// last one came to.
type sealCheck struct {
	mu    sync.Mutex
	run   int       // which one it is
	view  CheckView // of the one that runs, else the last
	last  CheckView // that ended by itself
	stop  context.CancelFunc
	waits map[string]bool // the shifts that have not been told yet what it came to
	told  map[string]Call // and under which call the others were
}

// Seal returns how the log is sealed.
func (a *Auditor) Seal(ctx context.Context, shift string) (v SealView, err error) {
	d := a.d
	err = d.audited(ctx, shift, func(ctx context.Context, _ Agent) error {
		if d.Seals == nil {
			return refuse(NoSeal)
		}
		if v, err = d.Seals.Status(ctx); err != nil {
			return fmt.Errorf("look how the log is sealed: %w", err)
		}
		v.Checkpoints = fitting(v.Checkpoints)
		d.verification.mu.Lock()
		defer d.verification.mu.Unlock()
		v.Check = d.verification.view
		return nil
	})
	return nothingUnless(v, err)
}

// longestNotes is how long the notes of a SealView may be together, in bytes.
const longestNotes = 1 << 20

// fitting returns as many checkpoints as a SealView holds.
func fitting(all []CheckpointView) []CheckpointView {
	size := 0
	for i := range all {
		if size += len(all[i].Note); i == MostCheckpoints || size > longestNotes {
			return all[:i]
		}
	}
	return all
}

// CheckSeal begins to compare the whole log with its seal, or says how far that is: there
// is one at a time, for everybody, and it goes on while any of those who asked for it are
// signed in. The first answer that is not Running is what it came to; who asks after that
// begins another one. NoSeal: nothing is sealed on this machine.
func (a *Auditor) CheckSeal(ctx context.Context, shift string) (v CheckView, err error) {
	d := a.d
	err = d.audited(ctx, shift, func(ctx context.Context, _ Agent) error {
		if d.Seals == nil {
			return refuse(NoSeal)
		}
		v = d.checkSeal(ctx, shift)
		return nil
	})
	return nothingUnless(v, err)
}

func (d *Desk) checkSeal(ctx context.Context, shift string) CheckView {
	c, call := &d.verification, CallOf(ctx)
	c.mu.Lock()
	_, known := c.told[shift]
	switch {
	case c.waits[shift] && !c.view.Running:
		delete(c.waits, shift)
		c.told[shift] = call
		defer c.mu.Unlock()
		return c.view
	case c.told[shift] == call && known && !c.view.Running: // whose answer was lost
		defer c.mu.Unlock()
		return c.view
	case !c.view.Running:
		c.begin(ctx, d)
	}
	first := !known && !c.waits[shift]
	c.waits[shift] = true
	delete(c.told, shift)
	view := c.view
	c.mu.Unlock()
	if first {
		d.whenOver(shift, func() { c.leave(shift) })
	}
	return view
}

// begin has a verification run. c.mu is held.
func (c *sealCheck) begin(ctx context.Context, d *Desk) {
	if c.waits == nil {
		c.waits, c.told = map[string]bool{}, map[string]Call{}
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	c.run++
	run := c.run
	c.stop, c.view = stop, CheckView{Running: true, At: d.Now().UTC()}
	d.background.Go(func() {
		defer stop()
		v, err := d.Seals.Verify(ctx, func(done, total int64) {
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.run == run {
				c.view.Done, c.view.Total = done, total
			}
		})
		if err != nil && ctx.Err() == nil && !errors.Is(err, ErrNotSealed) {
			d.report(fmt.Errorf("compare the log with its seal: %w", err))
		}
		c.ended(run, v, err, d.Now().UTC())
	})
}

// ended notes what a verification came to, unless it was ended.
func (c *sealCheck) ended(run int, v CheckView, err error, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.run != run {
		return
	}
	if err != nil {
		v = CheckView{Broken: true}
	}
	v.Running, v.At, v.Ended, v.Done, v.Total = false, c.view.At, at, c.view.Done, c.view.Total
	c.view, c.last = v, v
}

// leave says that a shift is over: a verification that nobody waits for ends.
func (c *sealCheck) leave(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.waits, id)
	delete(c.told, id)
	if c.view.Running && len(c.waits) == 0 {
		c.stop()
		c.run++
		c.view = c.last
	}
}
