package office

import (
	"context"
	"slices"
	"time"

	"fyne.io/fyne/v2"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
)

// A Page is what shows beside the rail. Its methods are called on Fyne's goroutine.
type Page interface {
	// ID tells the pages of a window apart; after a lock one goes on at the page that
	// has the same.
	ID() string
	Title() string
	// Content is built anew at a switch of language, size or theme, also while the page
	// shows.
	Content() fyne.CanvasObject
	Enter()
	Leave()
	// Key is a key that no widget took; true: it is taken.
	Key(e *fyne.KeyEvent) bool
}

// A Searcher is a page with something to search in: the key "/" brings one there.
type Searcher interface{ ToSearch() }

// A Shortcut is what a key does, for the list under "?".
type Shortcut struct{ Keys, Does string }

// A Keyed page takes keys that other pages do not know. They are listed while it shows.
type Keyed interface{ Shortcuts() []Shortcut }

// An Entry is a page that stands on the rail.
type Entry struct {
	Icon  ui.Icon
	Page  Page
	Count func() int // how much waits on it, for the rail; nil: nothing is counted
}

// Around is what a page has around it. A *Window is that.
type Around interface {
	Printer() *i18n.Printer
	Clock() time.Time
	Names() i18n.Args // Portal, Pocket and Support, as this installation calls them
	SignedIn() desk.Shift
	Life() context.Context  // ends with the shift
	Refused(err error) bool // the shift is over: it locks, and nobody has to be told more
}

// Logins are the use cases of signing in, which are those of the kiosk.
type Logins interface {
	Login(ctx context.Context, email, password, lang string) (desk.View, error)
	ConfirmLogin(ctx context.Context, visit, code string) (desk.View, error)
	AskAgain(ctx context.Context, visit string) (desk.View, error)
	Resend(ctx context.Context, visit string) (desk.View, error)
	Await(ctx context.Context, visit string, version uint64) (desk.View, error)
	End(ctx context.Context, visit string, why desk.WipeReason) error
}

// Shifts are from signing in to signing out.
type Shifts interface {
	StartShift(ctx context.Context, visit string) (desk.Shift, error)
	KeepShift(ctx context.Context, shift string) (desk.Shift, error)
	EndShift(ctx context.Context, shift string) error
}

// A DemoMessage is one mail or SMS that the demo's phone received.
type DemoMessage struct {
	SMS  bool
	To   string
	Code string
	At   time.Time
}

// A Demo is the phone of a demo, which shows the codes in plain sight.
type Demo interface {
	// Watch gives the messages as they arrive, until ctx ends, from any goroutine.
	Watch(ctx context.Context, receive func(DemoMessage)) error
	// Approve types the digits that the screen shows into the paired phone.
	Approve(ctx context.Context, digits string) error
}

// Config is what a Window is made of. Logins, Shifts, Pages and the names are needed; what
// is left out of the rest has the value that its comment says.
type Config struct {
	Logins Logins
	Shifts Shifts

	// Pages are those of whoever has signed in, in the order of the rail; none: the
	// window is not for them. It is asked again when what they may do has changed.
	Pages func(s desk.Shift) []Entry
	// Ended is told that the pages are gone, with the shift; nil: nobody.
	Ended func()
	// Dropped takes files that were dragged into the window while somebody is signed in;
	// nil: they are ignored.
	Dropped func(paths []string)

	Lead     string // the message under the heading of the sign-in; "office-sign-in-lead"
	NotYours string // the message for whoever has signed in and has no pages; "office-not-yours"

	Portal     string
	PocketName string // "Pocket"
	Support    string // where staff themselves get help

	Languages       []string // i18n.Languages
	DefaultLanguage string   // the first of them
	Mode            ui.Mode

	Demo Demo // nil outside a demo

	Now func() time.Time // time.Now
}

func (c *Config) defaults() {
	if len(c.Languages) == 0 {
		c.Languages = i18n.Languages()
	}
	if !slices.Contains(c.Languages, c.DefaultLanguage) {
		c.DefaultLanguage = c.Languages[0]
	}
	if c.PocketName == "" {
		c.PocketName = "Pocket"
	}
	if c.Lead == "" {
		c.Lead = "office-sign-in-lead"
	}
	if c.NotYours == "" {
		c.NotYours = "office-not-yours"
	}
	if c.Ended == nil {
		c.Ended = func() {}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
}

// ToTable brings the focus to a table with a key that nothing took. Where no row was
// chosen, the first is, and Down goes no further.
func ToTable(t *ui.Table, e *fyne.KeyEvent) bool {
	chosen := t.Chosen() >= 0
	ui.Focus(t)
	if chosen || e.Name != fyne.KeyDown {
		t.TypedKey(e)
	}
	return true
}
