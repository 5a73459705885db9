package esdbtest

import (
	"context"
	"errors"
	"io"
	"math"
	"net"
	"strconv"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
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

// enter is the way into every call: it is held up while the server is slow, and
// knows who calls.
func (v *service) enter(ctx context.Context) (groups []string, err error) {
	if err := v.n.s.meddle(ctx); err != nil {
		return nil, err
	}
	return v.n.s.groups(ctx)
}

// Append implements the protocol. As a server does, it refuses who has no right
// before it has read the events, and a follower only afterwards.
func (v *service) Append(call streams.Streams_AppendServer) error {
	s := v.n.s
	s.faults.count(&s.faults.appends)
	groups, err := v.enter(call.Context())
	if err != nil {
		return err
	}
	if s.faults.take(&s.faults.early) {
		return status.Error(codes.Internal, "rejected before it was read")
	}
	first, err := call.Recv()
	if err != nil {
		return err
	}
	o := first.GetOptions()
	stream := string(o.GetStreamIdentifier().GetStreamName())
	if err := s.allow(call, groups, writing, stream); err != nil {
		return err
	}
	events, err := receive(call)
	if err != nil {
		return err
	}
	if err := v.leads(call); err != nil {
		return err
	}
	if s.faults.take(&s.faults.before) {
		return v.n.cutOff()
	}
	expected := expectation(o)
	done := s.log.append(stream, expected, events)
	if s.faults.take(&s.faults.after) {
		return v.n.cutOff()
	}
	switch done.decision {
	case over:
		return isDeleted(call, stream)
	case wrong:
		return call.SendAndClose(wrongVersion(expected, done.revision))
	case fits, again:
	}
	return call.SendAndClose(s.appended(done))
}

// receive reads the events of an append.
func receive(call streams.Streams_AppendServer) ([]Event, error) {
	var events []Event
	size := 0
	for {
		m, err := call.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return events, nil
		case err != nil:
			return nil, err
		}
		p := m.GetProposedMessage()
		id, said := p.GetId().GetStructured(), p.GetMetadata()
		e := Event{
			ID: fromBits(id.GetMostSignificantBits(), id.GetLeastSignificantBits()), Type: said["type"],
			ContentType: said["content-type"], Data: p.GetData(), Metadata: p.GetCustomMetadata(),
		}
		if e.Type == "" || e.ContentType == "" {
			call.SetTrailer(metadata.Pairs("exception", "missing-required-metadata-property", "required-metadata-properties", "type,content-type"))
			return nil, status.Error(codes.InvalidArgument, "a required metadata property is missing")
		}
		if size += len(e.Data) + len(e.Metadata) + 2*len(e.Type); size > maxAppend {
			call.SetTrailer(metadata.Pairs("exception", "maximum-append-size-exceeded", "maximum-append-size", strconv.Itoa(maxAppend)))
			return nil, status.Error(codes.InvalidArgument, "maximum append size exceeded")
		}
		events = append(events, e)
	}
}

// expecting is what the requests that name an expectation have in common.
type expecting interface {
	GetRevision() uint64
	GetAny() *shared.Empty
	GetNoStream() *shared.Empty
	GetStreamExists() *shared.Empty
}

func expectation(o expecting) int64 {
	switch {
	case o.GetNoStream() != nil:
		return expectNoStream
	case o.GetStreamExists() != nil:
		return expectExists
	case o.GetAny() != nil:
		return expectAny
	}
	return revision(o.GetRevision())
}

// revision is a revision of the protocol; one that no stream reaches stays so.
func revision(r uint64) int64 {
	return int64(min(r, math.MaxInt64-1))
}

// appended is the answer to an append that is recorded.
func (s *Server) appended(o outcome) *streams.AppendResp {
	success := &streams.AppendResp_Success{
		CurrentRevisionOption: &streams.AppendResp_Success_CurrentRevision{CurrentRevision: uint64(o.revision)}, //nolint:gosec // not negative, or replaced
		PositionOption: &streams.AppendResp_Success_Position{
			Position: &streams.AppendResp_Position{CommitPosition: o.position, PreparePosition: o.position},
		},
	}
	if o.revision < 0 {
		success.CurrentRevisionOption = &streams.AppendResp_Success_NoStream{NoStream: &shared.Empty{}}
	}
	s.faults.mu.Lock()
	bare := s.faults.bare && o.decision == again
	s.faults.mu.Unlock()
	if bare || o.position == 0 {
		success.PositionOption = &streams.AppendResp_Success_NoPosition{NoPosition: &shared.Empty{}}
	}
	return &streams.AppendResp{Result: &streams.AppendResp_Success_{Success: success}}
}

