package vault

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// A Limit says how often something may be done: at most Max times in any
// Window, and with some time between two.
//
// Name and Key together are one counter. The key may be personal, such as an
// address (as NormalEmail gives it, so that another spelling is no other
// counter) or a number in E.164: only its keyed hash is stored, and a Limit
// prints without it.
type Limit struct {
	Name   string        // such as "send-hour"; it may stand in logs
	Key    string        `json:"-"`
	Window time.Duration // a sliding one
	Max    int           // at least 1

	// Wait is the least time after the first, the second … one of a window;
	// the last of them holds for all that follow. Empty: no wait.
	Wait []time.Duration
}

// Format prints the limit without its key.
func (l Limit) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "limit %s: %d in %s, key %s", l.Name, l.Max, l.Window, redacted)
}

// String prints the limit without its key.
func (l Limit) String() string { return fmt.Sprint(l) }

// A Limited is the refusal of Take: which limit refuses, and when all of them
// would allow it again if nothing else happens.
type Limited struct { //nolint:errname // it reads as what happened: err is a *Limited
	Name    string
	RetryAt time.Time // UTC
}

// Error names the limit and the time.
func (l *Limited) Error() string {
	return fmt.Sprintf("limit %s is reached until %s", l.Name, l.RetryAt.Format(time.RFC3339))
}

// Taken says how far the limits are used up after a Take.
type Taken struct {
	Used []int     // for each limit, in order: how many in its window, this one included
	Next time.Time // the first moment at which all of them allow another one, UTC
}

// Take counts one act against every limit, or against none when one of them
// refuses (*Limited). The stations share the counters: of many at the same
// moment, over all processes, no more than Max get through.
//
// The time is the caller's, kept in whole milliseconds. Where stations share a
// vault, their clocks differ a little, and a window begins and ends so much
// earlier for one than for another. What a station with a faster clock took
// counts at once, and for so much longer. Counts that lie more than a window in
// the future, after a clock was set back, are passed over; one is kept for two
// windows, so that a clock runs ahead by a window before it forgets something
// that still counts for others.
func (v *Vault) Take(ctx context.Context, now time.Time, limits ...Limit) (Taken, error) {
	counters, err := v.counters(limits)
	if err != nil {
		return Taken{}, fmt.Errorf("take: %w", err)
	}
	now = now.Truncate(time.Millisecond).UTC()
	var taken Taken
	err = v.db.write(ctx, func(ctx context.Context, tx tx) error {
		if err := tx.lock(ctx, names(counters)...); err != nil {
			return err
		}
		if err := tx.expire(ctx, "taken", "until", now.UnixMilli()+1); err != nil {
			return err
		}
		if err := allowed(ctx, tx, now, limits, counters); err != nil {
			return err
		}
		taken = Taken{Used: make([]int, len(limits)), Next: now}
		for i, l := range limits {
			_, err := tx.exec(ctx, `INSERT INTO taken (counter, at, until) VALUES ($1, $2, $3)`,
				counters[i][:], now.UnixMilli(), now.Add(2*l.Window).UnixMilli()) // two: see Limit.wait
			if err != nil {
				return err
			}
			next, used, err := l.next(ctx, tx, counters[i], now)
			if err != nil {
				return err
			}
			taken.Used[i] = used
			taken.Next = later(taken.Next, next)
		}
		return nil
	})
	if err != nil {
		return Taken{}, fmt.Errorf("take: %w", err)
	}
	return taken, nil
}

// Allowed says whether Take would succeed now, without taking: nil, or the
// *Limited that it would return.
func (v *Vault) Allowed(ctx context.Context, now time.Time, limits ...Limit) error {
	counters, err := v.counters(limits)
	if err == nil {
		err = v.db.read(ctx, func(ctx context.Context, q querier) error {
			return allowed(ctx, q, now.Truncate(time.Millisecond).UTC(), limits, counters)
		})
	}
	if err != nil {
		return fmt.Errorf("ask limits: %w", err)
	}
	return nil
}

