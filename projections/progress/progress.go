package progress

import (
	"fmt"
	"io"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/projections/internal/fold"
)

// Other stands for a reason that this program has no word for.
const Other enrolment.Undelivered = "other"

// A Person is where somebody stands. All times are the log's clock, UTC,
// microseconds; zero where there is none.
type Person struct {
	Subject    domain.SubjectID
	Registered bool           // HR announced them
	Left       bool           // HR did, and announces them no longer
	Step       enrolment.Step // the first one that is open; 0: they have not begun
	Factor     enrolment.Factor
	Frozen     bool      // no factor counts, whatever was chosen
	Erased     bool      // nothing is known of them any more; Step is 0
	Started    time.Time // when they began
	Since      time.Time // when they came to this step, or were parked
	Last       time.Time // when anything happened last, HR's announcements aside
	Came       time.Time // when their last visit began, as far as it can be told
	Trouble    time.Time // when something went wrong last, whether it is over or not

	WrongInARow   int                   // wrong codes since the last right one
	Locked        bool                  // too many of them: the helpdesk has to look
	Undeliverable enrolment.Undelivered // why the last code that they wait for did not arrive; empty: nothing is known of that
	WrongAtCode   int                   // wrong guesses at the code that they wait for
	PairingOver   bool                  // they stand at the choice, and their last pairing had too many tries at its digits
	Parked        bool                  // an event of theirs could not be understood: all above may be old

	Revision domain.Revision
	Position domain.Position
}

// Stuck says whether somebody has to help.
func (p *Person) Stuck() bool { return p.Parked || p.Frozen || p.Locked || p.Undeliverable != "" }

// A Board holds where everybody stands: about 160 bytes a person. One goroutine
// may apply events while any number of others read.
type Board struct {
	people *fold.People[row, *row]
	lock   int
}

// New returns a board that has seen nothing yet. A person counts as locked from
// so many wrong codes in a row (enrolment.Policy.WrongCodesInARow).
func New(lock int) *Board { return &Board{fold.NewPeople[row](), lock} }

// Apply folds a run of events, in the order of the log, and notes that there
// is nothing else up to through. What was applied before is passed over, and
// nothing that an event points at is kept.
func (b *Board) Apply(events []domain.Recorded, through domain.Position) {
	b.people.Apply(events, through)
}

// Position returns how far the log was applied.
func (b *Board) Position() domain.Position { return b.people.Position() }

// Person returns where somebody stands, and whether the log knows them at all.
func (b *Board) Person(id domain.SubjectID) (Person, bool) {
	p, _, ok := b.people.Get(id)
	if !ok {
		return Person{Subject: id, Factor: enrolment.NoFactor, Revision: domain.NoStream}, false
	}
	return toPerson(id, &p, b.lock), true
}

func toPerson(id domain.SubjectID, p *fold.Person[row], lock int) Person {
	r := &p.Row
	return Person{
		Subject: id, Registered: r.has(registered), Left: r.has(left), Step: r.step(), Factor: r.factor.Current(), Frozen: r.factor.Frozen(), Erased: r.factor.Erased(),
		Started: fold.Time(r.started), Since: p.Time(), Last: fold.Time(r.last),
		Came: fold.Time(r.came), Trouble: fold.Time(r.trouble),
		WrongInARow: int(r.wrong), Locked: int(r.wrong) >= lock,
		Undeliverable: r.undeliverable(), Parked: p.Parked, WrongAtCode: int(r.waited().wrong), PairingOver: r.pairingOver(),
		Revision: domain.Revision(p.Revision), Position: p.Position,
	}
}

// Counts says how many people stand where. Those who are parked are counted as
// that and nowhere else.
type Counts struct {
	People        int
	Waiting       int                         // announced, and not begun
	Gone          int                         // announced no longer, and never begun
	Erased        int                         // and counted as nothing else
	At            [enrolment.StepDone + 1]int // by step, from 1; the last are done
	Undeliverable int                         // of those under way: the last code that they wait for did not arrive
	Parked        int
	Strays        int // events in a stream that is called like an enrolment and is none
}

