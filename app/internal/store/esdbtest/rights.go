package esdbtest

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// groups returns who calls, and what they belong to. Without credentials that
// is nobody, who may do nothing with streams.
func (s *Server) groups(ctx context.Context) ([]string, error) {
	if s.options.Insecure { // knows no users
		return []string{everybody, admins, operators}, nil
	}
	md, _ := metadata.FromIncomingContext(ctx)
	given := md.Get("authorization")
	if len(given) == 0 {
		return nil, nil
	}
	b, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(given[0], "Basic "))
	name, password, ok := strings.Cut(string(b), ":")
	want, known := s.options.Users[name]
	if err != nil || !ok || !known || subtle.ConstantTimeCompare([]byte(want), []byte(password)) != 1 {
		return nil, status.Error(codes.Unauthenticated, "Not Authenticated")
	}
	if name == Admin {
		return []string{everybody, name, admins, operators}, nil
	}
	return []string{everybody, name}, nil
}

// allow refuses what a caller has no right to.
func (s *Server) allow(call grpc.ServerStream, groups []string, r right, stream string) error {
	if s.log.may(groups, r, stream) {
		return nil
	}
	call.SetTrailer(metadata.Pairs("exception", "access-denied"))
	return status.Error(codes.PermissionDenied, "Access Denied")
}
