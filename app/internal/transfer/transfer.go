// Package transfer copies a log into another one: the same events in the same
// order, with their ids, metadata and times. A copy that was broken off goes on
// where it was, which it finds out by walking both logs; and what was copied is
// compared at the end.
//
// It knows the domain alone: logs reach it through Log. Start reading at Copy.
package transfer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keydesk/keydesk/domain"
)

// Log is what a log has to be able to do. *store.SQLite and *store.ESDB can.
type Log interface {
	ReadAll(ctx context.Context, q domain.Query, yield func(domain.Batch) error) error
	Head(ctx context.Context) (domain.Position, error)
	Import(ctx context.Context, stream string, expected domain.Revision, events ...domain.Recorded) (domain.Appended, error)
}

// An importer is a log that takes events of many streams at once, in the order in which
// they are given; see store.SQLite.ImportAll. One by one, each run of events of one stream
// would wait for the disk.
type importer interface {
	ImportAll(ctx context.Context, events []domain.Recorded) error
}

// Options are what a copy needs beside the logs. The zero Options will do.
type Options struct {
	// MaxAge says by the beginning of streams' names for how long events are
	// kept. What is older is neither copied nor compared, and neither is what
	// will be so before long, so that the copy does not depend on the moment.
	MaxAge map[string]time.Duration
	// Now is the moment by which they are too old; the zero time: when the copy begins, by
	// the clock, be it right or not.
	Now time.Time
	// Skip are beginnings of the names of streams that are no part of the log.
	Skip []string
	// Progress is told how far the work is, after every batch. It may be nil.
	Progress func(Progress)
}

// A Phase is a part of the work.
type Phase string

// The phases, in their order. Nothing is written in the first and the last.
const (
	Finding  Phase = "find out what is there"
	Copying  Phase = "copy"
	Checking Phase = "check"
)

// Progress says how far a phase is: it has seen so many events, up to a
// position of the source's, whose head is at another one.
type Progress struct {
	Phase    Phase
	Events   int64
	At, Head domain.Position
}

// A Result is what became of a copy, as far as it went.
type Result struct {
	Found   int64 // events that were there already
	Copied  int64
	Late    int64 // of Copied: recorded in the source while the copy ran
	Checked int64
}

// ErrDiffers says that the target is no copy of the source.
var ErrDiffers = errors.New("the target differs from the source")

// ErrWrittenTo says that somebody else wrote to the target meanwhile.
var ErrWrittenTo = errors.New("somebody else writes to the target")

// Copy makes the target hold what the source holds, and checks it. A target
// that begins as the source does is completed; one that holds anything else is
// left alone, with ErrDiffers and the first position that does. A source that
// grows meanwhile is followed until it stands still.
//
// After an error, or when the program was killed, Copy goes on where it was.
func Copy(ctx context.Context, source, target Log, o Options) (Result, error) {
	c := newCopier(source, target, o)
	err := c.copy(ctx)
	if err == nil {
		err = c.check(ctx)
	}
	return c.result, err
}

// Check compares two logs, and writes to neither.
func Check(ctx context.Context, source, target Log, o Options) (Result, error) {
	c := newCopier(source, target, o)
	err := c.check(ctx)
	return c.result, err
}

// A copier is one copy on its way.
type copier struct {
	source, target Log
	o              Options
	result         Result

	head  domain.Position            // the source's
	at    domain.Position            // up to where the source was copied
	moved []domain.Recorded          // as they will stand in the target; reused
	shift map[string]domain.Revision // by how much a stream's revisions are lower in the target: see revisionFits
}

func newCopier(source, target Log, o Options) *copier {
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	return &copier{source: source, target: target, o: o, shift: map[string]domain.Revision{}}
}

func (c *copier) copy(ctx context.Context) error {
	for pass := 1; ; pass++ {
		n, err := c.pass(ctx, pass == 1)
		if pass > 1 {
			c.result.Late += n
		}
		if err != nil || pass > 1 && n == 0 {
			return err
		}
	}
}

// pass copies what stands behind c.at, and returns how many events that were.
// The first one finds out before that what the target holds.
func (c *copier) pass(ctx context.Context, first bool) (n int64, err error) {
	if c.head, err = c.source.Head(ctx); err != nil {
		return 0, fmt.Errorf("the source: %w", err)
	}
	from := c.walk(ctx, "the source", c.source, c.at)
	defer from.stop()
	if first {
		if err := c.find(ctx, from); err != nil {
			return 0, err
		}
	}
	for {
		events, err := from.rest()
		if err != nil || len(events) == 0 {
			return n, err
		}
		for len(events) > 0 {
			group, err := c.putNext(ctx, events)
			if err != nil {
				return n, err
			}
			n += int64(len(group))
			c.result.Copied += int64(len(group))
			c.at = group[len(group)-1].Position
			events = events[len(group):]
		}
		c.tell(Copying, c.result.Copied)
	}
}

// find walks along the target, and leaves from where the target ends.
func (c *copier) find(ctx context.Context, from *walker) error {
	to := c.walk(ctx, "the target", c.target, 0)
	defer to.stop()
	for {
		t, err := to.next()
		if err != nil || t == nil {
			return err
		}
		s, err := from.next()
		if err != nil {
			return err
		}
		if err := c.compare(s, t); err != nil {
			return err
		}
		c.at = s.Position
		if c.result.Found++; c.result.Found%tellEvery == 0 {
			c.tell(Finding, c.result.Found)
		}
	}
}