// Counts returns how many people stand where.
func (b *Board) Counts() Counts { return counts(b.people.Counts()) }

func counts(all fold.Counts) Counts {
	c := Counts{People: all.People, Parked: all.Parked, Strays: all.Strays}
	for class, n := range all.ByClass {
		if n == 0 { // most are no class at all
			continue
		}
		switch step := class & stepBits; step {
		case 0:
			c.Waiting += n
		case gone:
			c.Gone += n
		case erased:
			c.Erased += n
		default:
			c.At[step] += n
		}
		if class&notDelivered != 0 {
			c.Undeliverable += n
		}
	}
	return c
}

// Each calls yield for everybody, as they stood when it was called, in the
// order in which they were first heard of, until yield says no. Nobody waits
// for it meanwhile.
func (b *Board) Each(yield func(Person) bool) { b.Snapshot().Each(yield) }

// ErrSnapshot says that a snapshot cannot be gone on from: replay from the start.
var ErrSnapshot = fold.ErrSnapshot

// Mark is the event up to which a snapshot was folded: see that the log still
// has it at that position (feed.Check) before going on from there.
type Mark = fold.Mark

const (
	kind = "progress"
	// foldVersion grows whenever the same events would fold to other rows.
	foldVersion = 7
)

// A Snapshot is a Board as it was at one moment. It may be used concurrently.
type Snapshot struct {
	people fold.Frozen[row, *row]
	lock   int
}

// Snapshot returns the board as it is now. Taking it costs next to nothing.
func (b *Board) Snapshot() Snapshot { return Snapshot{b.people.Freeze(), b.lock} }

// Thaw returns a board that goes on from the snapshot, which stays as it is.
func (s Snapshot) Thaw() *Board { return &Board{s.people.Thaw(), s.lock} }

// Counts returns how many people stood where.
func (s Snapshot) Counts() Counts { return counts(s.people.Counts()) }

// Each calls yield for everybody, in the order in which they were first heard of, until
// yield says no.
func (s Snapshot) Each(yield func(Person) bool) {
	s.people.Each(func(id domain.SubjectID, p *fold.Person[row]) bool { return yield(toPerson(id, p, s.lock)) })
}

// Person is Board.Person of that moment. It looks through everybody: some milliseconds a
// million people.
func (s Snapshot) Person(id domain.SubjectID) (Person, bool) {
	p, ok := s.people.Find(id)
	return s.person(id, p), ok
}

// Differ calls yield for everybody of whom two snapshots do not know the very same, shown
// or not, until it says no. Of whom one of them does not know, its revision is NoStream.
func (s Snapshot) Differ(other Snapshot, yield func(one, two Person) bool) {
	s.people.Differ(other.people, func(id domain.SubjectID, one, two *fold.Person[row]) bool {
		return yield(s.person(id, one), other.person(id, two))
	})
}

func (s Snapshot) person(id domain.SubjectID, p *fold.Person[row]) Person {
	if p == nil {
		return Person{Subject: id, Factor: enrolment.NoFactor, Revision: domain.NoStream}
	}
	return toPerson(id, p, s.lock)
}

// Position returns where the last event stands that was applied: the one whose
// id Encode wants (feed.EventAt). It is 0 when there was none.
func (s Snapshot) Position() domain.Position { return s.people.Position() }

// Encode writes the snapshot, with the id of the event at Position. It makes
// nothing durable: that is up to whoever owns the writer.
func (s Snapshot) Encode(w io.Writer, last domain.EventID) error {
	if err := s.people.Encode(w, kind, foldVersion, last); err != nil {
		return fmt.Errorf("write snapshot of the progress: %w", err)
	}
	return nil
}

// Decode reads what Encode wrote, for a board with this lock (see New). Of a
// snapshot that does not fit in any way nothing is kept, and the error is
// ErrSnapshot.
func Decode(r io.Reader, lock int) (*Board, Mark, error) {
	people, at, err := fold.DecodePeople[row](r, kind, foldVersion)
	if err != nil {
		return nil, Mark{}, fmt.Errorf("read snapshot of the progress: %w", err)
	}
	return &Board{people, lock}, at, nil
}
