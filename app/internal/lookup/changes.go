package lookup

import (
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
	After uint64 `query:"after" doc:"Only what happened behind this position."`
	Limit int    `query:"limit" default:"1000" minimum:"1" maximum:"1000" doc:"So many people at most."`
}

type changed struct{ Body Changes }

func (h *Handler) changes(_ context.Context, q *since) (*changed, error) {
	if p := h.fresh(); p != nil {
		return nil, p
	}
	return &changed{h.after(domain.Position(q.After), q.Limit)}, nil
}

// after returns the people to whom something happened after a position, those
// first to whom the last thing happened first. Somebody to whom something happens
// meanwhile moves behind: nobody is left out, and at the end everybody was told
// as they are.
func (h *Handler) after(at domain.Position, limit int) Changes {
	through := h.c.Factors.Position() // first: the snapshot holds at least that
	snapshot := h.c.Factors.Snapshot()
	through = max(through, snapshot.Position())
	var all []factor.Answer
	snapshot.Changed(at, func(a factor.Answer) bool {
		a.Through = through
		all = append(all, a)
		return true
	})
	slices.SortFunc(all, func(a, b factor.Answer) int {
		switch {
		case a.Position < b.Position:
			return -1
		case a.Position > b.Position:
			return 1
		}
		return 0
	})
	c := Changes{Factors: []Factor{}, Next: uint64(max(at, through)), Demo: h.c.Demo}
	if len(all) > limit {
		all = all[:limit]
		c.More, c.Next = true, uint64(all[limit-1].Position)
	}
	for _, a := range all {
		c.Factors = append(c.Factors, h.shape(a))
	}
	return c
}

// Alive says how far a stream has told everything.
type Alive struct {
	Through uint64 `json:"through" doc:"Everything up to here has been told."`
}

type resumed struct {
	After       uint64 `query:"after" doc:"Only what happens behind this position."`
	LastEventID string `header:"Last-Event-ID" doc:"The id of the last event that was received; it comes before \"after\"."`
}

func (h *Handler) registerStream(scope []map[string][]string, refusals []int) {
	sse.Register(h.api, huma.Operation{
		OperationID: "factors-stream", Method: http.MethodGet, Path: "/v1/factors/stream", Security: scope, Errors: refusals,
		Tags: []string{"changes"}, Summary: "The same, as it happens",
		Description: "Server-sent events. `factor` tells somebody as they are now; its id is the position with which to go on after a broken " +
			"connection, as browsers do by themselves. `alive` comes when nothing happens. The stream ends when this server cannot tell any more.",
	}, map[string]any{"factor": Factor{}, "alive": Alive{}}, h.stream)
}

// stream tells changes until the client leaves, or what it would tell is not to
// be relied upon.
func (h *Handler) stream(ctx context.Context, q *resumed, send sse.Sender) {
	at := domain.Position(q.After)
	if id, err := strconv.ParseUint(q.LastEventID, 10, 64); err == nil {
		at = domain.Position(id)
	}
	for h.fresh() == nil {
		c := h.after(at, page)
		for _, f := range c.Factors {
			if send(sse.Message{ID: int(f.Position), Data: f}) != nil { //nolint:gosec // G115: a position is far below 2^63
				return
			}
		}
		at = domain.Position(c.Next)
		if !c.More && !h.wait(ctx, at, send) {
			return
		}
	}
}

// wait waits until the log goes on behind a position, and says meanwhile that
// the stream is alive.
func (h *Handler) wait(ctx context.Context, at domain.Position, send sse.Sender) bool {
	for {
		if send(sse.Message{ID: int(at), Data: Alive{uint64(at)}}) != nil { //nolint:gosec // G115: see stream
			return false
		}
		beat, cancel := context.WithTimeout(ctx, h.c.Beat)
		err := h.c.Feed.Reach(beat, at+1)
		cancel()
		if ctx.Err() != nil || h.fresh() != nil {
			return false
		}
		if err == nil {
			time.Sleep(settle)
			return true
		}
	}
}
