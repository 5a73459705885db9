package esdbtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// maxAppend is a server's default for the bytes of one append.
const maxAppend = 1 << 20

// service is the protocol's Streams service of one node.
type service struct {
	streams.UnimplementedStreamsServer
	n *node
}

// Append implements the protocol.
func (v *service) Append(call streams.Streams_AppendServer) error {
	s, ctx := v.n.s, call.Context()
	s.faults.mu.Lock()
	s.faults.appends++
	s.faults.mu.Unlock()
	if err := s.meddle(ctx); err != nil {
		return err
	}
	if s.faults.take(&s.faults.early) {
		return status.Error(codes.Internal, "rejected before it was read")
	}
	stream, expected, events, err := receive(call)
	if err != nil {
		return err
	}
	if err := s.allow(ctx, stream, writing); err != nil {
		return err
	}
	if err := v.leads(call); err != nil {
		return err
	}
	if s.faults.take(&s.faults.before) {
		return v.n.cutOff()
	}
	if _, gone := s.log.state(stream); gone {
		return deleted(call, stream)
	}
	o := s.log.append(stream, expected, events)
	if s.faults.take(&s.faults.after) {
		return v.n.cutOff()
	}
	if o.wrong {
		return call.SendAndClose(wrongVersion(expected, o.revision))
	}
	success := &streams.AppendResp_Success{
		CurrentRevisionOption: &streams.AppendResp_Success_CurrentRevision{CurrentRevision: uint64(o.revision)}, //nolint:gosec // not negative
		PositionOption: &streams.AppendResp_Success_Position{
			Position: &streams.AppendResp_Position{CommitPosition: o.position, PreparePosition: o.position},
		},
	}
	s.faults.mu.Lock()
	if o.old && s.faults.bare {
		success.PositionOption = &streams.AppendResp_Success_NoPosition{NoPosition: &shared.Empty{}}
	}
	s.faults.mu.Unlock()
	return call.SendAndClose(&streams.AppendResp{Result: &streams.AppendResp_Success_{Success: success}})
}

// receive reads an append.
func receive(call streams.Streams_AppendServer) (stream string, expected int64, events []Event, err error) {
	size := 0
	for {
		m, err := call.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return stream, expected, events, nil
		case err != nil:
			return "", 0, nil, err
		}
		if o := m.GetOptions(); o != nil {
			stream = string(o.GetStreamIdentifier().GetStreamName())
			switch r := o.GetExpectedStreamRevision().(type) {
			case *streams.AppendReq_Options_Revision:
				expected = int64(r.Revision) //nolint:gosec // revisions are small
			case *streams.AppendReq_Options_NoStream:
				expected = expectNoStream
			case *streams.AppendReq_Options_StreamExists:
				expected = expectExists
			default:
				expected = expectAny
			}
			continue
		}
		p := m.GetProposedMessage()
		size += len(p.GetData()) + len(p.GetCustomMetadata())
		if size > maxAppend {
			call.SetTrailer(metadata.Pairs("exception", "maximum-append-size-exceeded", "maximum-append-size", strconv.Itoa(maxAppend)))
			return "", 0, nil, status.Error(codes.InvalidArgument, "maximum append size exceeded")
		}
		id := p.GetId().GetStructured()
		events = append(events, Event{
			ID: fromBits(id.GetMostSignificantBits(), id.GetLeastSignificantBits()), Type: p.GetMetadata()["type"],
			ContentType: p.GetMetadata()["content-type"], Data: p.GetData(), Metadata: p.GetCustomMetadata(),
		})
	}
}

// leads refuses to write where another node leads.
func (v *service) leads(call grpc.ServerStream) error {
	s := v.n.s
	s.mu.Lock()
	leader := s.nodes[s.leader].addr
	other := s.leader != v.n.index
	s.mu.Unlock()
	if !s.faults.take(&s.faults.notLeader) && !other {
		return nil
	}
	host, port, _ := net.SplitHostPort(leader)
	call.SetTrailer(metadata.Pairs("exception", "not-leader", "leader-endpoint-host", host, "leader-endpoint-port", port))
	return status.Error(codes.NotFound, "Leader info available")
}

func deleted(call grpc.ServerStream, stream string) error {
	call.SetTrailer(metadata.Pairs("exception", "stream-deleted", "stream-name", stream))
	return status.Error(codes.FailedPrecondition, "Event stream '"+stream+"' is deleted.")
}

