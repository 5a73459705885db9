package replay

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"sync"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/projections/factor"
	"github.com/keydesk/keydesk/projections/internal/fold"
	"github.com/keydesk/keydesk/projections/progress"
	"github.com/keydesk/keydesk/projections/timeline"
)

// ErrKept says that something that was kept cannot be gone on from.
var ErrKept = fold.ErrSnapshot

// errEnough ends a reading that has brought what was wanted.
var errEnough = errors.New("enough")

func enough(err error) error {
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// The names of what is kept: the timeline, and each state under its position.
const (
	lineName    = "timeline"
	stateSuffix = ".state"
)

func nameOf(p domain.Position) string { return fmt.Sprintf("%020d%s", p, stateSuffix) }

func positionOf(name string) (domain.Position, bool) {
	digits, ok := strings.CutSuffix(name, stateSuffix)
	n, err := strconv.ParseUint(digits, 10, 64)
	return domain.Position(n), ok && err == nil && nameOf(domain.Position(n)) == name
}

// A mark is the last event of what is kept. It is in an enrolment: a log never forgets
// those.
type mark struct {
	stream   string
	revision domain.Revision
	position domain.Position
}

// eventAt returns the id of the event that a mark is of; ErrKept when the log has another
// one, or none, where it says.
func (r *Replayer) eventAt(ctx context.Context, m mark) (domain.EventID, error) {
	events, err := r.log.ReadStream(ctx, m.stream, m.revision)
	if err != nil {
		return domain.EventID{}, fmt.Errorf("read the event at position %d: %w", m.position, err)
	}
	if len(events) == 0 || events[0].Revision != m.revision || events[0].Position != m.position {
		return domain.EventID{}, fmt.Errorf("%w: the log has no such event at position %d", ErrKept, m.position)
	}
	return events[0].ID, nil
}

// check says whether the log has the event that a mark is of.
func (r *Replayer) check(ctx context.Context, m mark, id domain.EventID) error {
	switch there, err := r.eventAt(ctx, m); {
	case err != nil:
		return err
	case there != id:
		return fmt.Errorf("%w: the log holds another event at position %d", ErrKept, m.position)
	}
	return nil
}

// A state is kept as the snapshot of the factors, that of the board, a head that says
// which event they go up to and holds the checksums that they end with, and the lengths of
// the first two: numbers of 8 bytes, little-endian. So the checksum of the head stands for
// all of it.
const (
	headKind    = "replay"
	headVersion = 2
	lengths     = 2 * 8
	longestName = 1 << 10
)

// sums are the checksums of the two folds of a state.
type sums [2][sha256.Size]byte

func writeHead(w io.Writer, m mark, id domain.EventID, s sums) error {
	e := fold.NewEncoder(w, headKind, headVersion, fold.Mark{Position: m.position, Event: id})
	e.String(m.stream)
	e.Uint64(uint64(m.revision)) //nolint:gosec // and back again
	e.Bytes(s[0][:])
	e.Bytes(s[1][:])
	return e.Close()
}

func readHead(from io.Reader) (m mark, at fold.Mark, s sums, err error) {
	d, at := fold.NewDecoder(from, headKind, headVersion)
	m.stream = d.String(longestName)
	m.revision, m.position = domain.Revision(d.Uint64()), at.Position //nolint:gosec // checked against the log
	copy(s[0][:], d.Bytes(sha256.Size))
	copy(s[1][:], d.Bytes(sha256.Size))
	return m, at, s, d.Close()
}

// load reads the state that is kept at a position, and sees that it is of this log.
func (r *Replayer) load(ctx context.Context, p domain.Position) (State, error) {
	kept, err := r.o.Keep.Open(nameOf(p))
	if err != nil {
		return State{}, err
	}
	defer kept.Close() //nolint:errcheck // only read
	size := kept.Size()
	var b [lengths]byte
	if size < lengths {
		return State{}, fmt.Errorf("%w: cut off", ErrKept)
	}
	if _, err := kept.ReadAt(b[:], size-lengths); err != nil && !errors.Is(err, io.EOF) {
		return State{}, err
	}
	one, two := binary.LittleEndian.Uint64(b[:]), binary.LittleEndian.Uint64(b[8:])
	if rest := uint64(size - lengths); one > rest || two > rest-one {
		return State{}, fmt.Errorf("%w: lengths that cannot be", ErrKept)
	}
	part := func(from, to uint64) io.Reader { return io.NewSectionReader(kept, int64(from), int64(to-from)) } //nolint:gosec // within size
	m, at, want, err := readHead(part(one+two, uint64(size-lengths)))
	if err != nil {
		return State{}, err
	}
	if err := ends(kept, want, one, one+two); err != nil {
		return State{}, err
	}
	s, err := r.decode(part(0, one), part(one, one+two), at)
	if err == nil && m.position != p {
		err = fmt.Errorf("%w: it is of position %d", ErrKept, m.position)
	}
	if err == nil {
		err = r.check(ctx, m, at.Event)
	}
	return s, err
}

// ends says whether the folds of a state are the ones that its head names: they end with
// the checksums that it holds, which fit what is before them, or cannot be decoded.
func ends(kept io.ReaderAt, want sums, at ...uint64) error {
	for i, end := range at {
		var sum [sha256.Size]byte
		if end < sha256.Size {
			return fmt.Errorf("%w: lengths that cannot be", ErrKept)
		}
		if _, err := kept.ReadAt(sum[:], int64(end-sha256.Size)); err != nil { //nolint:gosec // within its size
			return err
		}
		if sum != want[i] {
			return fmt.Errorf("%w: its parts are of other states", ErrKept)
		}
	}
	return nil
}

// decode reads both folds at once.
func (r *Replayer) decode(factors, board io.Reader, at fold.Mark) (State, error) {
	s := State{Position: at.Position}
	var errs [2]error
	var both sync.WaitGroup
	both.Go(func() {
		m, mark, err := factor.Decode(factors)
		if err == nil && mark != at {
			err = fmt.Errorf("%w: the factors are of another position", ErrKept)
		}
		if errs[0] = err; err == nil {
			s.Factors = m.Snapshot()
		}
	})
	both.Go(func() {
		b, mark, err := progress.Decode(board, r.o.Lock)
		if err == nil && mark != at {
			err = fmt.Errorf("%w: the progress is of another position", ErrKept)
		}
		if errs[1] = err; err == nil {
			s.Board = b.Snapshot()
		}
	})
	both.Wait()
	return s, errors.Join(errs[:]...)
}

// A saver keeps states while a way goes on, one at a time of all ways.
type saver struct {
	r    *Replayer
	over bool // one could not be kept: no others are tried on this way; for whoever has r.keeping
}

func (r *Replayer) newSaver() *saver { return &saver{r: r, over: r.o.Keep == nil} }

// save begins to keep the state of a fold, and does not wait until it is written: that can
// take longer than the way there. While the last one is not written yet, it is for the next
// time, unless that is overdue.
func (s *saver) save(ctx context.Context, f *folding) {
	r := s.r
	select {
	case r.keeping <- struct{}{}:
	default:
		if f.since < 2*r.every(f) {
			return
		}
		r.keeping <- struct{}{}
	}
	if s.over {
		<-r.keeping
		return
	}
	f.since = 0
	failed := func(m mark, err error) {
		s.over = true
		if ctx.Err() == nil {
			r.o.Report(fmt.Errorf("keep the state at position %d: %w", m.position, err))
		}
		<-r.keeping
	}
	state, m := f.state(f.mark.position), f.mark
	id, err := r.eventAt(ctx, m) // before it goes on alone: nothing is read of a log that may be closed by then
	if err != nil {
		failed(m, err)
		return
	}
	go func() {
		if err := r.keep(state, m, id); err != nil {
			failed(m, err)
			return
		}
		<-r.keeping
	}()
}

// Wait returns when all that ways have left behind is kept, or could not be. A seek does
// not wait for that; whoever ends the program does.
func (r *Replayer) Wait() {
	r.keeping <- struct{}{}
	<-r.keeping
}

func (r *Replayer) keep(s State, m mark, id domain.EventID) error {
	return r.o.Keep.Keep(nameOf(m.position), func(w io.Writer) error {
		c := &counting{to: w}
		if err := s.Factors.Encode(c, id); err != nil {
			return err
		}
		one, sum := c.n, c.end
		if err := s.Board.Encode(c, id); err != nil {
			return err
		}
		two := c.n - one
		if err := writeHead(c, m, id, sums{sum, c.end}); err != nil {
			return err
		}
		_, err := w.Write(binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, one), two))
		return err
	})
}

