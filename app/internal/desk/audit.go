package desk

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/staff"
	"github.com/keydesk/keydesk/projections/history"
	"github.com/keydesk/keydesk/projections/ledger"
	"github.com/keydesk/keydesk/projections/replay"
	"github.com/keydesk/keydesk/projections/timeline"
)

// An Auditor is what an auditor may ask of a desk, at its station. Everything takes the
// id of a shift, and is refused with ShiftOver or NoRight where that is over or may not.
// Nothing of it changes anything: all that it adds to the log is what the auditor looked
// at, in their own access stream, before they see it.
//
// audit.go is what it asks and tells, and one file a subject does it: auditreplay.go,
// auditevents.go, auditperson.go, auditseal.go and auditexport.go.
type Auditor struct{ d *Desk }

// Auditor returns the auditor's side of a desk.
func (d *Desk) Auditor() *Auditor { return &Auditor{d} }

// Replays knows how it stood at any moment, by the folds that serve the login service.
type Replays interface {
	// PositionAt returns the position of the last event that was recorded at a moment or
	// before; 0: there is none.
	PositionAt(ctx context.Context, t time.Time) (domain.Position, error)
	// Seek returns how it stood when everything up to a position had happened, and Now
	// how it stands.
	Seek(ctx context.Context, p domain.Position) (Replayed, error)
	Now(ctx context.Context) (Replayed, error)
	// Line returns how much happened when, up to the log's head.
	Line(ctx context.Context) (*timeline.Line, error)
}

// Replayed is how it stood at a place in the log.
type Replayed struct {
	Position domain.Position // of the last event that had happened; 0: none had
	At       time.Time       // of that event
	Events   int             // up to there
	Standing Standing
}

// An Index is a ledger over every event, for as long as somebody holds it.
type Index interface {
	// Hold has the index be there until it is released, and returns at once.
	Hold(ctx context.Context) (release func())
	// Ready says of how much of the log the index knows: below 1 while it is being made.
	Ready() float64
	Page(q ledger.Query) ledger.Page
	At(p domain.Position) (ledger.Row, bool)
	Step(from domain.Position, by int, f ledger.Filter) (ledger.Row, bool)
}

// Seals knows how the log is sealed.
type Seals interface {
	// Status returns all of a SealView but its Check.
	Status(ctx context.Context) (SealView, error)
	// Leaves returns what the seal knows of events, in their order. Of those that the log
	// gives no more there is nothing but the position.
	Leaves(events []domain.Recorded) []Leaf
	// Covering returns the first checkpoint that holds a leaf; false: none does yet.
	Covering(ctx context.Context, leaf int64) (CheckpointView, bool, error)
	// Verify compares the whole log with its seal. It returns the part of a CheckView that
	// means something once it has ended, but Broken, and tells how far it is.
	// ErrNotSealed: there is nothing to compare with.
	Verify(ctx context.Context, progress func(done, total int64)) (CheckView, error)
}

// A Leaf is what the seal knows of an event.
type Leaf struct {
	Number  int64 // from 0; negative: the event is not sealed yet
	Hash    string
	Altered bool // it is not what was sealed
}

// Bundles makes bundles, each at a place of its own where nobody else reads it.
type Bundles interface {
	// Make makes one, and tells how far it is. It fails with one of the errors below, where
	// no such bundle can be.
	Make(ctx context.Context, q BundleQuery, progress func(done, total int64)) (Bundle, error)
}

// Why there is no bundle.
var (
	ErrBadCheckpoint = errors.New("not a checkpoint of this log")
	ErrNothingThere  = errors.New("no sealed event is there")
	ErrNotSealed     = errors.New("nothing is sealed yet")
	ErrNotAsSealed   = errors.New("the log is not what was sealed")
)

// A BundleQuery asks for a bundle.
type BundleQuery struct {
	From, To domain.Position // both included
	Language string
	Zone     *time.Location
	Since    string // see ExportQuery
}

