package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/keydesk/keydesk/domain"
)

// A job is a value that is to be opened.
type job struct {
	row  int32
	slot slot
	ref  domain.Ref
}

// atATime is how many values are opened before those who search get a turn.
const atATime = 1024

// openAll opens what is to be opened, until the directory closes.
func (d *Directory) openAll(ctx context.Context, worker int) {
	for {
		jobs, ok := d.next(worker)
		if !ok {
			return
		}
		err := d.openSome(ctx, jobs)
		d.mu.Lock()
		if err != nil && d.open {
			d.jobs = append(jobs, d.jobs...)
		}
		d.under[worker] = 0
		d.mu.Unlock()
		d.tell()
		if err == nil {
			continue
		}
		if ctx.Err() == nil {
			d.c.Report(fmt.Errorf("open names for the directory: %w", err))
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

// next waits for something to be opened; false when the directory closes.
func (d *Directory) next(worker int) ([]job, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.jobs) == 0 && d.open {
		d.work.Wait()
	}
	if !d.open {
		return nil, false
	}
	n := min(len(d.jobs), atATime)
	jobs := slices.Clone(d.jobs[:n])
	if d.jobs = d.jobs[n:]; len(d.jobs) == 0 {
		d.jobs = nil // and with it the room that it took
	}
	d.under[worker] = n
	return jobs, true
}

// openSome opens values and writes them on their cards. A value that is not on its
// card any more, because another took its place meanwhile, is left out. Whoever was
// erased has none.
func (d *Directory) openSome(ctx context.Context, jobs []job) error {
	all := make([]Wanted, len(jobs))
	d.mu.RLock()
	for i, j := range jobs {
		all[i] = Wanted{d.cards[j.row].subject, slotKinds[j.slot], j.ref}
	}
	d.mu.RUnlock()
	opened, err := d.c.Vault.GetMany(ctx, all...)
	if err != nil {
		return err
	}
	defer func() {
		for i := range opened {
			clear(opened[i].Value)
		}
	}()
	var wrong error
	for from := 0; from < len(jobs); { // those of one person at a time
		to, row := from, jobs[from].row
		changed := map[slot][]byte{}
		d.mu.Lock()
		for ; to < len(jobs) && jobs[to].row == row; to++ {
			o := opened[to]
			switch {
			case errors.Is(o.Err, domain.ErrErased): // and so is all else of them
				for s := range slots {
					changed[s] = nil
				}
			case o.Err != nil:
				wrong = o.Err
			}
			if d.open && o.Err == nil && d.cards[row].refs[jobs[to].slot] == shortRef(jobs[to].ref) {
				changed[jobs[to].slot] = o.Value
			}
		}
		if len(changed) > 0 {
			d.write(&d.cards[row], changed)
		}
		d.mu.Unlock()
		from = to
	}
	if wrong != nil {
		d.c.Report(fmt.Errorf("open names for the directory: %w", wrong))
	}
	return nil
}
