package transfer

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/keydesk/keydesk/domain"
)

// A walker reads a log in order. The log reads ahead while its events are
// looked at.
type walker struct {
	name    string
	batches chan []domain.Recorded
	taken   chan struct{} // the last batch was worked through
	cancel  context.CancelFunc
	err     error // once batches is closed

	batch []domain.Recorded // what is left of the last one
	given bool              // taken has to be told
}

// walk begins to read a log behind a position.
func (c *copier) walk(ctx context.Context, name string, log Log, after domain.Position) *walker {
	ctx, cancel := context.WithCancel(ctx)
	w := &walker{name: name, batches: make(chan []domain.Recorded), taken: make(chan struct{}), cancel: cancel}
	var kept []domain.Recorded
	go func() {
		defer close(w.batches)
		w.err = log.ReadAll(ctx, domain.Query{After: after, Metadata: true, Expired: true}, func(b domain.Batch) error {
			kept = kept[:0]
			for _, e := range b.Events {
				if !c.passedOver(&e) {
					kept = append(kept, e)
				}
			}
			if len(kept) == 0 {
				return ctx.Err()
			}
			select {
			case w.batches <- kept:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			select { // the events are the log's again when this returns
			case <-w.taken:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		})
	}()
	return w
}

// stop ends the reading, and waits until it has ended.
func (w *walker) stop() {
	w.cancel()
	for range w.batches { // until it is closed
	}
}

// rest returns what is left of a batch, or else the next one; none at the end.
// They are good until the next call.
func (w *walker) rest() ([]domain.Recorded, error) {
	if len(w.batch) == 0 && !w.fetch() {
		return nil, w.failure()
	}
	events := w.batch
	w.batch = nil
	return events, nil
}

// next returns the next event; nil at the end. It is good until the next call.
func (w *walker) next() (*domain.Recorded, error) {
	if len(w.batch) == 0 && !w.fetch() {
		return nil, w.failure()
	}
	e := &w.batch[0]
	w.batch = w.batch[1:]
	return e, nil
}

// fetch waits for a batch. It says whether there is one.
func (w *walker) fetch() (ok bool) {
	if w.given {
		w.given = false
		select {
		case w.taken <- struct{}{}:
		case w.batch, ok = <-w.batches: // it has ended meanwhile
			return ok
		}
	}
	w.batch, ok = <-w.batches
	w.given = ok
	return ok
}

func (w *walker) failure() error {
	if w.err != nil {
		return fmt.Errorf("%s: %w", w.name, w.err)
	}
	return nil
}

// soon is how long before it is too old an event is passed over: longer than a
// copy takes.
const soon = time.Hour

// passedOver says that an event is neither copied nor compared.
func (c *copier) passedOver(e *domain.Recorded) bool {
	for _, skip := range c.o.Skip {
		if strings.HasPrefix(e.Stream, skip) {
			return true
		}
	}
	age := c.maxAge(e.Stream)
	return age > 0 && c.o.Now.Sub(e.Recorded) > age-soon
}

// maxAge returns for how long a stream's events are kept; 0: for ever.
func (c *copier) maxAge(stream string) (age time.Duration) {
	longest := -1
	for prefix, a := range c.o.MaxAge {
		if strings.HasPrefix(stream, prefix) && len(prefix) > longest {
			longest, age = len(prefix), a
		}
	}
	return age
}

// compare says how an event of the target differs from that of the source that
// has to stand there. Either may be nil: then its log has ended.
func (c *copier) compare(s, t *domain.Recorded) error {
	what := ""
	switch {
	case t == nil:
		return fmt.Errorf("%w: it ends before the source's position %d", ErrDiffers, s.Position)
	case s == nil:
		return fmt.Errorf("%w: it goes on at its position %d, where the source has ended", ErrDiffers, t.Position)
	case s.Stream != t.Stream:
		what = "the stream"
	case s.ID != t.ID:
		what = "the id"
	case !c.revisionFits(s, t):
		what = "the revision"
	case s.Type != t.Type:
		what = "the type"
	case !bytes.Equal(s.Data, t.Data):
		what = "the data"
	case !bytes.Equal(s.Metadata, t.Metadata):
		what = "the metadata"
	case !sameTime(s.Recorded, t.Recorded):
		what = "the time of recording"
	default:
		return nil
	}
	return fmt.Errorf("%w: %s at its position %d is another one than at the source's position %d",
		ErrDiffers, what, t.Position, s.Position)
}

// revisionFits says whether an event has its place in its stream. Where the
// beginning of a stream was too old to be copied, the rest is counted from 0.
func (c *copier) revisionFits(s, t *domain.Recorded) bool {
	if c.maxAge(s.Stream) == 0 {
		return s.Revision == t.Revision
	}
	shift, known := c.shift[s.Stream]
	if !known {
		shift = s.Revision - t.Revision
		c.shift[s.Stream] = shift
	}
	return s.Revision-t.Revision == shift
}

// sameTime compares times as far as every log keeps them: the embedded one does
// to the microsecond.
func sameTime(a, b time.Time) bool {
	return a.Truncate(time.Microsecond).Equal(b.Truncate(time.Microsecond))
}