// A Bundle is one that was made. Closing removes it.
type Bundle interface {
	io.ReaderAt
	io.Closer
	Size() int64
	Events() int64
}

// audited runs what only an auditor may. The index is held from here until the shift is
// over.
func (d *Desk) audited(ctx context.Context, shift string, do func(ctx context.Context, by Agent) error) error {
	return d.staffed(ctx, shift, staff.Audit, false, func(ctx context.Context, by Agent) error {
		if d.Replays == nil || d.Index == nil {
			return errNoAudit
		}
		d.holdLedger(ctx, shift)
		return do(ctx, by)
	})
}

var errNoAudit = errors.New("nothing is audited here")

// holdLedger holds the index for a shift, once.
func (d *Desk) holdLedger(ctx context.Context, shift string) {
	d.mu.Lock()
	s := d.shifts[shift]
	first := s != nil && !s.audits
	if first {
		s.audits = true
	}
	d.mu.Unlock()
	if first {
		d.whenOver(shift, d.Index.Hold(ctx))
	}
}

// A Moment is a place in the log. As a question its Position counts, else its At, and
// with neither it is now; as an answer it has both.
type Moment struct {
	Position uint64    // everything up to here has happened; 0: see At
	At       time.Time // the log's clock, UTC
}

// MostBars is the most that a Histogram has.
const MostBars = 400

// A HistogramQuery asks how many events there were when.
type HistogramQuery struct {
	From, To time.Time // zero: from the first event, to the last
	Bars     int       // at most, beside one for what lies ahead, and one for what lies far back; 0: 60; more than MostBars are MostBars
	Zone     string    // whose days and hours bars are, as "Europe/Amsterdam"; empty: UTC
}

// A Histogram is how many events there were when. Its bars follow each other without a
// gap, from the one that holds From to the one that holds To. Where some were recorded by
// a clock that ran far ahead, it ends now, and one more bar is for all that lie behind it.
// Where a few lie far back, as of a clock that was not set yet, it begins after them, and
// one more bar is for those.
type Histogram struct {
	Bars        []Bar
	Width       time.Duration // of a bar: whole hours, or whole days as the zone has them
	First, Last time.Time     // the hour of the log's first event, and its last one, or now where that lies far ahead; zero while there are none
	Begin       time.Time     // where it begins: First, or the first hour that does not lie far back
	Events      int           // in the log
	Astray      int           // of them: they count where they stand in the log, and are of another day by their own time
	Position    uint64        // of the last one
}

// A Bar is the events from a moment on, up to where the next bar begins.
type Bar struct {
	From    time.Time
	Events  int
	Later   bool // all from then on, which is yet to come by the clock here
	Earlier bool // all before the next bar, which are few and lie far back
}

// Standing is how many people stand where.
type Standing = replay.Standing

// A ReplayView is how it stood at a moment, and how it stands now.
type ReplayView struct {
	Moment    Moment // of the last event that had happened by then
	Events    int    // up to there
	Total     int    // in the log
	Then, Now Standing
}

// An EventFilter says which events are wanted: those for which all that is set holds.
// The zero filter lets all through.
type EventFilter struct {
	Subject     domain.SubjectID // of whom they are
	Types       []string         // any of them
	Actor       string           // who did it: a subject's, a station's or a client's id, or Themselves
	Role        domain.Role      // in which they did it
	Station     string
	Correlation domain.EventID // of one visit, or one act of staff
	From, To    time.Time      // recorded at From or after, and before To
}

// Themselves is in EventFilter.Actor, and a value of EventPage.Actors: those who did it as
// the person that they are.
const Themselves = ledger.Themselves

// MostEvents is how many rows a page of events has at most.
const MostEvents = 200

// An EventQuery asks for a window over the events of a filter.
type EventQuery struct {
	Filter EventFilter
	Until  Moment // only what had happened by then; the zero Moment: all
	Oldest bool   // the oldest first, else the newest
	Offset int
	Limit  int // 0: 50; more than MostEvents are MostEvents
}

