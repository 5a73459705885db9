package esdbtest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// An acl says who may do what with a stream. What it does not say is as the
// server's default has it.
type acl struct {
	Read      who `json:"$r,omitempty"`
	Write     who `json:"$w,omitempty"`
	Delete    who `json:"$d,omitempty"`
	MetaRead  who `json:"$mr,omitempty"`
	MetaWrite who `json:"$mw,omitempty"`
}

// who is one user or group, or several.
type who []string

func (w *who) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*w = who{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(w))
}

// A right is what somebody wants to do.
type right int

const (
	reading right = iota
	writing
	deleting
)

func (a acl) of(r right, metadata bool) who {
	switch {
	case r == reading && metadata:
		return a.MetaRead
	case metadata:
		return a.MetaWrite
	case r == writing:
		return a.Write
	case r == deleting:
		return a.Delete
	}
	return a.Read
}

// user returns who calls: empty for nobody in particular.
func (s *Server) user(ctx context.Context) (string, error) {
	if s.options.Insecure {
		return "admin", nil // a server without TLS knows no users
	}
	md, _ := metadata.FromIncomingContext(ctx)
	given := md.Get("authorization")
	if len(given) == 0 {
		return "", nil
	}
	b, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(given[0], "Basic "))
	name, password, ok := strings.Cut(string(b), ":")
	if want, known := s.options.Users[name]; err != nil || !ok || !known || want != password {
		return "", status.Error(codes.Unauthenticated, "Not Authenticated")
	}
	return name, nil
}

// allow refuses what the caller has no right to. "$all" is all streams.
func (s *Server) allow(ctx context.Context, stream string, r right) error {
	name, err := s.user(ctx)
	if err != nil {
		return err
	}
	groups := []string{"$all", name}
	if name == "admin" {
		groups = append(groups, "$admins", "$ops")
	}
	about, isMeta := cutPrefix(stream, "$$")
	s.log.mu.RLock()
	own, settings := s.log.metas[about].acl, s.log.metas["$settings"].settings
	s.log.mu.RUnlock()
	given, standard := settings["$userStreamAcl"], acl{who{"$all"}, who{"$all"}, who{"$all"}, who{"$all"}, who{"$all"}}
	if strings.HasPrefix(about, "$") {
		given, standard = settings["$systemStreamAcl"], acl{who{"$admins"}, who{"$admins"}, who{"$admins"}, who{"$admins"}, who{"$admins"}}
	}
	for _, a := range []acl{own, given, standard} {
		if may := a.of(r, isMeta); len(may) > 0 {
			if slices.ContainsFunc(may, func(g string) bool { return slices.Contains(groups, g) }) {
				return nil
			}
			break
		}
	}
	if slices.Contains(groups, "$admins") {
		return nil
	}
	return status.Error(codes.PermissionDenied, "Access Denied")
}
