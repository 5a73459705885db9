package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Scheme is how the URL of an embedded log begins.
const Scheme = "sqlite:"

// ErrScheme says that a URL names no kind of log that this program knows.
var ErrScheme = errors.New("not the URL of a log")

// Open opens the log at a URL: "sqlite:/var/lib/keydesk/log.db", or with a
// path relative to the working directory, "sqlite:log.db". The file is created
// when there is none. See OpenSQLite.
func Open(ctx context.Context, url string) (*SQLite, error) {
	path, ok := strings.CutPrefix(url, Scheme)
	switch scheme, _, _ := strings.Cut(url, ":"); {
	case !ok:
		return nil, fmt.Errorf("%w: %q instead of %s<path>", ErrScheme, scheme, Scheme)
	case path == "", strings.HasPrefix(path, "//"):
		return nil, fmt.Errorf("%w: %s has to be followed by the path of a file", ErrScheme, Scheme)
	}
	return OpenSQLite(ctx, path)
}
