package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/keydesk/keydesk/domain"
)

// A Log is what every log can do. What the methods promise is said at SQLite;
// *ESDB promises the same.
type Log interface {
	Append(ctx context.Context, stream string, expected domain.Revision, msgs ...domain.Message) (domain.Appended, error)
	ReadStream(ctx context.Context, stream string, from domain.Revision) ([]domain.Recorded, error)
	ReadAll(ctx context.Context, q domain.Query, yield func(domain.Batch) error) error
	Follow(ctx context.Context, q domain.Query, yield func(domain.Batch) error) error
	Head(ctx context.Context) (domain.Position, error)
	Identity(ctx context.Context) (string, error)
	Close() error
}

// Options are what a URL does not say. The zero Options will do.
type Options struct {
	// MaxAge says by the beginning of streams' names for how long events are
	// given: older ones are not any more. The longest beginning counts.
	MaxAge map[string]time.Duration

	// The rest is for EventStoreDB.

	User, Password            string // instead of those in the URL
	CAFile, CertFile, KeyFile string // instead of those in the URL

	// Prefix is put before the names of all streams, so that several
	// installations can share a cluster. Nobody sees it in what is read.
	Prefix string

	// Report is told once that the connection was lost, with the reason, and
	// once that it is back, with nil. It must not block. It may be nil.
	Report func(error)
}

// The beginnings of the URLs of logs.
const (
	Scheme         = "sqlite:"
	SchemeESDB     = "esdb://"
	SchemeDiscover = "esdb+discover://"
)

// ErrScheme says that a URL names no kind of log that this program knows.
var ErrScheme = errors.New("not the URL of a log")

// Open opens the log at a URL.
//
// "sqlite:/var/lib/keydesk/log.db", or with a path relative to the working
// directory "sqlite:log.db", is a file, which is created when there is none.
// See OpenSQLite. "esdb://host:2113" and "esdb+discover://name" are servers.
// See OpenESDB.
//
// No error repeats the URL, which may hold a password.
func Open(ctx context.Context, url string, o Options) (Log, error) {
	path, embedded := strings.CutPrefix(url, Scheme)
	scheme, _, _ := strings.Cut(url, ":")
	switch {
	case strings.HasPrefix(url, SchemeESDB), strings.HasPrefix(url, SchemeDiscover):
		l, err := OpenESDB(ctx, url, o)
		if err != nil {
			return nil, err
		}
		return l, nil
	case scheme == "kurrentdb", scheme == "kurrentdb+discover", scheme == "kurrent":
		return nil, fmt.Errorf("%w: write %s in place of %s://; a KurrentDB server speaks the same protocol", ErrScheme, SchemeESDB, scheme)
	case !embedded:
		return nil, fmt.Errorf("%w: neither %s<path> nor %s<host> nor %s<name>", ErrScheme, Scheme, SchemeESDB, SchemeDiscover)
	case path == "", strings.HasPrefix(path, "//"):
		return nil, fmt.Errorf("%w: %s has to be followed by the path of a file", ErrScheme, Scheme)
	}
	l, err := OpenSQLite(ctx, path)
	if err != nil {
		return nil, err
	}
	l.ages = newAges(o.MaxAge)
	return l, nil
}