// An EventPage is a window over the events of the log.
type EventPage struct {
	Rows  []EventRow
	Total int // that the filter lets through
	All   int // up to Until
	// What a filter can choose from, the most frequent first, at most MostFacets of each.
	// Each counts what all other parts of the filter let through.
	Types, Roles, Stations, Actors []Facet
	Ready                          float64 // below 1 while the index is being made: of how much of the log this is
	Unnamed                        bool    // the names of some people are not known yet: ask again
}

// MostFacets is how many values of a kind a page offers to filter by.
const MostFacets = 200

// A Facet is a value to filter by.
type Facet struct {
	Value  string
	Kind   domain.ActorKind // of an actor; empty: of anything else, or where a station and a client have the same id
	Name   string           // of a person; empty: none is known
	Events int
}

// An EventRow is one event: what the log has of it, and the same in words. There is
// nothing personal in the log; the names of people are what the board shows, too.
type EventRow struct {
	Position uint64
	Revision int64 // in its stream
	Stream   string
	Type     string
	ID       domain.EventID
	Recorded time.Time // the log's clock, UTC
	At       time.Time // the station's, UTC; zero: it is not readable

	Subject   domain.SubjectID // of whom it is; zero: of nobody
	Name      string           // empty: nobody, erased, or not known
	Actor     domain.Actor
	ActorName string // empty: not a person, erased, or not known
	Station   string

	Message string            // id of the sentence that tells it, in the area "history"
	Params  map[string]string // what the sentence names; nil: nothing
	Outcome history.Outcome

	Correlation, Causation domain.EventID
	Hash                   string // of its leaf in the seal, hexadecimal; empty: it is not sealed yet
	Altered                bool   // it is not what was sealed
}

// An EventDetail is one event with all that the log has of it.
type EventDetail struct {
	EventRow
	Data       string // as recorded: JSON without personal data
	Metadata   string // likewise
	Leaf       int64  // its number in the seal, from 0; means nothing unless Sealed
	Sealed     bool
	Checkpoint CheckpointView // the first one that it is in; means nothing unless Sealed
	Values     []ValueCheck   // the values in the vault that it refers to
}

// MostLinks is how many events a Chain shows.
const MostLinks = 500

// A Chain is what one action has caused: all events of its correlation, in the order of
// the log.
type Chain struct {
	Links []ChainLink // at most MostLinks, around the one that was asked for
	Total int
}

// A ChainLink is an event in a chain.
type ChainLink struct {
	EventRow
	Depth int // how many causes above it are in the chain
}

// MostHits is how many people FindPerson finds.
const MostHits = 50

// A PersonHit is somebody who was found.
type PersonHit struct {
	Subject domain.SubjectID
	Name    string // empty: none is known
	Email   string // masked, as s•••@voorbeeld.nl
}

// MostStory is how many entries of a person's story show at once.
const MostStory = 500

// PersonThen is one person at a moment, and now.
type PersonThen struct {
	Moment    Moment
	Name      string // of today; empty: erased, or not known
	Then, Now PersonState
	Story     []TimelineEntry // up to then, the newest first, at most MostStory
	Entries   int             // how many there are up to then
}

// A PersonStanding is what the answer to the login service is worth.
type PersonStanding string

// The standings.
const (
	PersonUnheard   PersonStanding = "unheard"   // no event speaks of them
	PersonEnrolling PersonStanding = "enrolling" // announced or under way, and has no factor
	PersonActive    PersonStanding = "active"    // has a factor
	PersonFrozen    PersonStanding = "frozen"
	PersonErased    PersonStanding = "erased"
	PersonLeft      PersonStanding = "left"    // HR announces them no longer, and they have no factor
	PersonUnknown   PersonStanding = "unknown" // an event of theirs could not be understood
)

