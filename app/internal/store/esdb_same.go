package store

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/google/uuid"

	"github.com/keydesk/keydesk/domain"
)

// errPutBack: a server was put back from a backup, or another one has its address. Whoever
// has folded what the old one gave must not go on with this one: what it knows never
// happened there, and what happens there is not told from positions on that it has behind
// it. A program that starts again checks what it has kept, and folds anew.
var errPutBack = errors.New("the server no longer holds what it has given: was it put back from a backup? " +
	"Stop every program of Keydesk and start it again; \"keydeskd verify\" then says what is lost")

// errBehind: a server holds less than it has given, or something else. On the connection that
// is in use that is a suspicion: it may have been made again unseen, to a node that leads no
// more. So it is given up, and what the next one is found to hold counts.
var errBehind = errors.New("the server holds less than it has given")

// samePatience is for how long a server is asked whether it is the one that it was.
const samePatience = 5 * time.Second

// lastKept is for how long what a server forgets in time is certainly there: it keeps
// logins and probes for a day at the least.
const lastKept = time.Hour

// A landmark is how far a server has given what is ours. Its methods may be called
// concurrently.
type landmark struct {
	mu    sync.Mutex
	at    mark          // the furthest event that no server forgets
	last  esdb.Position // the furthest of all
	given time.Time     // when that was given
}

// A mark is an event, and where it stands.
type mark struct {
	stream   string
	revision uint64
	id       uuid.UUID
	place    esdb.Position
}

// pass takes note of an event.
func (m *landmark) pass(e *esdb.RecordedEvent, prefix string, as ages) {
	stream, ours := strings.CutPrefix(e.StreamID, prefix)
	if !ours {
		return
	}
	forgotten := strings.HasPrefix(stream, domain.LoginPrefix) || strings.HasPrefix(stream, ProbePrefix) || as.of(stream) > 0
	if !forgotten && !lasts(stream) {
		return // somebody else's, who may delete it
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if !forgotten && later(e.Position, m.at.place) == e.Position {
		m.at = mark{e.StreamID, e.EventNumber, e.EventID, e.Position}
	}
	if later(e.Position, m.last) == e.Position {
		m.last, m.given = e.Position, time.Now()
	}
}

// lasts says of a stream that Keydesk records in it, and that nothing of it is ever deleted.
func lasts(stream string) bool {
	for _, prefix := range []string{domain.EnrolmentPrefix, domain.StationPrefix, domain.StaffPrefix, domain.AccessPrefix} {
		if strings.HasPrefix(stream, prefix) {
			return true
		}
	}
	return stream == domain.ServiceStream
}

// floor returns the position before which the log of the server does not end.
func (m *landmark) floor() domain.Position {
	m.mu.Lock()
	defer m.mu.Unlock()
	if time.Since(m.given) < lastKept {
		return domain.Position(m.last.Commit)
	}
	return domain.Position(m.at.place.Commit)
}

// check says whether a server holds what it has given, where it was: errPutBack. It is the
// leader that is asked, as always, and no node lags behind that: a leader gives nothing that
// the next one may not have. One that holds it later after all is gone on with.
func (m *landmark) check(ctx context.Context, c *esdb.Client) error {
	m.mu.Lock()
	at := m.at
	m.mu.Unlock()
	if floor := m.floor(); floor > 0 {
		switch end, err := head(ctx, c); {
		case denied(err): // who reads everything is told so, and who only appends is not kept from it
			return nil
		case err != nil:
			return err
		case end < floor:
			return errPutBack
		}
	}
	if at.stream == "" {
		return nil
	}
	e, err := eventAt(ctx, c, at.stream, at.revision)
	switch {
	case denied(err):
		return nil
	case errors.Is(err, io.EOF):
		return errPutBack
	case err != nil:
		return err
	case e.Position.Commit != at.place.Commit || e.EventID != at.id:
		return errPutBack
	}
	return nil
}

// same runs check on the connection that is in use: gRPC makes that again unseen. What does
// not hold there is looked at once more on a new one.
func (l *ESDB) same(ctx context.Context) error {
	_, err := reading(ctx, l, func(ctx context.Context, c *esdb.Client) (struct{}, error) {
		err := l.landmark.check(ctx, c)
		if errors.Is(err, errPutBack) {
			err = errBehind
		}
		return struct{}{}, err
	})
	return err
}

// eventAt returns the event of a stream at a revision; io.EOF: there is none. It is asked for
// by that, since a server need not take a place that it has given.
func eventAt(ctx context.Context, c *esdb.Client, stream string, revision uint64) (*esdb.RecordedEvent, error) {
	events, err := c.ReadStream(ctx, stream, esdb.ReadStreamOptions{Direction: esdb.Forwards, From: esdb.Revision(revision)}, 1)
	if err != nil {
		return nil, err
	}
	defer events.Close()
	e, err := events.Recv()
	switch code := codeOf(err); {
	case code == esdb.ErrorCodeResourceNotFound, code == esdb.ErrorCodeStreamDeleted:
		return nil, io.EOF
	case err != nil:
		return nil, err
	}
	return e.OriginalEvent(), nil
}

// familiar runs check on a client that nobody else has yet, and closes that where it
// fails. A client that dies under a call may leave it unanswered: it is not waited for.
func familiar(client *esdb.Client, check func(context.Context, *esdb.Client) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), samePatience)
	checked := make(chan error, 1)
	go func() {
		defer cancel()
		checked <- check(ctx, client)
	}()
	timer := time.NewTimer(samePatience + ownPatience)
	defer timer.Stop()
	select {
	case err := <-checked:
		if err != nil {
			_ = client.Close() // it never fails
		}
		return err
	case <-timer.C:
		go func() {
			<-checked
			_ = client.Close()
		}()
		return errors.New("the server does not say what it holds")
	}
}
