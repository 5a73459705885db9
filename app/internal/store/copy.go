package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/keydesk/keydesk/domain"
)

// ErrDiffers says that a log to copy to holds something that the other one does
// not, or not there. Nothing was changed because of it.
var ErrDiffers = errors.New("the logs differ")

// A Target is a log that takes over what another one recorded. *SQLite and
// *ESDB are.
type Target interface {
	Log
	Import(ctx context.Context, stream string, expected domain.Revision, events ...domain.Recorded) (domain.Appended, error)
}

// CopyPhase is what a copy is doing.
type CopyPhase string

// The phases.
const (
	Comparing CopyPhase = "comparing" // what the target holds already, from an earlier try
	Copying   CopyPhase = "copying"
	Verifying CopyPhase = "verifying" // both, from the first event to the last
)

// Progress says how far a copy is. Positions are those of the log that is read.
type Progress struct {
	Phase  CopyPhase
	Events int // done in this phase
	At, Of domain.Position
}

// Copy copies all events of a log to another one, in their order, with their
// streams, revisions, ids, bytes and times. What the target holds already of
// them is left as it is: so a copy that was interrupted, at whatever point, goes
// on where it was. A target that holds anything else is ErrDiffers. Copy ends
// when the source has stood still for a whole pass, and returns how many events
// it copied; they are on disk. The source should not be written to any more.
func Copy(ctx context.Context, from Log, to Target, tell func(Progress)) (copied int, err error) {
	after, err := Compare(ctx, from, to, Comparing, tell)
	if err != nil {
		return 0, err
	}
	for {
		n, at, err := copyAfter(ctx, from, to, after, copied, tell)
		copied += n
		if err != nil || n == 0 {
			return copied, err
		}
		after = at
	}
}

// Compare reads both logs side by side for as long as the second one has events,
// and returns the source's position up to which they are the same; ErrDiffers
// says where they are not. For the whole of both, see Verify.
func Compare(ctx context.Context, from, to Log, phase CopyPhase, tell func(Progress)) (same domain.Position, err error) {
	source, stop := iter.Pull2(events(ctx, from, 0))
	defer stop()
	p := Progress{Phase: phase}
	if p.Of, err = from.Head(ctx); err != nil {
		return 0, err
	}
	for there, err := range events(ctx, to, 0) {
		if err != nil {
			return same, fmt.Errorf("read the target: %w", err)
		}
		want, err, ok := source()
		switch {
		case err != nil:
			return same, fmt.Errorf("read the source: %w", err)
		case !ok:
			return same, fmt.Errorf("%w: the target holds more, first at position %d: %s of %s", ErrDiffers, there.Position, there.Type, there.Stream)
		}
		if what := difference(want, there); what != "" {
			return same, fmt.Errorf("%w: in %s of the event at position %d of the source and %d of the target", ErrDiffers, what, want.Position, there.Position)
		}
		same = want.Position
		p.Events++
		p.At = same
		tell(p)
	}
	return same, nil
}

// Verify reads both logs from the first event to the last, and returns how many
// they have, or where they differ.
func Verify(ctx context.Context, from, to Log, tell func(Progress)) (n int, err error) {
	same, err := Compare(ctx, from, to, Verifying, func(p Progress) { n = p.Events; tell(p) })
	if err != nil {
		return n, err
	}
	for e, err := range events(ctx, from, same) {
		if err != nil {
			return n, fmt.Errorf("read the source: %w", err)
		}
		return n, fmt.Errorf("%w: the target lacks the event at position %d of the source: %s of %s", ErrDiffers, e.Position, e.Type, e.Stream)
	}
	return n, nil
}