// A PersonState is where a person stands at a moment.
type PersonState struct {
	Known    bool             // false: no event had spoken of them
	Step     enrolment.Step   // the first that is open; 0: not begun
	Factor   enrolment.Factor // that counts
	State    PersonStanding
	Since    time.Time // when Factor and State became so: the log's clock; zero: not known
	Revision int64     // of their last event
}

// MostValues is how many values of a person Auditor.Values tells of: the newest.
const MostValues = 500

// MostCheckpoints is how many checkpoints a SealView shows.
const MostCheckpoints = 400

// MostUnsealed is how many events behind the last checkpoint are counted.
const MostUnsealed = 10_000

// A SealView is how the log is sealed.
type SealView struct {
	On          bool           // false: nothing was sealed yet, and nothing below but Trouble means anything
	Trouble     bool           // nothing can be sealed now; the server's own check says why
	Checkpoint  CheckpointView // the last
	Size        int64          // leaves that it holds
	Unsealed    int64          // events behind it; of more than MostUnsealed, that many
	Waiting     time.Time      // since when the first of them waits: the log's clock; zero: none does
	Witnesses   []WitnessView
	Checkpoints []CheckpointView // the last of each day (UTC), the newest first, at most MostCheckpoints
	Check       CheckView        // the one that runs, else the last one since the program started
}

// A CheckpointView is a signed statement of what the log held at one moment.
type CheckpointView struct {
	Number    int    // from 1
	Size      int64  // leaves
	Root      string // of the tree, hexadecimal
	At        time.Time
	Witnesses []string // names of those whose cosignature it has
	Note      string   // the whole of it, signed; empty: only that it was made is told here
}

// WitnessState is what is known of a witness.
type WitnessState string

// The states.
const (
	WitnessAgrees    WitnessState = "agrees"    // it has cosigned the last checkpoint
	WitnessBehind    WitnessState = "behind"    // it has cosigned one before that
	WitnessAway      WitnessState = "away"      // it does not answer
	WitnessDisagrees WitnessState = "disagrees" // it saw another log before
)

// A WitnessView is somebody elsewhere who keeps the checkpoints, too.
type WitnessView struct {
	Name  string
	URL   string
	Size  int64     // of the last checkpoint that it cosigned; 0: none
	At    time.Time // of that
	State WitnessState
}

// A CheckView is how far a verification of the whole log is, or what it came to.
type CheckView struct {
	Running bool
	Done    int64 // events, of Total
	Total   int64
	At      time.Time // when it began; zero: there was none
	Ended   time.Time // zero while it runs

	// The rest means something once it has ended.
	OK      bool   // complete and true
	Broken  bool   // it could not be finished, or there is no seal: neither true nor false
	Events  int64  // that were compared
	Expired int64  // logins that were dropped after their time, whose leaves are intact
	Begun   bool   // the seal was begun anew, after another one
	Anew    bool   // and does not show what was changed before that
	Finding string // what is wrong first: the id of its sentence is "seal-finding-" and this; empty: nothing

	// Where that is, as far as it is known.
	Position uint64
	Stream   string
	Type     string
	Witness  string // who says so, where that is a witness
}

// An ExportQuery asks for a bundle of what was recorded.
type ExportQuery struct {
	ID       string // of one that was begun, to see how far it is; empty: begin one
	From     Moment // the first event: at this position, or recorded at that time or after; zero: the first
	To       Moment // the last one: up to this position, or recorded before that time; zero: the last
	Language string // of its report: "nl" or "en"
	Zone     string // whose days and hours the report has, as "Europe/Amsterdam"; empty: UTC
	Since    string // a checkpoint's note that it is to be consistent with; empty: none
}

// An ExportView is how far a bundle is, or what it has become.
type ExportView struct {
	ID      string
	Running bool
	Done    int64 // events, of Total
	Total   int64

	// The rest means something once it has ended.
	Size   int64 // bytes: fetch them with ExportPart
	Events int64
	Name   string // for a file: keydesk-2026-10-01--2026-11-17.zip
}

// ExportPartSize is how many bytes ExportPart returns at most.
const ExportPartSize = 1 << 20
