package esdbtest

import (
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// liveBuffer is how much waits for a subscriber that is live. Who has more to
// come than that has fallen behind, and catches up from what is recorded.
const liveBuffer = 32

// A subscription tells its subscriber first that it is there, then what is
// recorded, that this was all, and what is new. It ends with an error.
type subscription struct {
	*reader
	drop <-chan struct{} // closed to end it
	said int             // what had been said about streams when the rights were looked at
}

func (r *reader) subscribe() (*subscription, error) {
	s := &subscription{reader: r, drop: r.s.faults.dropped()}
	return s, r.call.Send(&streams.ReadResp{Content: &streams.ReadResp_Confirmation{
		Confirmation: &streams.ReadResp_SubscriptionConfirmation{SubscriptionId: uuid.NewString()},
	}})
}

func (s *subscription) caughtUp() error {
	return s.call.Send(&streams.ReadResp{Content: &streams.ReadResp_CaughtUp_{CaughtUp: &streams.ReadResp_CaughtUp{}}})
}

// fellBehind tells so, as servers from 25.0 on do; older ones know it and say
// nothing.
func (s *subscription) fellBehind() error {
	return s.call.Send(&streams.ReadResp{Content: &streams.ReadResp_FellBehind_{FellBehind: &streams.ReadResp_FellBehind{}}})
}

// goesOn returns the error of a subscription that has to end.
func (s *subscription) goesOn() error {
	select {
	case <-s.drop:
		return status.Error(codes.Aborted, "Operation timed out: subscription dropped")
	case <-s.call.Context().Done():
		return status.FromContextError(s.call.Context().Err()).Err()
	default:
	}
	said := s.s.log.statements()
	if said == s.said {
		return nil
	}
	s.said = said
	return s.s.allow(s.call, s.groups, reading, s.stream)
}

// wait waits for the next append.
func (s *subscription) wait(changed <-chan struct{}) error {
	select {
	case <-changed:
		if err := s.s.meddle(s.call.Context()); err != nil {
			return err
		}
	case <-s.drop:
	case <-s.call.Context().Done():
	}
	return s.goesOn()
}

// A streamFollower follows one stream.
type streamFollower struct {
	*subscription
	next int64 // revision
}

func (r *reader) followStream(o *streams.ReadReq_Options_StreamOptions) error {
	f := &streamFollower{}
	switch length, tombstone := r.s.log.length(r.stream); {
	case tombstone != nil:
		return isDeleted(r.call, r.stream)
	case o.GetEnd() != nil:
		f.next = length
	case o.GetStart() == nil:
		f.next = revision(o.GetRevision()) + 1
	}
	var err error
	f.subscription, err = r.subscribe()
	for err == nil {
		if err = f.catchUp(); err == nil {
			err = f.live()
		}
	}
	return err
}

// catchUp sends what is recorded.
func (f *streamFollower) catchUp() error {
	for {
		if err := f.goesOn(); err != nil {
			return err
		}
		if sent, err := f.send(pageSize, pageSize); err != nil || sent == 0 {
			return err
		}
	}
}

// live sends what is new, as long as it is not too much at once.
func (f *streamFollower) live() error {
	if err := f.caughtUp(); err != nil {
		return err
	}
	for {
		_, _, changed := f.s.log.end()
		sent, err := f.send(liveBuffer+1, liveBuffer)
		switch {
		case err != nil:
			return err
		case sent > liveBuffer:
			return f.fellBehind()
		case sent > 0:
			err = f.goesOn()
		default:
			err = f.wait(changed)
		}
		if err != nil {
			return err
		}
	}
}

// send sends the next events, unless there are more than most of the n that it
// looks for, and returns how many there are.
func (f *streamFollower) send(n, most int) (int, error) {
	events, next, condition := f.s.log.read(f.stream, f.next, false, n)
	if condition == deleted {
		if _, tombstone := f.s.log.length(f.stream); tombstone != nil {
			_ = f.call.Send(wire(tombstone)) // the end follows anyhow
		}
		return 0, isDeleted(f.call, f.stream)
	}
	if len(events) > most {
		return len(events), nil
	}
	for _, e := range events {
		if err := f.call.Send(wire(e)); err != nil {
			return 0, err
		}
	}
	f.next = max(f.next, next)
	return len(events), nil
}