// counting counts what is written, and remembers its end.
type counting struct {
	to  io.Writer
	n   uint64
	end [sha256.Size]byte
}

func (c *counting) Write(b []byte) (int, error) {
	n, err := c.to.Write(b)
	c.n += uint64(n) //nolint:gosec // not negative
	kept := max(0, len(c.end)-n)
	copy(c.end[:kept], c.end[len(c.end)-kept:])
	copy(c.end[kept:], b[max(0, n-len(c.end)):n])
	return n, err
}

// readLine reads the timeline on, so that it goes up to a position.
func (r *Replayer) readLine(ctx context.Context, p domain.Position) error {
	if r.line == nil {
		r.line = r.loadLine(ctx)
	}
	if p <= r.line.Position() {
		return nil
	}
	before := r.line.Events()
	err := r.log.ReadAll(ctx, domain.Query{After: r.line.Position()}, func(b domain.Batch) error {
		r.line.Apply(b.Events, b.Through)
		return nil
	})
	if err != nil {
		return err
	}
	if r.o.Keep != nil && r.line.Events()-before >= r.o.Every {
		if err := r.saveLine(ctx); err != nil {
			r.o.Report(fmt.Errorf("keep the timeline: %w", err))
		}
	}
	return nil
}

func (r *Replayer) saveLine(ctx context.Context) error {
	s := r.line.Snapshot()
	m := markOf(s.Mark())
	if m.position == 0 {
		return nil
	}
	id, err := r.eventAt(ctx, m)
	if err != nil {
		return err
	}
	return r.o.Keep.Keep(lineName, func(w io.Writer) error { return s.Encode(w, id) })
}

func markOf(m timeline.Mark) mark {
	return mark{domain.EnrolmentStream(m.Subject), m.Revision, m.Position}
}

// loadLine returns the timeline that is kept, or an empty one where none fits.
func (r *Replayer) loadLine(ctx context.Context) *timeline.Line {
	if r.o.Keep == nil {
		return timeline.New(r.o.Skip...)
	}
	kept, err := r.o.Keep.Open(lineName)
	if errors.Is(err, fs.ErrNotExist) {
		return timeline.New(r.o.Skip...)
	}
	if err == nil {
		defer kept.Close() //nolint:errcheck // only read
		var l *timeline.Line
		var m timeline.Mark
		var id domain.EventID
		if l, m, id, err = timeline.Decode(io.NewSectionReader(kept, 0, kept.Size()), r.o.Skip...); err == nil {
			if err = r.check(ctx, markOf(m), id); err == nil {
				return l
			}
		}
	}
	if ctx.Err() == nil {
		r.drop(lineName, err)
	}
	return timeline.New(r.o.Skip...)
}