func wrongVersion(expected, actual int64) *streams.AppendResp {
	w := &streams.AppendResp_WrongExpectedVersion{}
	switch expected {
	case expectNoStream:
		w.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedNoStream{ExpectedNoStream: &shared.Empty{}}
	case expectExists:
		w.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedStreamExists{ExpectedStreamExists: &shared.Empty{}}
	default:
		w.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedRevision{ExpectedRevision: uint64(expected)} //nolint:gosec // not negative
	}
	if actual < 0 {
		w.CurrentRevisionOption = &streams.AppendResp_WrongExpectedVersion_CurrentNoStream{CurrentNoStream: &shared.Empty{}}
	} else {
		w.CurrentRevisionOption = &streams.AppendResp_WrongExpectedVersion_CurrentRevision{CurrentRevision: uint64(actual)}
	}
	return &streams.AppendResp{Result: &streams.AppendResp_WrongExpectedVersion_{WrongExpectedVersion: w}}
}

// Delete implements the protocol.
func (v *service) Delete(ctx context.Context, r *streams.DeleteReq) (*streams.DeleteResp, error) {
	o := r.GetOptions()
	expected := int64(expectAny)
	switch e := o.GetExpectedStreamRevision().(type) {
	case *streams.DeleteReq_Options_Revision:
		expected = int64(e.Revision) //nolint:gosec // revisions are small
	case *streams.DeleteReq_Options_StreamExists:
		expected = expectExists
	case *streams.DeleteReq_Options_NoStream:
		expected = expectNoStream
	}
	at, err := v.end(ctx, string(o.GetStreamIdentifier().GetStreamName()), expected, false)
	if err != nil {
		return nil, err
	}
	return &streams.DeleteResp{PositionOption: &streams.DeleteResp_Position_{
		Position: &streams.DeleteResp_Position{CommitPosition: at, PreparePosition: at},
	}}, nil
}

// Tombstone implements the protocol.
func (v *service) Tombstone(ctx context.Context, r *streams.TombstoneReq) (*streams.TombstoneResp, error) {
	o := r.GetOptions()
	expected := int64(expectAny)
	if e, ok := o.GetExpectedStreamRevision().(*streams.TombstoneReq_Options_Revision); ok {
		expected = int64(e.Revision) //nolint:gosec // revisions are small
	}
	at, err := v.end(ctx, string(o.GetStreamIdentifier().GetStreamName()), expected, true)
	if err != nil {
		return nil, err
	}
	return &streams.TombstoneResp{PositionOption: &streams.TombstoneResp_Position_{
		Position: &streams.TombstoneResp_Position{CommitPosition: at, PreparePosition: at},
	}}, nil
}

func (v *service) end(ctx context.Context, stream string, expected int64, forGood bool) (uint64, error) {
	s := v.n.s
	if err := s.meddle(ctx); err != nil {
		return 0, err
	}
	if err := s.allow(ctx, stream, deleting); err != nil {
		return 0, err
	}
	o := s.log.delete(stream, expected, forGood)
	if o.wrong {
		_ = grpc.SetTrailer(ctx, metadata.Pairs("exception", "wrong-expected-version", "stream-name", stream,
			"expected-version", strconv.FormatInt(expected, 10), "actual-version", strconv.FormatInt(o.revision, 10)))
		return 0, status.Error(codes.FailedPrecondition, "wrong expected version")
	}
	return o.position, nil
}

