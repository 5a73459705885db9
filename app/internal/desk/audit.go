package desk

import (
	"context"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/staff"
	"github.com/keydesk/keydesk/projections/history"
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
	Bars     int       // at most; 0: 60; more than MostBars are MostBars
	Zone     string    // whose days and hours bars are, as "Europe/Amsterdam"; empty: UTC
}

// A Histogram is how many events there were when. Its bars follow each other without a
// gap, from the one that holds From to the one that holds To.
type Histogram struct {
	Bars        []Bar
	Width       time.Duration // of a bar: whole hours, or whole days as the zone has them
	First, Last time.Time     // of the log's events; zero while there are none
	Events      int           // in the log
	Position    uint64        // of the last one
}

// A Bar is the events from a moment on, up to where the next bar begins.
type Bar struct {
	From   time.Time
	Events int
}

// Standing is how many people stand where.
type Standing struct {
	People  int
	Invited int // announced, and not begun
	Busy    int // begun, not done and not stuck
	Stuck   int // somebody has to help
	Done    int
	Frozen  int
	Erased  int
	SMS     int // of whom it is the factor that counts
	Pocket  int
	None    int
	Unknown int // an event of theirs could not be understood
}

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
	Actor       string           // who did it: a subject's, a station's or a client's id
	Role        domain.Role      // in which they did it
	Station     string
	Correlation domain.EventID // of one visit, or one act of staff
	From, To    time.Time      // recorded at From or after, and before To
}

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
}

// MostFacets is how many values of a kind a page offers to filter by.
const MostFacets = 200

// A Facet is a value to filter by.
type Facet struct {
	Value  string
	Name   string // of a person or a station; empty: none is known
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
	Hash                   string // of its leaf, hexadecimal; empty: it is not sealed yet
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

// MostValues is how many values of a person are checked at once: the newest.
const MostValues = 500

// MostCheckpoints is how many checkpoints a SealView shows.
const MostCheckpoints = 400

// A SealView is how the log is sealed.
type SealView struct {
	On          bool           // false: nothing was sealed yet, and nothing below means anything
	Checkpoint  CheckpointView // the last
	Size        int64          // leaves that it holds
	Unsealed    int64          // events behind it
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
	Note      string   // the whole of it, signed
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
	Broken  bool   // it could not be finished: neither true nor false
	Events  int64  // that were compared
	Expired int64  // logins that were dropped after their time, whose leaves are intact
	Finding string // what is wrong first: the id of its sentence is "seal-finding-" and this; empty: nothing

	// Where that is, as far as it is known.
	Position uint64
	Stream   string
	Type     string
}

// An ExportQuery asks for a bundle of what was recorded.
type ExportQuery struct {
	ID       string // of one that was begun, to see how far it is; empty: begin one
	From     Moment // the first event: at this position, or recorded at that time or after; zero: the first
	To       Moment // the last one: up to this position, or recorded before that time; zero: the last
	Language string // of its report: "nl" or "en"
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
const ExportPartSize = 256 << 10

func (a *Auditor) Timeline(ctx context.Context, shift string, q HistogramQuery) (Histogram, error) {
	return Histogram{}, a.none(ctx, shift)
}

func (a *Auditor) Replay(ctx context.Context, shift string, m Moment) (ReplayView, error) {
	return ReplayView{}, a.none(ctx, shift)
}

func (a *Auditor) Step(ctx context.Context, shift string, from uint64, by int, f EventFilter) (Moment, error) {
	return Moment{}, a.none(ctx, shift)
}

func (a *Auditor) Events(ctx context.Context, shift string, q EventQuery) (EventPage, error) {
	return EventPage{}, a.none(ctx, shift)
}

func (a *Auditor) Event(ctx context.Context, shift string, position uint64) (EventDetail, error) {
	return EventDetail{}, a.none(ctx, shift)
}

func (a *Auditor) Chain(ctx context.Context, shift string, position uint64) (Chain, error) {
	return Chain{}, a.none(ctx, shift)
}

func (a *Auditor) FindPerson(ctx context.Context, shift, words string) ([]PersonHit, error) {
	return nil, a.none(ctx, shift)
}

func (a *Auditor) PersonThen(ctx context.Context, shift string, s domain.SubjectID, m Moment) (PersonThen, error) {
	return PersonThen{}, a.none(ctx, shift)
}

func (a *Auditor) Values(ctx context.Context, shift string, s domain.SubjectID) ([]ValueCheck, error) {
	return nil, a.none(ctx, shift)
}

func (a *Auditor) Seal(ctx context.Context, shift string) (SealView, error) {
	return SealView{}, a.none(ctx, shift)
}

func (a *Auditor) CheckSeal(ctx context.Context, shift string) (CheckView, error) {
	return CheckView{}, a.none(ctx, shift)
}

func (a *Auditor) Export(ctx context.Context, shift string, q ExportQuery) (ExportView, error) {
	return ExportView{}, a.none(ctx, shift)
}

func (a *Auditor) ExportPart(ctx context.Context, shift, id string, offset int64) ([]byte, error) {
	return nil, a.none(ctx, shift)
}

func (a *Auditor) none(ctx context.Context, shift string) error {
	return a.d.staffed(ctx, shift, staff.Audit, false, func(context.Context, Agent) error { return refuse(NotReady) })
}
