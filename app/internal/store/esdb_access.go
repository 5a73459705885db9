package store

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/keydesk/keydesk/domain"
)

// Access says who may use a server.
type Access struct {
	// AdminUser and AdminPassword may change access control lists.
	AdminUser, AdminPassword string
	// Users are those of Keydesk. Empty: the user of this log.
	Users []string
}

// Where a server keeps the access control lists that hold for all streams that
// have none of their own, and the one of reading everything.
const (
	settingsStream = "$settings"
	allMetadata    = "$$$all"
)

const adminsRole = "$admins"

// Protect sets who may do what on the server, which by itself lets every user
// delete: the users of Keydesk read and append, and nobody but admins deletes.
// What else stands in the server's settings, stays.
func (l *ESDB) Protect(ctx context.Context, a Access) error {
	users := a.Users
	if len(users) == 0 && l.user != "" {
		users = []string{l.user}
	}
	if len(users) == 0 {
		return fmt.Errorf("protect the log: %w: no users to admit", ErrURL)
	}
	may := append(slices.Clone(users), adminsRole)
	err := l.amend(ctx, a, settingsStream, "update-default-acl", "$userStreamAcl", map[string][]string{
		"$r": may, "$w": may, "$d": {adminsRole}, "$mr": may, "$mw": may,
	})
	if err == nil {
		err = l.amend(ctx, a, allMetadata, "$metadata", "$acl", map[string][]string{"$r": may})
	}
	if err != nil {
		return fmt.Errorf("protect the log: %w", err)
	}
	return nil
}

// amendTries is how often amend looks again when somebody else was faster.
const amendTries = 5

// amend sets members of one member of what the last event of a stream holds,
// and keeps all others. It reads the event as it is: the client's own reader of
// metadata fails where there is none, and where a list names several roles.
func (l *ESDB) amend(ctx context.Context, a Access, stream, kind, member string, set map[string][]string) error {
	admin := &esdb.Credentials{Login: a.AdminUser, Password: a.AdminPassword}
	for range amendTries {
		last, err := l.readStream(ctx, stream, esdb.ReadStreamOptions{Direction: esdb.Backwards, From: esdb.End{}, Authenticated: admin}, 1)
		if err != nil {
			return err
		}
		opts := esdb.AppendToStreamOptions{ExpectedRevision: esdb.NoStream{}, Authenticated: admin}
		var old []byte
		if len(last) == 1 {
			opts.ExpectedRevision, old = esdb.Revision(uint64(last[0].Revision)), last[0].Data //nolint:gosec // not negative
		}
		data, changed, err := amended(old, member, set)
		if err != nil || !changed {
			return err
		}
		_, err = l.write(ctx, stream, opts, []esdb.EventData{{EventID: uuid.New(), EventType: kind, ContentType: esdb.ContentTypeJson, Data: data}})
		if codeOf(err) != esdb.ErrorCodeWrongExpectedVersion {
			if err != nil {
				err = appendProblem(ctx, err)
			}
			return err
		}
	}
	return fmt.Errorf("%w: %s is changed by others all the time", domain.ErrUnavailable, stream)
}

// amended returns the new content, and whether it differs.
func amended(old []byte, member string, set map[string][]string) ([]byte, bool, error) {
	whole, part := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	if len(old) > 0 {
		if err := json.Unmarshal(old, &whole); err != nil {
			return nil, false, fmt.Errorf("what stands there is not understood: %w", err)
		}
	}
	if was := whole[member]; len(was) > 0 {
		if err := json.Unmarshal(was, &part); err != nil {
			return nil, false, fmt.Errorf("what stands at %s is not understood: %w", member, err)
		}
	}
	changed := false
	for key, roles := range set {
		value, err := json.Marshal(roles)
		if err != nil {
			return nil, false, err
		}
		changed = changed || string(part[key]) != string(value)
		part[key] = value
	}
	var err error
	if whole[member], err = json.Marshal(part); err != nil {
		return nil, false, err
	}
	data, err := json.Marshal(whole)
	return data, changed, err
}

// A Finding is one thing that a user of the log has to be able to do, or not.
type Finding struct {
	What string // "append", "read a stream", "read everything", "not delete"
	Err  error  // nil: as it should be
}

// ProbePrefix is how the names of streams begin that are there for probes only.
const ProbePrefix = "probe-"

// ErrMayDelete says that the user may delete streams. See Protect.
var ErrMayDelete = errors.New("may delete streams: nothing that is recorded is safe from this user")

// CheckAccess tries what the user of this log may do, on a stream of its own.
// The error is that of a server that is not there at all.
func (l *ESDB) CheckAccess(ctx context.Context) ([]Finding, error) {
	if _, err := reading(ctx, l, func(ctx context.Context, c *esdb.Client) (*esdb.ServerVersion, error) { return c.GetServerVersion() }); err != nil {
		return nil, fmt.Errorf("check access to the log: %w", err)
	}
	const stream = ProbePrefix + "access" // one, however often this is asked
	m := domain.Message{Type: "Probed", Data: []byte("{}")}
	_, _ = rand.Read(m.ID[:]) // never fails
	a, appended := l.Append(ctx, stream, domain.NoStream, m)
	if c, behind := errors.AsType[*domain.Conflict](appended); behind {
		a, appended = l.Append(ctx, stream, c.Actual, m)
	}
	got, read := l.ReadStream(ctx, stream, a.Revision)
	if read == nil && appended == nil && len(got) != 1 {
		read = fmt.Errorf("read stream %s: %w: what was appended is not there", stream, domain.ErrNotFound)
	}
	_, everything := l.Head(ctx)
	return []Finding{
		{"append", appended},
		{"read a stream", read},
		{"read everything", everything},
		{"not delete", l.checkDelete(ctx, stream)},
	}, nil
}

// checkDelete tries to delete at a revision at which the stream is not: who
// may delete is told so, and who may not, that they may not.
func (l *ESDB) checkDelete(ctx context.Context, stream string) error {
	const never = 1 << 40
	_, err := reading(ctx, l, func(ctx context.Context, c *esdb.Client) (*esdb.DeleteResult, error) {
		deadline := 5 * time.Second
		return c.DeleteStream(ctx, l.options.Prefix+stream, esdb.DeleteStreamOptions{ExpectedRevision: esdb.Revision(never), Deadline: &deadline})
	})
	switch {
	case errors.Is(err, ErrDenied):
		return nil
	case err == nil, status.Code(err) == codes.FailedPrecondition, codeOf(err) == esdb.ErrorCodeWrongExpectedVersion:
		return fmt.Errorf("delete a probe: %w", ErrMayDelete)
	}
	return fmt.Errorf("delete a probe: %w", err)
}
