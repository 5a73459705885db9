package store

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/keydesk/keydesk/domain"
)

// The client reads everything without a filter, or subscribes with one. So
// both ways of reading are subscriptions, which the server filters: first with
// a large window, since it looks at much that it does not send, until it has
// caught up; then with the smallest, so that it says after every record of the
// log how far it is.
const (
	windowMany = 4096
	windowLive = 1
)

const (
	// aheadEvents is how many events are received ahead of the receiver.
	aheadEvents = 2048
	// quiet is after how long a server that does not say when it has caught up
	// is taken to have.
	quiet = 2 * time.Second
	// pulse is how often a follower with nothing to give says that it is at
	// the head.
	pulse = time.Second
	// followPatience is for how long a follower tries to get its subscription
	// back before it says that the log is not available.
	followPatience = 5 * time.Second
	// mutePatience is for how long a server may say nothing that has more to say:
	// its log goes on behind what it has given, or said that it holds back.
	mutePatience = 15 * time.Second
)

// mostInvalid is how many places are tried in a row that the server does not take, before
// it is asked from the start.
const mostInvalid = 8

// errOrder: what a subscription brings is not the order in which things were recorded.
var errOrder = fmt.Errorf("%w: the server gives events again, or in another order than they have", domain.ErrUnavailable)

// errMute: a subscription does not get to where its server says that the log ends.
var errMute = fmt.Errorf("%w: the server does not give all that it says it holds", domain.ErrUnavailable)

// ReadAll gives what a query asks for, up to the last event at the moment of
// the call or Query.Until, in batches. The last of them is Live, and may be empty.
// Batches are received ahead while yield works. An error of yield ends the reading and
// is returned as it is.
func (l *ESDB) ReadAll(ctx context.Context, q domain.Query, yield func(domain.Batch) error) error {
	return readError(l.follow(ctx, q, false, yield))
}

// Follow is ReadAll, and goes on with what is appended from then on, by
// anybody. A subscription that is dropped is resumed where it was. Follow
// returns when ctx ends, when yield fails (its error as it is), or when the
// server stays away for some seconds, gives less than it says it holds or in another order,
// or the log is closed (domain.ErrUnavailable). While nothing happens, an empty batch that is Live
// says every second that this is so.
func (l *ESDB) Follow(ctx context.Context, q domain.Query, yield func(domain.Batch) error) error {
	q.Until = 0
	return readError(l.follow(ctx, q, true, yield))
}

// A reader reads everything for one query.
type esdbReader struct {
	log   *ESDB
	q     domain.Query
	on    bool // after the head
	yield func(domain.Batch) error

	head    domain.Position // when the reading began
	end     domain.Position // the head before this subscription: who has caught up has looked so far
	at      domain.Position // how far it is; q.After may be further
	from    esdb.Position   // the server's own place for that, or one before it
	reached bool            // the head was given
	again   bool            // subscribed again because nothing came, and nothing has come
	heard   time.Time       // when the server last said that nothing is behind that
	window  int
}

func (l *ESDB) follow(ctx context.Context, q domain.Query, on bool, yield func(domain.Batch) error) error {
	if err := l.sessions.enter(); err != nil {
		return err
	}
	defer l.sessions.leave()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	end, err := reading(ctx, l, l.head)
	if err != nil {
		return err
	}
	if q.Until > 0 {
		end = min(end, q.Until)
	}
	r := &esdbReader{log: l, q: q, on: on, yield: yield, head: end, end: end, at: min(q.After, end), window: windowMany}
	r.from = placeOf(r.at)
	if end <= q.After {
		r.reached, r.window = true, windowLive
		if err := r.give(nil, true); err != nil || !on {
			return err
		}
	}
	return r.run(ctx)
}

// give yields events, and that all up to where the reader is was given.
func (r *esdbReader) give(events []domain.Recorded, live bool) error {
	through := max(r.at, r.q.After)
	if r.q.Until > 0 {
		through = min(through, max(r.head, r.q.After))
	}
	if err := r.yield(domain.Batch{Events: events, Through: through, Live: live}); err != nil {
		return yieldError{err}
	}
	return nil
}

// run subscribes, and again when a subscription ends.
func (r *esdbReader) run(ctx context.Context) error {
	wait, since, invalid := backoffFirst, time.Now(), 0
	for {
		before := r.at
		done, err := r.subscribe(ctx)
		r.end = 0
		switch {
		case done:
			return err
		case err == nil: // the same with the other window
			continue
		case errors.Is(err, errOrder), errors.Is(err, errPutBack):
			return err
		case r.at > before, r.heard.After(since):
			wait, since, invalid = backoffFirst, time.Now(), 0
		case invalidPlace(err) && r.from != (esdb.Position{}):
			if r.from = r.log.places.instead(r.from); invalid >= mostInvalid {
				r.from = esdb.Position{}
			}
			invalid++
			continue
		}
		if denied(err) || errors.Is(err, ErrDenied) || time.Since(since) > followPatience {
			return readProblem(ctx, err)
		}
		if err := r.log.wait(ctx, wait); err != nil {
			return err
		}
		wait = min(2*wait, backoffMost)
	}
}

