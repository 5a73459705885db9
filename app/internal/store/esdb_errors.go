package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/keydesk/keydesk/domain"
)

// ErrDenied says that the server knows neither this user nor their password,
// or does not let them do this. Trying again does not help: have the
// credentials looked at, or the ACLs (see Protect).
var ErrDenied = errors.New("the log's server does not allow it: check user, password and access control lists")

// codeOf returns the client's code. The client's own FromError does not look
// into wrapped errors.
func codeOf(err error) esdb.ErrorCode {
	if e, ok := errors.AsType[*esdb.Error](err); ok {
		return e.Code()
	}
	return esdb.ErrorCodeUnknown
}

func denied(err error) bool {
	c := status.Code(err)
	return c == codes.PermissionDenied || c == codes.Unauthenticated
}

// dead says that the client has ended, which it tells one caller and no other.
func dead(err error) bool {
	return err != nil && (codeOf(err) == esdb.ErrorCodeConnectionClosed ||
		strings.Contains(err.Error(), "maximum discovery attempt count reached"))
}

// lost says that a call failed because of the connection, not of what was
// asked, or leads to another log. After its own context ended, nothing is known about the connection,
// unless the client is dead.
func lost(ctx context.Context, err error) bool {
	if dead(err) {
		return true
	}
	if err == nil || ctx.Err() != nil {
		return false
	}
	if codeOf(err) == esdb.ErrorUnavailable || errors.Is(err, errBehind) {
		return true
	}
	grpc := status.Code(err)
	return grpc == codes.Unavailable || grpc == codes.DeadlineExceeded
}

// again says that a call that only reads may succeed when it is made again at
// once: the connection was lost, or the client has moved to another node.
func again(ctx context.Context, err error) bool {
	if err == nil || ctx.Err() != nil {
		return false
	}
	grpc := status.Code(err)
	return lost(ctx, err) || codeOf(err) == esdb.ErrorCodeNotLeader || grpc == codes.Canceled || grpc == codes.Internal
}

// unsent says that an append certainly did not reach a server that could
// record it. The pinned client says where it failed only in words.
func unsent(err error) bool {
	return codeOf(err) == esdb.ErrorCodeNotLeader || dead(err) ||
		strings.HasPrefix(err.Error(), "could not construct append operation")
}

// plain takes the names of the client's codes off its errors, and what it
// says about them in many words.
func plain(err error) error {
	for {
		e, ok := errors.AsType[*esdb.Error](err)
		if !ok || e.Err() == nil {
			return err
		}
		err = e.Err()
	}
}

// readProblem says in the words of the house why reading failed.
func readProblem(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case denied(err):
		return fmt.Errorf("%w: %w", ErrDenied, plain(err))
	case errors.Is(err, domain.ErrUnavailable):
		return err
	}
	return fmt.Errorf("%w: %w", domain.ErrUnavailable, plain(err))
}

// appendProblem says in the words of the house why appending failed: not at
// all recorded, or perhaps.
func appendProblem(ctx context.Context, err error) error {
	if ctx.Err() != nil && !errors.Is(err, context.Cause(ctx)) {
		err = errors.Join(err, context.Cause(ctx))
	}
	switch {
	case errors.Is(err, domain.ErrUnavailable), errors.Is(err, ErrMessage):
		return err
	case denied(err):
		return fmt.Errorf("%w: %w", ErrDenied, plain(err))
	case status.Code(err) == codes.InvalidArgument:
		return fmt.Errorf("%w: %w", ErrMessage, plain(err))
	case codeOf(err) == esdb.ErrorCodeStreamDeleted:
		return fmt.Errorf("%w: the stream was deleted for good", ErrMessage)
	case unsent(err):
		return fmt.Errorf("%w: %w", domain.ErrUnavailable, err)
	}
	return fmt.Errorf("%w: %w", domain.ErrUnknownOutcome, err)
}

// rejected says that the server ended the call before it had read all of it.
// The reason is lost with it; what happened is not known.
func rejected(err error) bool { return errors.Is(err, io.EOF) }

// invalidPlace says that the server takes no reading from a place: a record begins before
// and ends behind it.
func invalidPlace(err error) bool { return status.Code(err) == codes.InvalidArgument }
