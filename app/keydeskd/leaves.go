package main

import (
	"encoding/hex"
	"fmt"
	"time"

	"github.com/keydesk/keydesk/app/internal/seal"
	"github.com/keydesk/keydesk/app/internal/settings"
	"github.com/keydesk/keydesk/app/internal/store"
	"github.com/keydesk/keydesk/domain"
)

// A leafLine is what the seal knows of an event, as it is printed.
type leafLine struct {
	Number     *int64         `json:"number"` // from 0; null: it is not sealed yet, or is no part of the seal
	Hash       string         `json:"hash,omitempty"`
	Altered    bool           `json:"altered,omitempty"` // it is not what was sealed
	Checkpoint *coveringPoint `json:"checkpoint,omitempty"`
}

// A coveringPoint is the first checkpoint that covers a leaf.
type coveringPoint struct {
	Number int       `json:"number"` // from 1
	Size   int64     `json:"size"`
	At     time.Time `json:"at"`
}

// leaves looks events up in the seal, best in the order of the log.
type leaves struct {
	seal *seal.Seal
	from int64 // the first leaf that is known to be covered by point, and by none before
	last *coveringPoint
}

// leavesOf opens the seal of a log to be read. Close has to follow.
func (a *app) leavesOf(log store.Log, set settings.Settings) (*leaves, error) {
	l, err := sealedOf(log, set)
	if err != nil {
		return nil, err
	}
	c, err := l.config(a.errs)
	if err != nil {
		return nil, err
	}
	s, err := seal.Open(a.ctx, c)
	if err != nil {
		return nil, err
	}
	return &leaves{seal: s}, nil
}

// Close closes the seal.
func (l *leaves) Close() error { return l.seal.Close() }

// of looks an event up, which was read with its metadata.
func (l *leaves) of(e *domain.Recorded) (*leafLine, error) {
	known, err := l.seal.Know(e)
	if err != nil {
		return nil, fmt.Errorf("look up the leaf of position %d: %w", e.Position, err)
	}
	line := &leafLine{Altered: known.Altered}
	if known.Leaf < 0 {
		return line, nil
	}
	line.Number, line.Hash = &known.Leaf, hex.EncodeToString(known.Hash[:])
	if l.last == nil || known.Leaf < l.from || known.Leaf >= l.last.Size {
		c, ok, err := l.seal.Covering(known.Leaf)
		if err != nil {
			return nil, fmt.Errorf("look up the checkpoint of leaf %d: %w", known.Leaf, err)
		}
		if l.last = nil; ok {
			l.from, l.last = known.Leaf, &coveringPoint{Number: c.Number, Size: c.Size, At: c.At}
		}
	}
	line.Checkpoint = l.last
	return line, nil
}
