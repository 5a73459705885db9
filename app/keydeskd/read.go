package main

import (
	"context"
	"sync/atomic"

	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/domain"
)

// read returns a log of which is shown how far it was read: for what takes long because
// it reads all of one.
func (a *app) read(log store.Log, what string) store.Log {
	head, err := log.Head(a.ctx)
	if err != nil {
		return log // whoever reads it finds out as well
	}
	l := &readLog{Log: log}
	a.meter.watch(what, "", func() (done, total int64) { return l.at.Load(), int64(head) }) //nolint:gosec // positions
	return l
}

// A readLog knows up to where it was read last.
type readLog struct {
	store.Log
	at atomic.Int64
}

// ReadAll implements store.Log.
func (l *readLog) ReadAll(ctx context.Context, q domain.Query, yield func(domain.Batch) error) error {
	return l.Log.ReadAll(ctx, q, func(b domain.Batch) error {
		err := yield(b)
		l.at.Store(int64(b.Through)) //nolint:gosec // a position
		return err
	})
}
