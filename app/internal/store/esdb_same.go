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

// samePatience is for how long a server is asked whether it is the one that it was.
const samePatience = 5 * time.Second

// A landmark is the furthest event of an enrolment that a server has given. No server
// forgets those, as it does logins and probes. Its methods may be called concurrently.
type landmark struct {
	mu sync.Mutex
	at esdb.Position
	id uuid.UUID
}

// pass takes note of an event.
func (m *landmark) pass(e *esdb.RecordedEvent, prefix string) {
	if stream, ours := strings.CutPrefix(e.StreamID, prefix); !ours || !strings.HasPrefix(stream, domain.EnrolmentPrefix) {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if later(e.Position, m.at) == e.Position {
		m.at, m.id = e.Position, e.EventID
	}
}

// check says whether a server that was connected to anew holds that event, where it was:
// errPutBack. It is the leader that is asked, as always: no node lags behind that. One that
// holds it later after all is gone on with.
func (m *landmark) check(ctx context.Context, c *esdb.Client) error {
	m.mu.Lock()
	at, id := m.at, m.id
	m.mu.Unlock()
	if at == (esdb.Position{}) {
		return nil
	}
	e, err := recordAt(ctx, c, at)
	switch {
	case denied(err): // who reads everything is told so, and who only appends is not kept from it
		return nil
	case invalidPlace(err), errors.Is(err, io.EOF):
		return errPutBack
	case err != nil:
		return err
	case e.Position.Commit != at.Commit || e.EventID != id:
		return errPutBack
	}
	return nil
}

// recordAt returns the first record from a place on; io.EOF: there is none.
func recordAt(ctx context.Context, c *esdb.Client, at esdb.Position) (*esdb.RecordedEvent, error) {
	events, err := c.ReadAll(ctx, esdb.ReadAllOptions{Direction: esdb.Forwards, From: at}, 1)
	if err != nil {
		return nil, err
	}
	defer events.Close()
	e, err := events.Recv()
	if err != nil {
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