// wrongVersion is the answer to an append whose stream is elsewhere. "No stream"
// comes back as the number that the server has for it.
func wrongVersion(expected, actual int64) *streams.AppendResp {
	w := &streams.AppendResp_WrongExpectedVersion{}
	switch expected {
	case expectAny:
		w.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedAny{ExpectedAny: &shared.Empty{}}
	case expectExists:
		w.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedStreamExists{ExpectedStreamExists: &shared.Empty{}}
	default:
		w.ExpectedRevisionOption = &streams.AppendResp_WrongExpectedVersion_ExpectedRevision{ExpectedRevision: uint64(expected)} //nolint:gosec // as said
	}
	if actual < 0 {
		w.CurrentRevisionOption = &streams.AppendResp_WrongExpectedVersion_CurrentNoStream{CurrentNoStream: &shared.Empty{}}
	} else {
		w.CurrentRevisionOption = &streams.AppendResp_WrongExpectedVersion_CurrentRevision{CurrentRevision: uint64(actual)}
	}
	return &streams.AppendResp{Result: &streams.AppendResp_WrongExpectedVersion_{WrongExpectedVersion: w}}
}

// leads refuses to write where another node leads.
func (v *service) leads(call grpc.ServerStream) error {
	s := v.n.s
	leader := s.leads()
	if !s.faults.take(&s.faults.notLeader) && leader == v.n {
		return nil
	}
	host, port, _ := net.SplitHostPort(leader.addr)
	call.SetTrailer(metadata.Pairs("exception", "not-leader", "leader-endpoint-host", host, "leader-endpoint-port", port))
	return status.Error(codes.NotFound, "Leader info available")
}

func isDeleted(call grpc.ServerStream, stream string) error {
	call.SetTrailer(metadata.Pairs("exception", "stream-deleted", "stream-name", stream))
	return status.Error(codes.FailedPrecondition, "Event stream '"+stream+"' is deleted.")
}

// Delete implements the protocol.
func (v *service) Delete(ctx context.Context, r *streams.DeleteReq) (*streams.DeleteResp, error) {
	o := r.GetOptions()
	at, err := v.end(ctx, string(o.GetStreamIdentifier().GetStreamName()), expectation(o), false)
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
	at, err := v.end(ctx, string(o.GetStreamIdentifier().GetStreamName()), expectation(o), true)
	if err != nil {
		return nil, err
	}
	return &streams.TombstoneResp{PositionOption: &streams.TombstoneResp_Position_{
		Position: &streams.TombstoneResp_Position{CommitPosition: at, PreparePosition: at},
	}}, nil
}

// end deletes a stream, and returns where that is recorded.
func (v *service) end(ctx context.Context, stream string, expected int64, forGood bool) (uint64, error) {
	call := unary{ctx: ctx}
	groups, err := v.enter(ctx)
	if err != nil {
		return 0, err
	}
	if err := v.n.s.allow(call, groups, deleting, stream); err != nil {
		return 0, err
	}
	if err := v.leads(call); err != nil {
		return 0, err
	}
	o := v.n.s.log.delete(stream, expected, forGood)
	switch o.decision {
	case over:
		return 0, isDeleted(call, stream)
	case wrong, again: // what deletes has a new id each time
		call.SetTrailer(metadata.Pairs("exception", "wrong-expected-version", "stream-name", stream,
			"expected-version", strconv.FormatInt(expected, 10), "actual-version", strconv.FormatInt(o.revision, 10)))
		return 0, status.Error(codes.FailedPrecondition, "wrong expected version")
	case fits:
	}
	return o.position, nil
}

// unary is a call that is no stream, for what only sets trailers.
type unary struct {
	grpc.ServerStream
	ctx context.Context
}

func (u unary) SetTrailer(md metadata.MD) { _ = grpc.SetTrailer(u.ctx, md) } // fails after the answer only