// subscribe gives what one subscription brings. It says whether the reading is
// done; else the error is why the subscription ended, nil when it is time for
// the other window.
func (r *esdbReader) subscribe(ctx context.Context) (done bool, err error) {
	if r.end == 0 {
		if r.end, err = reading(ctx, r.log, r.log.head); err != nil {
			return ctx.Err() != nil || errors.Is(err, errClosed), err
		}
	}
	s, err := r.log.sessions.take(ctx)
	if err != nil {
		return ctx.Err() != nil || errors.Is(err, errClosed), readProblem(ctx, err)
	}
	defer r.log.sessions.leave()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	q := r.q
	q.After = max(q.After, r.at) // from may lie before
	in := newIntake(r.log, q)
	opts := esdb.SubscribeToAllOptions{
		From: esdb.Start{}, MaxSearchWindow: r.window, CheckpointInterval: 1,
		Filter: filterFor(r.log.options.Prefix+r.q.Prefix, r.q.Types),
	}
	if r.from != (esdb.Position{}) {
		opts.From = r.from
	}
	go func() {
		defer r.log.sessions.release(s)
		err := in.receive(ctx, s.client, opts)
		if lost(ctx, err) {
			r.log.sessions.giveUp(s, err)
		}
		in.end(err)
	}()
	return r.takeIn(ctx, in)
}

// takeIn gives what an intake has received, until it ends.
func (r *esdbReader) takeIn(ctx context.Context, in *intake) (done bool, err error) {
	beat := time.NewTicker(pulse)
	defer beat.Stop()
	heads := make(chan domain.Position, 1)
	began, asking := time.Now(), false
	for {
		select {
		case <-in.ready:
		case end := <-heads:
			asking = false
			switch silent := in.silence(); {
			case r.at < end && silent > mutePatience:
				return false, errMute
			case r.at < end && silent > quiet && !r.again:
				// Who falls behind and catches up is not told how far that is.
				r.again = true
				return false, nil
			case end == 0, r.at < end:
				continue
			}
			r.heard = time.Now()
			if err := r.give(nil, true); err != nil {
				return true, err
			}
			continue
		case <-beat.C:
			switch silent := in.silence(); {
			case !in.confirmed() && time.Since(began) > followPatience:
				return false, fmt.Errorf("%w: the server does not answer", domain.ErrUnavailable)
			case r.reached && !asking:
				asking = true
				go func() { heads <- r.log.ask(ctx) }()
			case r.window == windowMany && in.confirmed() && silent > quiet:
				r.window = windowLive // it would have said by now that it has caught up
				return false, nil
			case !r.reached && silent > mutePatience:
				return false, errMute
			}
			continue
		case <-ctx.Done():
		case <-r.log.sessions.closing:
			return true, errClosed
		}
		if ctx.Err() != nil {
			return true, context.Cause(ctx)
		}
		got := in.take()
		switched, err := r.pass(got)
		in.recycle(got.events)
		switch {
		case err != nil, r.reached && !r.on:
			return true, err
		case switched:
			return false, nil
		case got.ended:
			return false, got.err
		}
	}
}

// pass gives what was received. It says whether the head was reached for the
// first time.
func (r *esdbReader) pass(got received) (switched bool, err error) {
	before := r.at
	r.at = max(r.at, got.at)
	r.from = later(r.from, got.place)
	for _, end := range []domain.Position{r.head, r.end} {
		if got.caughtUp || end < got.before {
			r.at = max(r.at, end)
			r.from = later(r.from, placeOf(end))
		}
	}
	if r.at > before {
		r.again = false
	}
	live := got.caughtUp || !r.reached && r.at >= r.head
	if len(got.events) > 0 || r.at > before || live && !r.reached {
		if err := r.give(got.events, live); err != nil {
			return false, err
		}
	}
	if live && !r.reached {
		r.reached = true
		switched = r.window == windowMany
		r.window = windowLive
	}
	return switched, nil
}

// ask returns the position of the last record, 0 when the server does not say.
func (l *ESDB) ask(ctx context.Context) domain.Position {
	ctx, cancel := context.WithTimeout(ctx, pulse)
	defer cancel()
	end, err := reading(ctx, l, l.head)
	if err != nil {
		return 0
	}
	return end
}

// filterFor lets the server send no more than is asked for. It can look at the
// names of streams or at types, not at both; its own streams are never wanted.
func filterFor(prefix string, types []string) *esdb.SubscriptionFilter {
	switch {
	case prefix != "":
		return &esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Prefixes: []string{prefix}}
	case len(types) > 0:
		quoted := make([]string, len(types))
		for i, t := range types {
			quoted[i] = regexp.QuoteMeta(t)
		}
		return &esdb.SubscriptionFilter{Type: esdb.EventFilterType, Regex: "^(" + strings.Join(quoted, "|") + ")$"}
	}
	return &esdb.SubscriptionFilter{Type: esdb.StreamFilterType, Regex: `^[^\$]`}
}
