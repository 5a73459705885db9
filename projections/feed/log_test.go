package feed_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/keydesk/keydesk/domain"
)

// memory is a log that can fail in the ways that logs do. The memory of a
// batch is spoilt as soon as the receiver returns, as its contract allows.
type memory struct {
	mu       sync.Mutex
	events   []domain.Recorded
	appended chan struct{} // closed at the next append
	failure  error         // of every call
	deaf     bool          // Follow brings nothing any more, and does not say so
	follows  int
	stop     context.CancelCauseFunc // of the present Follow
}

func newMemory(events ...domain.Recorded) *memory {
	return &memory{events: events, appended: make(chan struct{})}
}

func (m *memory) append(events ...domain.Recorded) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.events = append(m.events, events...)
	close(m.appended)
	m.appended = make(chan struct{})
}

// set changes how the log behaves. A failure also ends a Follow that is under
// way.
func (m *memory) set(failure error, deaf bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failure, m.deaf = failure, deaf
	if failure != nil && m.stop != nil {
		m.stop(failure)
	}
}

func (m *memory) followed() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.follows
}

func (m *memory) ReadAll(ctx context.Context, q domain.Query, yield func(domain.Batch) error) error {
	m.mu.Lock()
	events, failure := m.events, m.failure
	m.mu.Unlock()
	if failure != nil {
		return failure
	}
	return read(ctx, events, &q, yield)
}

func (m *memory) Follow(ctx context.Context, q domain.Query, yield func(domain.Batch) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	m.mu.Lock()
	m.follows++
	m.stop = cancel
	m.deaf = false // a new Follow hears again
	m.mu.Unlock()
	dead := false
	for first := true; ; first = false {
		m.mu.Lock()
		events, appended, failure := m.events, m.appended, m.failure
		dead = dead || m.deaf
		m.mu.Unlock()
		if failure != nil {
			return failure
		}
		if more := len(events) > 0 && events[len(events)-1].Position > q.After; !dead && (first || more) {
			if err := read(ctx, events, &q, yield); err != nil {
				return err
			}
		}
		select {
		case <-appended:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func read(ctx context.Context, events []domain.Recorded, q *domain.Query, yield func(domain.Batch) error) error {
	const atOnce = 3
	for {
		b := domain.Batch{Through: q.After, Live: true}
		for i := range events {
			switch e := events[i]; {
			case e.Position <= q.After:
				continue
			case len(b.Events) == atOnce:
				b.Live = false
			case strings.HasPrefix(e.Stream, q.Prefix) && (len(q.Types) == 0 || slices.Contains(q.Types, e.Type)):
				if e.Data = bytes.Clone(e.Data); !q.Metadata {
					e.ID, e.Metadata = domain.EventID{}, nil
				}
				b.Events = append(b.Events, e)
				fallthrough
			default:
				b.Through = e.Position
			}
			if !b.Live {
				break
			}
		}
		if err := yield(b); err != nil {
			return err
		}
		for i := range b.Events {
			clear(b.Events[i].Data)
		}
		clear(b.Events)
		if q.After = b.Through; b.Live || ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}
