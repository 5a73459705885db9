package desk

import (
	"time"

	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// The helpdesk's board: who stands where, who is stuck first. Screens put it
// in words with the messages of the area "helpdesk"; see Phrase.

// BoardScope is of whom the board tells.
type BoardScope string

// The scopes. Today is whoever starts today, or did something today and was not
// done before it; see board.go, todays.
const (
	ScopeToday     BoardScope = "today"
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
	Offset int
	Limit  int // 0: 50; at most MostRows
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
// The ids are "desk-now-…" of what somebody does (BoardRow.Now), "desk-cause-…",
// "desk-detail-…" and "desk-advice-…" of a diagnosis, and "desk-check-…" and
// "desk-action-…" of its checks and actions, which take no parameters.
//
// Of the parameters N is the number that the sentence is inflected by; At and Until
// are times (RFC 3339, UTC) and Day is a day (2026-12-01), which screens write as
// people do before they put them in. All others are put in as they are.
type Phrase struct {
	ID     string
	Params map[string]string // nil: none
}
