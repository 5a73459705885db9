package bundle

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/keydesk/keydesk/app/internal/seal/proof"
	"github.com/keydesk/keydesk/domain"
)

// events writes the events and the table, in one reading of the log, and counts
// for the report.
func (b *builder) events(ctx context.Context) (*figures, error) {
	out, err := b.create(proof.FileEvents)
	if err != nil {
		return nil, err
	}
	sheet, err := newSpool()
	if err != nil {
		return nil, err
	}
	defer sheet.remove()
	p := &pass{
		b: b, next: b.made.From, figures: newFigures(b.q.Zone),
		lines: newPump(out), table: newTable(newPump(sheet), b.words),
	}
	read := p.read(ctx)
	if err := errors.Join(read, p.lines.Close(), p.table.Close(), sheet.Close()); err != nil {
		return nil, err
	}
	b.made.Views[proof.FileTable] = sheet.sum()
	if err := sheet.into(b.zip, proof.FileTable, b.made.Made); err != nil {
		return nil, err
	}
	return p.figures, nil
}

// A pass goes over the leaves of a bundle and the events of the log at once.
type pass struct {
	b       *builder
	next    int64 // the leaf that comes next
	leaves  []leaf
	figures *figures
	lines   *pump
	table   *table
	room    []byte // one line
}

// A leaf is what the seal knows of an event.
type leaf struct {
	proof.Entry
	hash tlog.Hash
}

// read reads the log, and fills in what has expired.
func (p *pass) read(ctx context.Context) error {
	first, err := p.leaf()
	if err != nil {
		return err
	}
	after := max(first.Position, 1) - 1
	err = p.b.src.Log.ReadAll(ctx, domain.Query{After: domain.Position(after), Metadata: true}, func(batch domain.Batch) error {
		for i := range batch.Events {
			e := &batch.Events[i]
			if slices.ContainsFunc(p.b.src.Skip, func(s string) bool { return strings.HasPrefix(e.Stream, s) }) {
				continue
			}
			if err := p.upTo(uint64(e.Position)); err != nil {
				return err
			}
			if p.next == p.b.made.To {
				return errFound
			}
			if err := p.event(e); err != nil {
				return err
			}
		}
		return nil
	})
	switch {
	case errors.Is(err, ErrDiffers):
		return err
	case err != nil && !errors.Is(err, errFound):
		return fmt.Errorf("read the log: %w", err)
	}
	return p.upTo(1<<64 - 1)
}

// leaf returns what the seal knows of the next leaf, which is there.
func (p *pass) leaf() (leaf, error) {
	const block = 1024
	if len(p.leaves) == 0 {
		end := min(p.next+block, p.b.made.To)
		at := make([]int64, 0, block)
		for i := p.next; i < end; i++ {
			at = append(at, tlog.StoredHashIndex(0, i))
		}
		hashes, err := p.b.src.Seal.ReadHashes(at)
		if err != nil {
			return leaf{}, fmt.Errorf("read hashes of the leaves from %d: %w", p.next, err)
		}
		err = entries(p.b.src.Seal, p.next, end, func(e proof.Entry) error {
			p.leaves = append(p.leaves, leaf{e, hashes[len(p.leaves)]})
			return nil
		})
		if err != nil || len(p.leaves) < len(at) {
			return leaf{}, fmt.Errorf("read the index from leaf %d: %w", p.next, errors.Join(err, ErrDiffers))
		}
		p.b.progress(p.next-p.b.made.From, p.b.made.To-p.b.made.From)
	}
	return p.leaves[0], nil
}

// upTo writes the leaves before a position: their events are not in the log.
func (p *pass) upTo(position uint64) error {
	for p.next < p.b.made.To {
		l, err := p.leaf()
		if err != nil || l.Position >= position {
			return err
		}
		line := proof.Line{Number: p.next}
		switch l.Class {
		case proof.Login:
			line.Expired, line.Entry, line.Left = true, l.Entry, l.hash
		case proof.Before:
			line.Checkpoint = string(p.b.src.Seal.Before())
		case proof.Kept:
			return &NotAsSealedError{l.Position, "an event is missing"}
		}
		if line.Hash() != l.hash {
			return &NotAsSealedError{l.Position, "stands another checkpoint of the tree before"}
		}
		if err := p.write(&line, &domain.Metadata{}); err != nil {
			return err
		}
	}
	return nil
}

// event writes an event that the log holds.
func (p *pass) event(e *domain.Recorded) error {
	l, err := p.leaf()
	if err != nil {
		return err
	}
	line := proof.Line{
		Number: p.next, Data: e.Data, Metadata: e.Metadata,
		Event: proof.Leaf{
			Store: p.b.made.Store, Position: uint64(e.Position), Stream: e.Stream, Revision: int64(e.Revision),
			ID: e.ID.String(), Type: e.Type, Time: e.Recorded,
			Data: sha256.Sum256(e.Data), Metadata: sha256.Sum256(e.Metadata),
		},
	}
	switch {
	case l.Position != uint64(e.Position):
		return &NotAsSealedError{uint64(e.Position), "stands an event that was not sealed"}
	case line.Event.Check() != nil || line.Hash() != l.hash:
		return &NotAsSealedError{l.Position, "stands another event than was sealed"}
	}
	var meta domain.Metadata
	if err := json.Unmarshal(e.Metadata, &meta); err != nil {
		meta = domain.Metadata{} // what is not readable is not counted
	}
	return p.write(&line, &meta)
}

// write writes a line wherever it goes.
func (p *pass) write(l *proof.Line, meta *domain.Metadata) error {
	hash := p.leaves[0].hash
	p.leaves = p.leaves[1:]
	p.next++
	p.figures.add(l, meta)
	p.room = append(l.Append(p.room[:0]), '\n')
	if _, err := p.lines.Write(p.room); err != nil {
		return fmt.Errorf("write %s: %w", proof.FileEvents, err)
	}
	return p.table.row(l, meta, hash)
}