// Clear forgets what was counted for the limits, such as those of the hour
// when a code is confirmed.
func (v *Vault) Clear(ctx context.Context, limits ...Limit) error {
	counters, err := v.counters(limits)
	if err == nil {
		err = v.db.write(ctx, func(ctx context.Context, tx tx) error {
			if err := tx.lock(ctx, names(counters)...); err != nil {
				return err
			}
			for _, c := range counters {
				if _, err := tx.exec(ctx, `DELETE FROM taken WHERE counter = $1`, c[:]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err != nil {
		return fmt.Errorf("clear limits: %w", err)
	}
	return nil
}

// Count returns how many the limit's window holds now.
func (v *Vault) Count(ctx context.Context, now time.Time, limit Limit) (int, error) {
	counters, err := v.counters([]Limit{limit})
	if err != nil {
		return 0, fmt.Errorf("count: %w", err)
	}
	var used int
	err = v.db.read(ctx, func(ctx context.Context, q querier) error {
		_, used, err = limit.next(ctx, q, counters[0], now.Truncate(time.Millisecond))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("count: %w", err)
	}
	return used, nil
}

// counters checks the limits, and returns the name of each one's counter.
func (v *Vault) counters(limits []Limit) ([][32]byte, error) {
	counters := make([][32]byte, len(limits))
	seen := make(map[[32]byte]bool, len(limits))
	for i, l := range limits {
		if l.Name == "" || l.Window < time.Millisecond || l.Max < 1 {
			return nil, fmt.Errorf("%w: %s", ErrBadLimit, l.Name)
		}
		counters[i] = keyedHash(&v.index.counter, l.Name, l.Key)
		if seen[counters[i]] {
			return nil, fmt.Errorf("%w: %s is given twice", ErrBadLimit, l.Name)
		}
		seen[counters[i]] = true
	}
	return counters, nil
}

// names returns the counters as names to lock.
func names(counters [][32]byte) [][]byte {
	names := make([][]byte, len(counters))
	for i := range counters {
		names[i] = counters[i][:]
	}
	return names
}

// allowed returns the *Limited that names the limit which refuses longest, or nil.
func allowed(ctx context.Context, q querier, now time.Time, limits []Limit, counters [][32]byte) error {
	var refusal *Limited
	for i, l := range limits {
		next, _, err := l.next(ctx, q, counters[i], now)
		if err != nil {
			return err
		}
		if next.After(now) && (refusal == nil || next.After(refusal.RetryAt)) {
			refusal = &Limited{Name: l.Name, RetryAt: next}
		}
	}
	if refusal == nil {
		return nil // and not a nil *Limited
	}
	return refusal
}

// next returns when the limit allows another one, and how many stand in its
// window at the moment.
func (l Limit) next(ctx context.Context, q querier, counter [32]byte, now time.Time) (next time.Time, used int, err error) {
	from, to := now.Add(-l.Window).UnixMilli(), now.Add(l.Window).UnixMilli()
	var last sql.NullInt64
	err = q.row(ctx, `SELECT count(*), max(at) FROM taken WHERE counter = $1 AND at > $2 AND at <= $3`, counter[:], from, to).
		Scan(&used, &last)
	if err != nil || used == 0 {
		return now, used, err
	}
	next = now
	if len(l.Wait) > 0 {
		wait, err := l.wait(ctx, q, counter, last.Int64)
		if err != nil {
			return now, 0, err
		}
		next = later(next, time.UnixMilli(last.Int64).Add(wait))
	}
	if used < l.Max {
		return next.UTC(), used, nil
	}
	// the one that has to leave the window before there is room
	var leaves int64
	err = q.row(ctx, `SELECT at FROM taken WHERE counter = $1 AND at > $2 AND at <= $3 ORDER BY at LIMIT 1 OFFSET $4`,
		counter[:], from, to, used-l.Max).Scan(&leaves)
	if errors.Is(err, sql.ErrNoRows) { // cleared between the two questions of a reader
		return now, 0, nil
	}
	return later(next, time.UnixMilli(leaves).Add(l.Window)).UTC(), used, err
}

// wait returns the least time after the last one. It goes by how many the
// window held when the last was taken, so that it stays the same while earlier
// ones leave the window.
func (l Limit) wait(ctx context.Context, q querier, counter [32]byte, last int64) (time.Duration, error) {
	var ordinal int
	err := q.row(ctx, `SELECT count(*) FROM taken WHERE counter = $1 AND at > $2 AND at <= $3`,
		counter[:], last-l.Window.Milliseconds(), last).Scan(&ordinal)
	wait := l.Wait[max(1, min(ordinal, len(l.Wait)))-1]
	return min(wait, l.Window), err
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
