package lookup

import (
	"cmp"
	"container/heap"
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/sse"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/projections/factor"
)

// page is how many people one answer holds at most.
const page = 1000

// settle is how long a stream lets changes gather before it tells them.
const settle = 10 * time.Millisecond

// Changes is a part of what changed.
type Changes struct {
	Factors []Factor `json:"factors" doc:"Each person as they are now. Whoever is parked is told as \"unknown\": a factor that was told before must not be used."`
	Next    uint64   `json:"next" doc:"Where to go on."`
	More    bool     `json:"more" doc:"There is more behind it already."`
	Demo    bool     `json:"demo,omitempty" doc:"This is a demo: nobody is real."`
}

type since struct {
	After uint64 `query:"after" maximum:"9007199254740991" doc:"Only what happened behind this position."`
	Limit int    `query:"limit" default:"1000" minimum:"1" maximum:"1000" doc:"So many people at most."`
}

type changed struct{ Body Changes }

func (h *Handler) changes(ctx context.Context, q *since) (*changed, error) {
	if p := h.fresh(); p != nil {
		return nil, p
	}
	if err := h.known(ctx, q.After); err != nil {
		return nil, err
	}
	c, err := h.after(ctx, domain.Position(q.After), q.Limit)
	if err != nil {
		return nil, err
	}
	return &changed{c}, nil
}

// known refuses a position that this server has not reached: of what lies before
// it, it cannot say that it is not news.
func (h *Handler) known(ctx context.Context, at uint64) error {
	if at == 0 {
		return nil
	}
	return h.reach(ctx, domain.Position(at))
}

// after returns the people to whom something happened after a position, those
// first to whom the last thing happened first. Somebody to whom something happens
// meanwhile moves behind: nobody is left out, and at the end everybody was told
// as they are.
func (h *Handler) after(ctx context.Context, at domain.Position, limit int) (Changes, error) {
	select {
	case h.walks <- struct{}{}:
		defer func() { <-h.walks }()
	case <-ctx.Done():
		return Changes{}, problem(http.StatusServiceUnavailable, CodeUnavailable, "the request was given up")
	}
	through := h.c.Factors.Position() // first: the snapshot holds at least that
	snapshot := h.c.Factors.Snapshot()
	through = max(through, snapshot.Position())
	first, more := make(earliest, 0, limit+1), false
	snapshot.Changed(at, func(a factor.Answer) bool {
		a.Through = through
		if len(first) < limit {
			heap.Push(&first, a)
			return true
		}
		more = true
		if a.Position < first[0].Position {
			first[0] = a
			heap.Fix(&first, 0)
		}
		return true
	})
	slices.SortFunc(first, func(a, b factor.Answer) int { return cmp.Compare(a.Position, b.Position) })
	c := Changes{Factors: []Factor{}, Next: uint64(max(at, through)), More: more, Demo: h.c.Demo}
	if more {
		c.Next = uint64(first[limit-1].Position)
	}
	for _, a := range first {
		c.Factors = append(c.Factors, h.shape(a))
	}
	return c, nil
}

// walksAtOnce is how many walks over everybody there may be: each holds up what
// the log brings, a little.
const walksAtOnce = 4

// earliest is a heap of the answers with the lowest positions, the highest of
// them on top.
type earliest []factor.Answer

func (e earliest) Len() int           { return len(e) }
func (e earliest) Less(i, j int) bool { return e[i].Position > e[j].Position }
func (e earliest) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *earliest) Push(a any)        { *e = append(*e, a.(factor.Answer)) }
func (e *earliest) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

// Alive says how far a stream has told everything.
type Alive struct {
	Through uint64 `json:"through" doc:"Everything up to here has been told."`
}

type resumed struct {
	After       uint64 `query:"after" maximum:"9007199254740991" doc:"Only what happens behind this position."`
	LastEventID string `header:"Last-Event-ID" doc:"The id of the last event that was received; it comes before \"after\"."`
}

const streamID = "factors-stream"

func (h *Handler) registerStream(scope []map[string][]string, refusals []int) {
	sse.Register(h.api, huma.Operation{
		OperationID: streamID, Method: http.MethodGet, Path: "/v1/factors/stream", Security: scope, Errors: refusals,
		Middlewares: huma.Middlewares{h.onlyFresh},
		Tags:        []string{"changes"}, Summary: "The same, as it happens",
		Description: "Server-sent events. `factor` tells somebody as they are now; its id is the position with which to go on after a broken " +
			"connection, as browsers do by themselves. `alive` comes when nothing happens. The stream ends when this server cannot tell any more.",
	}, map[string]any{"factor": Factor{}, "alive": Alive{}}, h.stream)
}

// stream tells changes until the client leaves or is let in no more, or what it
// would tell is not to be relied upon.
func (h *Handler) stream(ctx context.Context, q *resumed, send sse.Sender) {
	at := domain.Position(q.After)
	if id, err := strconv.ParseUint(q.LastEventID, 10, 64); err == nil {
		at = domain.Position(id)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-h.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	if at > maxPosition || h.known(ctx, uint64(at)) != nil {
		return // of what lies before it, nothing is known here
	}
	for h.tells(ctx) {
		c, err := h.after(ctx, at, page)
		if err != nil {
			return
		}
		for i, f := range c.Factors {
			if i%50 == 49 && !h.tells(ctx) { // a slow reader makes a page old
				return
			}
			if send(sse.Message{ID: int(f.Position), Data: f}) != nil { //nolint:gosec // G115: a position is below maxPosition
				return
			}
		}
		at = domain.Position(c.Next)
		if !c.More && !h.wait(ctx, at, send) {
			return
		}
	}
}

// maxPosition is the greatest that a number in JSON holds everywhere.
const maxPosition = 1<<53 - 1

// tells says whether a stream may go on.
func (h *Handler) tells(ctx context.Context) bool {
	return ctx.Err() == nil && h.fresh() == nil && h.still(ctx)
}

// wait waits until the log goes on behind a position, and says meanwhile that
// the stream is alive.
func (h *Handler) wait(ctx context.Context, at domain.Position, send sse.Sender) bool {
	for said := (time.Time{}); h.tells(ctx); {
		if time.Since(said) >= h.c.Beat {
			if send(sse.Message{ID: int(at), Data: Alive{uint64(at)}}) != nil { //nolint:gosec // G115: see stream
				return false
			}
			said = time.Now()
		}
		step, cancel := context.WithTimeout(ctx, min(h.c.Beat, time.Second))
		err := h.c.Feed.Reach(step, at+1)
		cancel()
		if err == nil {
			time.Sleep(settle)
			return true
		}
	}
	return false
}
