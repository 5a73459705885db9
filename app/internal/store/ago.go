package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/keydesk/keydesk/domain"
)

// An hour is one in which something was recorded: the first and the last time of it.
type hour struct{ first, last time.Time }

// A past walks back through the hours of a log.
type past struct {
	at      time.Time
	left    time.Duration // how far it has to go yet
	silence time.Duration
}

// through takes the hour before. It says whether the walk has ended in it or behind it.
func (p *past) through(h hour) (done bool) {
	for _, earlier := range [...]time.Time{h.last, h.first} {
		counts := min(p.at.Sub(earlier), p.silence)
		if counts >= p.left {
			return true
		}
		p.at, p.left = earlier, p.left-counts
	}
	return false
}

// end is where the walk has ended, be it before the first event.
func (p *past) end() time.Time { return p.at.Add(-p.left).UTC() }

// Ago returns the moment that lies a span before another one by the time that the log has
// seen: of each silence, in which nothing was recorded, only so much counts. Without a
// longer one it is what the clock says. A clock that runs ahead, by some years say, looks
// like a silence, and what would be old by it alone is not. A time before 1970 is nobody's.
func (s *SQLite) Ago(ctx context.Context, now time.Time, span, silence time.Duration) (time.Time, error) {
	p := past{at: now, left: span, silence: silence}
	err := s.alone(ctx, func(db *sqlite3.Conn) (err error) {
		stmt, _, err := db.Prepare(`SELECT min(recorded), max(recorded) FROM events WHERE recorded BETWEEN 0 AND ?1
			GROUP BY recorded / 3600000000 ORDER BY 2 DESC`)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, stmt.Close()) }()
		if err := stmt.BindInt64(1, now.UnixMicro()); err != nil {
			return err
		}
		for stmt.Step() {
			if p.through(hour{timeOf(stmt.ColumnInt64(0)), timeOf(stmt.ColumnInt64(1))}) {
				return nil
			}
		}
		return stmt.Err()
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("look how much time the log has seen: %w", err)
	}
	return p.end(), nil
}

// Ago is SQLite's, and reads the whole log. That its server's clock is another one than
// that of whoever asks is no matter: what it recorded in the future counts for nothing.
func (l *ESDB) Ago(ctx context.Context, now time.Time, span, silence time.Duration) (time.Time, error) {
	hours := map[int64]hour{}
	err := l.ReadAll(ctx, domain.Query{Expired: true}, func(b domain.Batch) error {
		for i := range b.Events {
			at := b.Events[i].Recorded
			if at.After(now) || at.Unix() < 0 {
				continue
			}
			n := at.Unix() / 3600
			h, ok := hours[n]
			if !ok || at.Before(h.first) {
				h.first = at
			}
			if at.After(h.last) {
				h.last = at
			}
			hours[n] = h
		}
		return nil
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("look how much time the log has seen: %w", err)
	}
	p := past{at: now, left: span, silence: silence}
	for _, n := range slices.SortedFunc(maps.Keys(hours), func(a, b int64) int { return cmp.Compare(b, a) }) {
		if p.through(hours[n]) {
			break
		}
	}
	return p.end(), nil
}