// check compares both logs, up to where the source was copied, or else whole.
func (c *copier) check(ctx context.Context) (err error) {
	until := c.at
	if c.head, err = c.source.Head(ctx); err != nil {
		return fmt.Errorf("the source: %w", err)
	}
	from, to := c.walk(ctx, "the source", c.source, 0), c.walk(ctx, "the target", c.target, 0)
	defer from.stop()
	defer to.stop()
	clear(c.shift)
	for {
		s, err := from.next()
		if err != nil {
			return err
		}
		if s != nil && until > 0 && s.Position > until {
			s = nil
		}
		t, err := to.next()
		if err != nil {
			return err
		}
		if s == nil && t == nil {
			c.tell(Checking, c.result.Checked)
			return nil
		}
		if err := c.compare(s, t); err != nil {
			return err
		}
		c.at = s.Position
		if c.result.Checked++; c.result.Checked%tellEvery == 0 {
			c.tell(Checking, c.result.Checked)
		}
	}
}

// tellEvery is after how many events that are only read progress is told.
const tellEvery = 1000

func (c *copier) tell(p Phase, events int64) {
	if c.o.Progress != nil {
		c.o.Progress(Progress{Phase: p, Events: events, At: c.at, Head: c.head})
	}
}

// A group is appended at once: consecutive events of one stream, so that the
// order of the whole log stays.
const (
	groupEvents = 500
	groupBytes  = 512 << 10 // half of what a server takes: it is sent a little more than this
)

// groupOf returns how many events, at least one, are the next group.
func groupOf(events []domain.Recorded) int {
	size := 0
	for i := range events {
		size += len(events[i].Data) + len(events[i].Metadata)
		if i > 0 && (events[i].Stream != events[0].Stream || i == groupEvents || size > groupBytes) {
			return i
		}
	}
	return len(events)
}

// For how long a target that is away is waited for, and the first wait.
const (
	patience  = time.Minute
	firstWait = 100 * time.Millisecond
)

// putNext appends the first of some events, and returns which.
func (c *copier) putNext(ctx context.Context, events []domain.Recorded) ([]domain.Recorded, error) {
	if ctx.Err() != nil {
		return nil, fmt.Errorf("the target: %w", context.Cause(ctx))
	}
	target, ok := c.target.(importer)
	if n := c.placed(events); ok && n > 0 {
		return events[:n], c.putAll(ctx, target, events[:n])
	}
	group := events[:groupOf(events)]
	return group, c.put(ctx, group)
}

// placed returns of how many events it is known which revision they have in the target.
func (c *copier) placed(events []domain.Recorded) int {
	for i := range events {
		if _, known := c.shift[events[i].Stream]; !known && c.maxAge(events[i].Stream) > 0 {
			return i
		}
	}
	return len(events)
}

// putAll appends events that are placed. It is not stopped in the middle: they are the
// source's again when it returns.
func (c *copier) putAll(ctx context.Context, target importer, events []domain.Recorded) error {
	c.moved = append(c.moved[:0], events...)
	for i := range c.moved {
		c.moved[i].Revision -= c.shift[c.moved[i].Stream]
	}
	return c.patiently(ctx, events[0].Position, func() error { return target.ImportAll(context.WithoutCancel(ctx), c.moved) })
}

// put appends one group, with the same ids and expectation until it is known to
// be there.
func (c *copier) put(ctx context.Context, group []domain.Recorded) error {
	stream, first := group[0].Stream, group[0].Revision
	aged := c.maxAge(stream) > 0
	shift, known := c.shift[stream]
	if aged && !known {
		shift = first // what stood before it is gone
	}
	expected := first - shift - 1
	return c.patiently(ctx, group[0].Position, func() error {
		_, err := c.target.Import(ctx, stream, expected, group...)
		if conflict, ok := errors.AsType[*domain.Conflict](err); ok && aged && !known && conflict.Actual > expected {
			// An earlier run copied events that are too old to be given by now.
			known, expected = true, conflict.Actual
			_, err = c.target.Import(ctx, stream, expected, group...)
		}
		if err == nil && aged {
			c.shift[stream] = first - expected - 1
		}
		return err
	})
}

// patiently does again what fails since the target is away, for some time. at is the
// source's position.
func (c *copier) patiently(ctx context.Context, at domain.Position, do func() error) error {
	wait, began := firstWait, time.Now()
	for {
		err := do()
		switch {
		case err == nil:
			return nil
		case errors.Is(err, domain.ErrConflict):
			return fmt.Errorf("%w: at the source's position %d or behind it: %w", ErrWrittenTo, at, err)
		case !errors.Is(err, domain.ErrUnavailable) && !errors.Is(err, domain.ErrUnknownOutcome), time.Since(began) > patience:
			return fmt.Errorf("the target: at the source's position %d or behind it: %w", at, err)
		}
		select {
		case <-time.After(wait):
			wait = min(2*wait, 2*time.Second)
		case <-ctx.Done():
			return fmt.Errorf("the target: %w", err)
		}
	}
}