// difference names what is not the same of two events; empty: nothing. A log
// may keep times to the microsecond only.
func difference(a, b *domain.Recorded) string {
	switch {
	case a.Stream != b.Stream:
		return "the stream"
	case a.Revision != b.Revision:
		return "the revision"
	case a.ID != b.ID:
		return "the id"
	case a.Type != b.Type:
		return "the type"
	case !bytes.Equal(a.Data, b.Data):
		return "the data"
	case !bytes.Equal(a.Metadata, b.Metadata):
		return "the metadata"
	case a.Recorded.UnixMicro() != b.Recorded.UnixMicro():
		return "the time of recording"
	}
	return ""
}

// errStop ends a reading of which no more is wanted.
var errStop = errors.New("no more is wanted")

// events gives what a log holds after a position, one by one. Each is the
// reader's until the next one.
func events(ctx context.Context, l Log, after domain.Position) iter.Seq2[*domain.Recorded, error] {
	return func(yield func(*domain.Recorded, error) bool) {
		err := l.ReadAll(ctx, domain.Query{After: after, Metadata: true}, func(b domain.Batch) error {
			for i := range b.Events {
				if !yield(&b.Events[i], nil) {
					return errStop
				}
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStop) {
			yield(nil, err)
		}
	}
}

// The events of one append of a copy: that follow each other in one stream, and
// no more than so many, of so many bytes.
const (
	groupEvents = 500
	groupBytes  = MaxAppend / 4
)

// A group is what one append of a copy takes.
type group struct {
	events []domain.Recorded
	err    error
}

// copyAfter copies what the source holds now after a position. It reads ahead;
// what it writes comes one after the other, since the order of all events is
// part of what is copied.
func copyAfter(ctx context.Context, from Log, to Target, after domain.Position, before int, tell func(Progress)) (n int, at domain.Position, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := Progress{Phase: Copying, Events: before}
	if p.Of, err = from.Head(ctx); err != nil {
		return 0, after, err
	}
	groups := make(chan group, 8)
	go gatherGroups(ctx, from, after, groups)
	at = after
	for g := range groups {
		if g.err != nil {
			return n, at, fmt.Errorf("read the source: %w", g.err)
		}
		first, last := &g.events[0], &g.events[len(g.events)-1]
		_, err := to.Import(ctx, first.Stream, first.Revision-1, g.events...)
		switch {
		case errors.Is(err, domain.ErrUnknownOutcome): // the same again is the same
			_, err = to.Import(ctx, first.Stream, first.Revision-1, g.events...)
		case errors.Is(err, domain.ErrConflict) && first.Revision > 0:
			err = fmt.Errorf("%w: %s begins at revision %d here, older ones are gone: it cannot be copied with its revisions", ErrDiffers, first.Stream, first.Revision)
		}
		if err != nil {
			return n, at, fmt.Errorf("at position %d of the source: %w", first.Position, err)
		}
		n, at = n+len(g.events), last.Position
		p.Events, p.At = before+n, at
		tell(p)
	}
	return n, at, context.Cause(ctx)
}

// gatherGroups sends the groups of a log after a position, and closes the channel.
func gatherGroups(ctx context.Context, l Log, after domain.Position, to chan<- group) {
	defer close(to)
	var g group
	size := 0
	send := func() bool {
		if len(g.events) == 0 && g.err == nil {
			return true
		}
		select {
		case to <- g:
			g, size = group{}, 0
			return true
		case <-ctx.Done():
			return false
		}
	}
	for e, err := range events(ctx, l, after) {
		if err != nil {
			g = group{err: err}
			break
		}
		if k := len(g.events); k > 0 {
			last := &g.events[k-1]
			if last.Stream != e.Stream || last.Revision+1 != e.Revision || k == groupEvents || size+len(e.Data)+len(e.Metadata) > groupBytes {
				if !send() {
					return
				}
			}
		}
		kept := *e
		kept.Data, kept.Metadata = slices.Clone(e.Data), slices.Clone(e.Metadata)
		g.events = append(g.events, kept)
		size += len(kept.Data) + len(kept.Metadata)
	}
	send()
}
