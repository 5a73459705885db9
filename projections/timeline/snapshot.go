package timeline

import (
	"fmt"
	"io"
	"slices"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/projections/internal/fold"
)

// ErrSnapshot says that a snapshot cannot be gone on from: read from the start.
var ErrSnapshot = fold.ErrSnapshot

const (
	kind = "timeline"
	// version grows whenever the same events would give other stretches.
	version = 2
	// mostStretches bounds what a damaged count can make us allocate: 40 MB.
	mostStretches = 1 << 20
)

// A Snapshot is a Line as it was after one event of an enrolment.
type Snapshot struct {
	mark Mark
	run  run
	all  []stretch
}

// Snapshot returns the line as it was after the last event of an enrolment: what came
// behind that may be a login, which the log forgets.
func (l *Line) Snapshot() Snapshot {
	l.mu.RLock()
	defer l.mu.RUnlock()
	s := Snapshot{mark: l.mark}
	if s.mark == (Mark{}) {
		return s
	}
	s.run, s.all = l.ran, slices.Clone(l.upToMark())
	return s
}

// Mark returns the event up to which the snapshot goes: see that the log still has it
// before going on from there.
func (s Snapshot) Mark() Mark { return s.mark }

// Encode writes the snapshot, with the id of the event at its mark. It makes nothing
// durable: that is up to whoever owns the writer.
func (s Snapshot) Encode(w io.Writer, last domain.EventID) error {
	e := fold.NewEncoder(w, kind, version, fold.Mark{Position: s.mark.Position, Event: last})
	e.Bytes(s.mark.Subject[:])
	e.Uint64(uint64(s.mark.Revision)) //nolint:gosec // and back again
	e.Uint64(uint64(s.run.n))         //nolint:gosec // a count
	e.Uint64(uint64(s.run.latest))    //nolint:gosec // and back again
	e.Uint64(uint64(len(s.all)))
	for _, a := range s.all {
		e.Uint64(uint64(a.hour))   //nolint:gosec // and back again
		e.Uint64(uint64(a.events)) //nolint:gosec // a count
		e.Uint64(uint64(a.astray)) //nolint:gosec // a count
		e.Uint64(uint64(a.last))
		e.Uint64(uint64(a.latest)) //nolint:gosec // and back again
	}
	if err := e.Close(); err != nil {
		return fmt.Errorf("write snapshot of the timeline: %w", err)
	}
	return nil
}

// Decode reads what Encode wrote, for a line as New makes it. It returns the mark up to
// which the line goes, and the id of the event there. Of a snapshot that does not fit in
// any way nothing is kept, and the error is ErrSnapshot.
func Decode(r io.Reader, skip ...string) (*Line, Mark, domain.EventID, error) {
	l := New(skip...)
	d, at := fold.NewDecoder(r, kind, version)
	copy(l.mark.Subject[:], d.Bytes(len(l.mark.Subject)))
	l.mark.Revision = domain.Revision(d.Uint64()) //nolint:gosec // any number is one
	l.mark.Position = at.Position
	ran := d.Uint64()
	l.run.latest = int64(d.Uint64()) //nolint:gosec // checked below
	n := d.Uint64()
	if n > mostStretches || n > 0 != (at.Position > 0) || n == 0 && l.mark != (Mark{}) {
		d.Fail("a count that cannot be")
	}
	for ; n > 0 && d.Err() == nil; n-- {
		l.decode(d)
	}
	if d.Err() == nil {
		l.decodeRun(d, ran)
	}
	if n := len(l.all); n > 0 && d.Err() == nil {
		if l.marked = l.all[n-1]; l.marked.last != at.Position {
			d.Fail("it does not end at its mark")
		}
	}
	if err := d.Close(); err != nil {
		return nil, Mark{}, domain.EventID{}, fmt.Errorf("read snapshot of the timeline: %w", err)
	}
	l.through = at.Position
	return l, l.mark, at.Event, nil
}

// decodeRun takes in how long a run was.
func (l *Line) decodeRun(d *fold.Decoder, n uint64) {
	if n == 0 && l.run.latest != 0 || n > 0 && (n > uint64(l.before(len(l.all))) || !l.behind(l.run.latest)) { //nolint:gosec // a count
		d.Fail("a run that cannot be")
		return
	}
	l.run.n = int(n) //nolint:gosec // of so many events
	l.ran = l.run
}

func (l *Line) decode(d *fold.Decoder) {
	var last stretch
	if n := len(l.all); n > 0 {
		last = l.all[n-1]
	}
	a := stretch{hour: int64(d.Uint64())} //nolint:gosec // checked below
	events, astray := d.Uint64(), d.Uint64()
	a.last, a.latest = domain.Position(d.Uint64()), int64(d.Uint64()) //nolint:gosec // checked below
	if events == 0 || events > mostEvents || astray > events || a.last <= last.last || hourAt(a.latest) != a.hour ||
		len(l.all) > 0 && (a.hour < last.hour || a.latest < last.latest) {
		d.Fail("a stretch that cannot be")
		return
	}
	a.events, a.astray = int(events), int(astray) //nolint:gosec // at most mostEvents
	a.sum = last.sum + a.events
	l.all = append(l.all, a)
}
