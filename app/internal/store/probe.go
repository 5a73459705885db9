package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/keydesk/keydesk/domain"
)

// ProbePrefix is how the names of streams begin that only try a log out. No
// projection reads them, and they are no part of what the log holds.
const ProbePrefix = "probe-"

// Probe records an event in a stream, whose name has to begin with ProbePrefix,
// and returns it as it is read from there.
func Probe(ctx context.Context, log Log, stream string) (domain.Recorded, error) {
	p, err := appendProbe(ctx, log, stream)
	if err != nil {
		return domain.Recorded{}, err
	}
	return readProbe(ctx, log, stream, p)
}

// A probe is an event that was recorded to try a log out.
type probe struct {
	id domain.EventID
	at domain.Revision
}

// probeTries is how often a probe gets out of the way of another one.
const probeTries = 5

// appendProbe adds to the stream's end, wherever that is.
func appendProbe(ctx context.Context, log Log, stream string) (p probe, err error) {
	if !strings.HasPrefix(stream, ProbePrefix) {
		return p, fmt.Errorf("%w: the name of a probe's stream begins with %s", ErrMessage, ProbePrefix)
	}
	m := domain.Message{Type: "Probed", Data: []byte("{}"), Metadata: []byte("{}")}
	_, _ = rand.Read(m.ID[:]) // never fails
	end := domain.NoStream
	for range probeTries {
		var done domain.Appended
		if done, err = log.Append(ctx, stream, end, m); err == nil {
			return probe{m.ID, done.Revision}, nil
		}
		conflict, ok := errors.AsType[*domain.Conflict](err)
		if !ok {
			return p, err
		}
		end = conflict.Actual
	}
	return p, err
}

// readProbe reads a probe back; one that was not recorded only shows whether
// the stream can be read.
func readProbe(ctx context.Context, log Log, stream string, p probe) (domain.Recorded, error) {
	got, err := log.ReadStream(ctx, stream, p.at)
	switch {
	case err != nil, p.id == domain.EventID{}:
		return domain.Recorded{}, err
	case len(got) == 0, got[0].ID != p.id:
		return domain.Recorded{}, fmt.Errorf("read stream %s: %w: what was appended is not there", stream, domain.ErrNotFound)
	}
	return got[0], nil
}
