package vault

import (
	"context"
	"fmt"
	"time"
)

const (
	// keepOutcomes is how many sends of each channel LastSends can look back.
	keepOutcomes = 1000
	// keepStarted is how long a send that was started is remembered: far longer
	// than any code or queue lives.
	keepStarted = 30 * 24 * time.Hour
)

// StartSend says whether this is the first start of the send with the given id,
// and remembers it. Only who gets first = true may hand the message to a
// courier; so each is started at most once, over all processes and restarts.
// What came of it after a crash is unknown, and is to be shown so.
//
// The id is kept for 30 days, as a keyed hash. When the answer is an error,
// nothing may be sent.
func (v *Vault) StartSend(ctx context.Context, id string) (first bool, err error) {
	message := keyedHash(&v.index.send, id)
	now := time.Now()
	err = v.db.write(ctx, func(ctx context.Context, tx tx) error {
		if err := tx.expire(ctx, "started", "at", now.Add(-keepStarted).UnixMilli()); err != nil {
			return err
		}
		added, err := tx.exec(ctx, `INSERT INTO started (message, at) VALUES ($1, $2) ON CONFLICT (message) DO NOTHING`,
			message[:], now.UnixMilli())
		first = added == 1
		return err
	})
	if err != nil {
		return false, fmt.Errorf("start send: %w", err)
	}
	return first, nil
}

// RecordSend says that a message went out over a channel ("sms", "mail"), not
// verified yet. The same id again changes nothing.
func (v *Vault) RecordSend(ctx context.Context, at time.Time, channel, id string) error {
	message := keyedHash(&v.index.send, id)
	err := v.db.write(ctx, func(ctx context.Context, tx tx) error {
		if err := tx.lock(ctx, []byte("outcomes of "+channel)); err != nil { // two would forget the same rows
			return err
		}
		added, err := tx.exec(ctx, `INSERT INTO outcome (channel, message, at, verified) VALUES ($1, $2, $3, 0)
			ON CONFLICT (message) DO NOTHING`, channel, message[:], at.UnixMilli())
		if err != nil || added == 0 {
			return err
		}
		_, err = tx.exec(ctx, `DELETE FROM outcome WHERE channel = $1 AND id <=
			(SELECT id FROM outcome WHERE channel = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)`, channel, keepOutcomes)
		return err
	})
	if err != nil {
		return fmt.Errorf("record send: %w", err)
	}
	return nil
}

// RecordVerified says that somebody proved to have received the message. An id
// that is unknown, or forgotten by now, changes nothing.
func (v *Vault) RecordVerified(ctx context.Context, id string) error {
	message := keyedHash(&v.index.send, id)
	err := v.db.write(ctx, func(ctx context.Context, tx tx) error {
		_, err := tx.exec(ctx, `UPDATE outcome SET verified = 1 WHERE message = $1`, message[:])
		return err
	})
	if err != nil {
		return fmt.Errorf("record verified send: %w", err)
	}
	return nil
}

// LastSends returns how many of the last n sends over a channel between two
// moments there were, at most n and at most 1000, and how many of those were
// verified.
func (v *Vault) LastSends(ctx context.Context, channel string, n int, from, until time.Time) (sent, verified int, err error) {
	err = v.db.read(ctx, func(ctx context.Context, q querier) error {
		return q.row(ctx, `SELECT count(*), coalesce(sum(verified), 0) FROM
			(SELECT verified FROM outcome WHERE channel = $1 AND at BETWEEN $2 AND $3 ORDER BY id DESC LIMIT $4) AS last`,
			channel, from.UnixMilli(), until.UnixMilli(), max(n, 0)).
			Scan(&sent, &verified)
	})
	if err != nil {
		return 0, 0, fmt.Errorf("read last sends: %w", err)
	}
	return sent, verified, nil
}
