package esdbtest

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A reader answers one call.
type reader struct {
	s      *Server
	call   streams.Streams_ReadServer
	groups []string
	stream string // "$all": all of them
}

// Read implements the protocol: reading and subscribing, one stream or all.
func (v *service) Read(q *streams.ReadReq, call streams.Streams_ReadServer) error {
	s, o := v.n.s, q.GetOptions()
	_, subscribes := o.GetCountOption().(*streams.ReadReq_Options_Subscription)
	if subscribes {
		s.faults.count(&s.faults.subscriptions)
	} else {
		s.faults.count(&s.faults.reads)
	}
	groups, err := v.enter(call.Context())
	if err != nil {
		return err
	}
	r := &reader{s: s, call: call, groups: groups, stream: everybody}
	if of := o.GetStream(); of != nil {
		r.stream = string(of.GetStreamIdentifier().GetStreamName())
	}
	if err := s.allow(call, groups, reading, r.stream); err != nil {
		return err
	}
	keep, err := filter(o.GetFilter())
	if err != nil {
		return err
	}
	backwards := o.GetReadDirection() == streams.ReadReq_Options_Backwards
	switch {
	case o.GetStream() != nil && subscribes:
		return r.followStream(o.GetStream())
	case o.GetStream() != nil:
		return r.readStream(o.GetStream(), backwards, o.GetCount())
	case subscribes:
		return r.followAll(o.GetAll(), o.GetFilter(), keep)
	case backwards:
		return r.readAllBackwards(o.GetAll(), keep, o.GetCount())
	}
	return r.readAll(o.GetAll(), keep, o.GetCount())
}

// filter returns which events a filter keeps.
func filter(f *streams.ReadReq_Options_FilterOptions) (func(*Event) bool, error) {
	if f == nil {
		return func(*Event) bool { return true }, nil
	}
	of := func(e *Event) string { return e.Stream }
	expression := f.GetStreamIdentifier()
	if expression == nil {
		of, expression = func(e *Event) string { return e.Type }, f.GetEventType()
	}
	if expression.GetRegex() != "" {
		re, err := regexp.Compile(expression.GetRegex())
		if err != nil {
			return nil, status.Error(codes.InvalidArgument, err.Error())
		}
		return func(e *Event) bool { return re.MatchString(of(e)) }, nil
	}
	return func(e *Event) bool {
		for _, p := range expression.GetPrefix() {
			if strings.HasPrefix(of(e), p) {
				return true
			}
		}
		return false
	}, nil
}

// pageSize is how many events a server reads at once.
const pageSize = 32

func (r *reader) readStream(o *streams.ReadReq_Options_StreamOptions, backwards bool, count uint64) error {
	from := revision(o.GetRevision())
	if o.GetEnd() != nil {
		from = math.MaxInt64 - 1
	}
	for count > 0 {
		events, next, condition := r.s.log.read(r.stream, from, backwards, int(min(count, pageSize)))
		switch condition {
		case deleted:
			return isDeleted(r.call, r.stream)
		case missing:
			return r.call.Send(&streams.ReadResp{Content: &streams.ReadResp_StreamNotFound_{
				StreamNotFound: &streams.ReadResp_StreamNotFound{StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte(r.stream)}},
			}})
		case running:
		}
		if len(events) == 0 {
			return nil
		}
		for _, e := range events {
			if err := r.call.Send(wire(e)); err != nil {
				return err
			}
		}
		count -= uint64(len(events))
		if from = next; from < 0 {
			return nil
		}
	}
	return nil
}

// readAll reads from a position on, with what begins there. What a stream's
// metadata hides is there until the log is scavenged, which this one never is.
func (r *reader) readAll(o *streams.ReadReq_Options_AllOptions, keep func(*Event) bool, count uint64) error {
	if o.GetEnd() != nil {
		return nil
	}
	i, err := r.find(position(o))
	for err == nil && count > 0 {
		records := r.s.log.records(i)
		if len(records) == 0 {
			return nil
		}
		for k := range records {
			if i++; !keep(&records[k]) {
				continue
			}
			if err := r.call.Send(wire(&records[k])); err != nil {
				return err
			}
			if count--; count == 0 {
				return nil
			}
		}
	}
	return err
}

// readAllBackwards reads from a position back, without what begins there: going
// back, a position is where a record ends.
func (r *reader) readAllBackwards(o *streams.ReadReq_Options_AllOptions, keep func(*Event) bool, count uint64) error {
	from := position(o)
	if o.GetEnd() != nil {
		from = atEnd
	}
	i, err := r.find(from)
	for i--; err == nil && i >= 0 && count > 0; i-- {
		if e := &r.s.log.records(i)[0]; keep(e) {
			count--
			err = r.call.Send(wire(e))
		}
	}
	return err
}

// find returns the index of the first record that does not begin before a
// place. A server that is not lax refuses one in the middle of a record.
func (r *reader) find(p place) (int, error) {
	i, fits := r.s.log.find(p)
	if !fits && !r.s.options.Lax || p != (place{}) && p != atEnd && r.s.faults.is(&r.s.faults.nowhere) {
		return 0, status.Error(codes.InvalidArgument, "Trying to read from an invalid position.")
	}
	return i, nil
}

func position(o *streams.ReadReq_Options_AllOptions) place {
	p := o.GetPosition()
	return place{p.GetCommitPosition(), p.GetPreparePosition()}
}

// wire returns an event as the protocol has it.
func wire(e *Event) *streams.ReadResp {
	most, least := bits(e.ID)
	return &streams.ReadResp{Content: &streams.ReadResp_Event{Event: &streams.ReadResp_ReadEvent{
		Position: &streams.ReadResp_ReadEvent_CommitPosition{CommitPosition: e.Position},
		Event: &streams.ReadResp_ReadEvent_RecordedEvent{
			Id: &shared.UUID{Value: &shared.UUID_Structured_{
				Structured: &shared.UUID_Structured{MostSignificantBits: most, LeastSignificantBits: least},
			}},
			StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte(e.Stream)},
			StreamRevision:   uint64(e.Revision), //nolint:gosec // not negative
			PreparePosition:  e.Position, CommitPosition: e.Position,
			Metadata: map[string]string{
				"type": e.Type, "content-type": e.ContentType, "created": ticks(e.Created),
			},
			CustomMetadata: e.Metadata, Data: e.Data,
		},
	}}}
}

// ticks counts the 100 ns since 1970. The client ends the whole program when it
// is not told.
func ticks(t time.Time) string { return strconv.FormatInt(t.UnixNano()/100, 10) }
