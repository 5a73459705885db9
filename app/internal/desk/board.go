package desk

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/projections/feed"
	"github.com/keydesk/keydesk/projections/progress"
)

// The helpdesk's board: who stands where, who is stuck first. Screens put it
// in words with the messages of the area "helpdesk"; see Phrase.
//
// Stuck is who does not come on without help, or seems not to:
//
//   - of whom an event cannot be understood, whose account is frozen, or who typed
//     too many wrong codes in a row: whatever the day, until somebody does something;
//   - whose message with a code was definitely not delivered, while they wait for it:
//     whatever the day, since the address or the number has to be put right first;
//   - who ended a code or a pairing with wrong guesses, or came no step further for
//     stuckAfter, today: they may still be there.
//
// Whoever left half-way on an earlier day is not stuck. They wait, and go on where
// they were when they come back; the time in which nothing happened begins anew with
// their next visit.

// Standings say where everybody stands: the projection progress.
type Standings interface {
	Person(s domain.SubjectID) (progress.Person, bool)
	// Each gives everybody as they stood when it was called, until yield says no.
	Each(yield func(progress.Person) bool)
	Position() domain.Position
	// WatchAll gives a signal after events of anybody.
	WatchAll() (changed <-chan struct{}, stop func())
	// Health says how far behind the log all of it is.
	Health() feed.Health
}

// BoardScope is of whom the board tells.
type BoardScope string

// The scopes. Today is whoever starts today, did something today (HR did nothing of
// theirs) and was not done before it, or cannot be understood.
const (
	ScopeToday     BoardScope = "today" // also where none is said
	ScopeEverybody BoardScope = "everybody"
)

// BoardGroup is under which heading somebody stands.
type BoardGroup string

// The groups, in the order of the board.
const (
	GroupStuck   BoardGroup = "stuck"   // somebody has to help
	GroupBusy    BoardGroup = "busy"    // under way today
	GroupWaiting BoardGroup = "waiting" // has not begun, or left half-way on an earlier day
	GroupDone    BoardGroup = "done"
	GroupGone    BoardGroup = "gone" // HR announces them no longer, and they never began
)

// BoardFilter is which rows are wanted: those of a group, or of more than one.
type BoardFilter string

// The filters. Everyone leaves out who is gone.
const (
	FilterAll     BoardFilter = "all"
	FilterStuck   BoardFilter = BoardFilter(GroupStuck)
	FilterBusy    BoardFilter = BoardFilter(GroupBusy)
	FilterWaiting BoardFilter = BoardFilter(GroupWaiting)
	FilterDone    BoardFilter = BoardFilter(GroupDone)
	FilterGone    BoardFilter = BoardFilter(GroupGone)
	FilterFrozen  BoardFilter = "frozen"
)

// MostRows is how many rows a page has at most.
const MostRows = 200

// A BoardQuery asks for a window over the board. Its zero value asks for the first
// rows of everybody of today.
type BoardQuery struct {
	Scope  BoardScope
	Filter BoardFilter
	// Search is what somebody typed: words of a name, an address, a number, a help
	// code. It looks through everybody, whatever the scope: who calls may be anybody.
	Search string
	// Midnight is when today began, where the one is who looks: its offset tells which
	// day it is there. Zero: where Keydesk runs.
	Midnight time.Time
	Offset   int
	Limit    int // 0: 50; at most MostRows
}

// A BoardPage is a window over the board.
type BoardPage struct {
	Rows     []BoardRow
	Total    int // of the filter, on all pages
	Counts   BoardCounts
	Position domain.Position // of the log, that all of it is true at
	At       time.Time       // the clock that Since and the groups are measured by
	Names    DirectoryState
	// Strangers are the stations where the help code was shown that was searched for,
	// to somebody who had not proved who they are: ask for their address.
	Strangers []HelpShown
}

// BoardCounts says how many rows each filter has, of the scope or the search.
type BoardCounts struct {
	All, Stuck, Busy, Waiting, Done, Gone, Frozen int
}

// DirectoryState says how far the index over the names is.
type DirectoryState struct {
	Open        bool // somebody needs it
	Ready       bool // it has everybody: only then a search finds all, and who starts today is known
	Done, Total int  // values that are in it, of those that are known to be needed so far
}

// A HelpShown is a help code that a station showed to a stranger.
type HelpShown struct {
	Code    string
	Station string
	At      time.Time
}

// StepState is how one of the six steps stands.
type StepState string

// The states of a step.
const (
	StepOpen  StepState = "open"
	StepNow   StepState = "now"
	StepStuck StepState = "stuck" // now, and it does not go on
	StepReady StepState = "done"
)