// Read implements the protocol: reading and subscribing, one stream or all.
func (v *service) Read(r *streams.ReadReq, call streams.Streams_ReadServer) error {
	s, ctx, o := v.n.s, call.Context(), r.GetOptions()
	_, subscribed := o.GetCountOption().(*streams.ReadReq_Options_Subscription)
	s.faults.mu.Lock()
	if s.faults.reads++; subscribed {
		s.faults.subscriptions++
	}
	s.faults.mu.Unlock()
	if err := s.meddle(ctx); err != nil {
		return err
	}
	stream := "$all"
	if id := o.GetStream().GetStreamIdentifier(); id != nil {
		stream = string(id.GetStreamName())
	}
	if err := s.allow(ctx, stream, reading); err != nil {
		return err
	}
	keep, err := filter(o.GetFilter())
	if err != nil {
		return err
	}
	sub := &reader{s: s, call: call, keep: keep, backwards: o.GetReadDirection() == streams.ReadReq_Options_Backwards}
	switch {
	case o.GetStream() != nil && subscribed:
		return sub.followStream(stream, o.GetStream())
	case o.GetStream() != nil:
		return sub.readStream(stream, o.GetStream(), o.GetCount())
	case subscribed:
		return sub.followAll(o)
	}
	return sub.readAll(o.GetAll(), o.GetCount())
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

// A reader answers one call.
type reader struct {
	s         *Server
	call      streams.Streams_ReadServer
	keep      func(*Event) bool
	backwards bool
}

func (r *reader) readStream(name string, o *streams.ReadReq_Options_StreamOptions, count uint64) error {
	exists, gone := r.s.log.state(name)
	switch {
	case gone:
		return deleted(r.call, name)
	case !exists:
		return r.call.Send(&streams.ReadResp{Content: &streams.ReadResp_StreamNotFound_{
			StreamNotFound: &streams.ReadResp_StreamNotFound{StreamIdentifier: &shared.StreamIdentifier{StreamName: []byte(name)}},
		}})
	}
	from := int64(o.GetRevision()) //nolint:gosec // revisions are small
	if o.GetEnd() != nil {
		from = math.MaxInt64 - 1
	}
	events, _ := r.s.log.stream(name, from, r.backwards, count)
	for i := range events {
		if err := r.call.Send(wire(&events[i])); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) readAll(o *streams.ReadReq_Options_AllOptions, count uint64) error {
	from := o.GetPosition().GetCommitPosition()
	if o.GetEnd() != nil {
		from = math.MaxUint64
	}
	events, _ := r.s.log.all(from, r.backwards, count)
	for i := range events {
		if err := r.call.Send(wire(&events[i])); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) confirm() error {
	return r.call.Send(&streams.ReadResp{Content: &streams.ReadResp_Confirmation{
		Confirmation: &streams.ReadResp_SubscriptionConfirmation{SubscriptionId: uuid.NewString()},
	}})
}

var caughtUp = &streams.ReadResp{Content: &streams.ReadResp_CaughtUp_{CaughtUp: &streams.ReadResp_CaughtUp{}}}

func (r *reader) followStream(name string, o *streams.ReadReq_Options_StreamOptions) error {
	drop := r.s.dropped()
	if err := r.confirm(); err != nil {
		return err
	}
	next := int64(0)
	switch {
	case o.GetEnd() != nil:
		events, _ := r.s.log.stream(name, math.MaxInt64-1, true, 1)
		for _, e := range events {
			next = e.Revision + 1
		}
	case o.GetStart() == nil:
		next = int64(o.GetRevision()) + 1 //nolint:gosec // revisions are small
	}
	for told := false; ; told = true {
		events, changed := r.s.log.stream(name, next, false, 500)
		for i := range events {
			if err := r.call.Send(wire(&events[i])); err != nil {
				return err
			}
			next = events[i].Revision + 1
		}
		if len(events) > 0 {
			told = false
			continue
		}
		if !told {
			if err := r.call.Send(caughtUp); err != nil {
				return err
			}
		}
		if err := r.wait(changed, drop); err != nil {
			return err
		}
	}
}

// followAll gives all that the filter keeps, and says every so many events how
// far it is.
func (r *reader) followAll(o *streams.ReadReq_Options) error {
	drop := r.s.dropped()
	if err := r.confirm(); err != nil {
		return err
	}
	position := o.GetAll().GetPosition().GetCommitPosition()
	if o.GetAll().GetEnd() != nil {
		if last, _ := r.s.log.all(math.MaxUint64, true, 1); len(last) > 0 {
			position = last[0].Position
		}
	}
	every := uint64(0)
	if f := o.GetFilter(); f != nil {
		every = uint64(max(1, f.GetMax())) * uint64(max(1, f.GetCheckpointIntervalMultiplier()))
	}
	considered := uint64(0)
	for told := false; ; {
		events, changed := r.s.log.all(position+1, false, 2000)
		for i := range events {
			e := &events[i]
			position = e.Position
			if r.keep(e) {
				if err := r.call.Send(wire(e)); err != nil {
					return err
				}
			}
			if considered++; every > 0 && considered%every == 0 {
				if err := r.call.Send(checkpoint(position)); err != nil {
					return err
				}
			}
		}
		if len(events) > 0 {
			continue
		}
		if !told {
			if err := r.call.Send(caughtUp); err != nil {
				return err
			}
			told = true
		}
		if err := r.wait(changed, drop); err != nil {
			return err
		}
	}
}

// wait waits for the next append. While the server is slow or frozen, nothing
// is told.
func (r *reader) wait(changed chan struct{}, drop <-chan struct{}) error {
	select {
	case <-changed:
		return r.s.meddle(r.call.Context())
	case <-drop:
		return status.Error(codes.Aborted, "subscription dropped")
	case <-r.call.Context().Done():
		return status.FromContextError(r.call.Context().Err()).Err()
	}
}

func checkpoint(position uint64) *streams.ReadResp {
	return &streams.ReadResp{Content: &streams.ReadResp_Checkpoint_{
		Checkpoint: &streams.ReadResp_Checkpoint{CommitPosition: position, PreparePosition: position},
	}}
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

// ticks counts the 100 ns since 1970.
func ticks(t time.Time) string { return fmt.Sprint(t.UnixNano() / 100) }