// A BoardRow is one person. It holds personal data and is not to be kept: ask
// again.
type BoardRow struct {
	Subject  domain.SubjectID
	Name     string // as set, or as HR announced it; else the address
	NoName   bool   // Name is the address, since no name is known
	Team     string
	Start    string // their first day, as 2026-12-01; empty: not known
	HelpCode string // shown in the last day, as K7204; empty: none
	Group    BoardGroup
	Steps    [enrolment.StepDone]StepState
	Now      Phrase    // what is the matter, or what they do
	Since    time.Time // since when it is so; zero: not known
	Station  string    // where they were last; empty: not known
	Factor   enrolment.Factor
	Frozen   bool
	Revision domain.Revision
}

// A Phrase is something to be put in words: by the message with its ID, of the area
// "helpdesk", whose parameters have the names of Params.
//
// The ids are "desk-now-…" of what somebody does (BoardRow.Now), and "desk-cause-…",
// "desk-detail-…" and "desk-advice-…" of a diagnosis. The codes that are no phrases
// have words without parameters: "desk-group-" and a BoardGroup, "desk-check-" and a
// CheckName, "desk-action-" and a PersonAction, "desk-timeline-" and a TimelineKind,
// "desk-kiosk-" and a KioskState, "desk-kiosk-failed-" and a station.Failure,
// "desk-kiosk-revoked-" and a station.Revocation.
//
// Beside their own parameters, messages may name Pocket, Portal and Support, as this
// installation calls them: screens give them always. Of the others N is the number
// that the sentence is inflected by; At and Until are times (RFC 3339, UTC) and Day is
// a day (2026-12-01), which screens write as people do before they put them in.
// HelpdeskMessages lists all ids and what they take.
type Phrase struct {
	ID     string
	Params map[string]string // nil: none
}

const usualRows = 50

// ErrNoBoard says that this desk was made without a board.
var ErrNoBoard = errors.New("no board here")

// Board returns a window over the board.
func (d *Desk) Board(ctx context.Context, q BoardQuery) (BoardPage, error) {
	if d.Standings == nil {
		return BoardPage{}, d.refusal(ErrNoBoard)
	}
	page := BoardPage{At: d.Now().UTC()}
	a, err := d.arranged(ctx, q, page.At)
	if err != nil {
		return BoardPage{}, d.refusal(err)
	}
	page.Position, page.Counts, page.Strangers = a.position, a.counts, a.strangers
	if d.Directory != nil {
		page.Names = d.Directory.State()
	}
	limit := q.Limit
	if limit <= 0 {
		limit = usualRows
	}
	var window []standing
	window, page.Total = a.window(q.Filter, max(0, q.Offset), min(limit, MostRows))
	for i := range window {
		row, err := d.row(ctx, &window[i], page.At)
		if err != nil {
			return BoardPage{}, d.refusal(err)
		}
		page.Rows = append(page.Rows, row)
	}
	return page, nil
}

// midnight returns when today began.
func (q BoardQuery) midnight(now time.Time) time.Time {
	if !q.Midnight.IsZero() {
		return q.Midnight
	}
	y, m, day := now.Local().Date()
	return time.Date(y, m, day, 0, 0, 0, 0, time.Local)
}

// search finds people in the directory, and by their whole address where that has not
// got everybody yet.
func (d *Desk) search(ctx context.Context, typed string) (Hits, error) {
	var hits Hits
	ready := false
	if d.Directory != nil {
		hits, ready = d.Directory.Search(typed), d.Directory.State().Ready
	}
	if a, err := enrolment.ParseAddress(typed); !ready && err == nil {
		s, err := d.People.Find(ctx, a.String())
		switch {
		case errors.Is(err, domain.ErrNotFound):
		case err != nil:
			return hits, err
		case !slices.Contains(hits.People, s):
			hits.People = append(hits.People, s)
		}
	}
	return hits, nil
}

const (
	// boardPause is the least time between two signals of WatchBoard.
	boardPause = 200 * time.Millisecond
	// boardTick is how often the time alone changes what shows: who comes no step
	// further becomes stuck, and minutes pass.
	boardTick = 30 * time.Second
)

// WatchBoard returns a channel that gets something when the board may look otherwise
// than before: at once after the first event, then not more often than five times a
// second, and every half minute because time passes. Ask for the page again. stop ends
// that.
func (d *Desk) WatchBoard() (changed <-chan struct{}, stop func()) {
	c := make(chan struct{}, 1)
	if d.Standings == nil {
		return c, func() {}
	}
	events, stopEvents := d.Standings.WatchAll()
	var names <-chan struct{}
	stopNames := func() {}
	if d.Directory != nil {
		names, stopNames = d.Directory.Watch()
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer stopEvents()
		defer stopNames()
		tick := time.NewTicker(boardTick)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-events:
			case <-names:
			case <-tick.C:
			}
			select {
			case c <- struct{}{}:
			default: // has not looked since the last time
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(boardPause):
			}
		}
	}()
	return c, cancel
}
