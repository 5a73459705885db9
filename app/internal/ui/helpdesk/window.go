package helpdesk

import (
	"context"
	"io"
	"slices"
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/app/internal/ui/office"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/staff"
)

// Rosters are the imports of HR's list.
type Rosters interface {
	PlanImport(ctx context.Context, shift string, l desk.StaffList, leavers bool, progress func(done, total int)) (desk.ImportPlan, error)
	Import(ctx context.Context, shift string, p desk.ImportPlan, progress func(done, total int)) (desk.Imported, error)
}

// Staff is all that staff may ask for once they have signed in.
type Staff interface {
	office.Shifts
	Boards
	People
	Stations
	Rosters
	Cases
	Callers
}

// Config is what a Window is made of. Logins, Staff and the names are needed; what is
// left out of the rest has the value that its comment says.
type Config struct {
	Logins office.Logins
	Staff  Staff

	Portal     string
	PocketName string // "Pocket"
	Support    string // where staff themselves get help

	Languages       []string // i18n.Languages
	DefaultLanguage string   // the first of them
	Mode            ui.Mode

	Demo office.Demo // nil outside a demo

	// ReadList reads HR's list from a file; nil: lists are imported elsewhere.
	ReadList func(io.Reader) (List, error)
	// Assist has somebody enrol beside the agent, in the place of the window; nil: not
	// here. The window is attached again when that is over.
	Assist func(begin func(ctx context.Context, lang string) (desk.View, error))

	Now func() time.Time // time.Now
}

// A Window is the content of a window of the helpdesk, and who has signed in there. All
// its methods are called on Fyne's goroutine.
type Window struct {
	*office.Window

	c     Config
	cases *casesPage // it counts what waits; nil: nobody is signed in
}

// New returns a window on which nobody has signed in. Attach puts it on the screen.
func New(c Config) *Window {
	w := &Window{c: c}
	w.Window = office.New(office.Config{
		Logins: c.Logins, Shifts: c.Staff, Pages: w.pages, Ended: w.stopCounting, Dropped: w.dropped,
		Portal: c.Portal, PocketName: c.PocketName, Support: c.Support,
		Languages: c.Languages, DefaultLanguage: c.DefaultLanguage, Mode: c.Mode, Demo: c.Demo, Now: c.Now,
	})
	return w
}

// pages are those that somebody may see. Every role sees the board.
func (w *Window) pages(s desk.Shift) []office.Entry {
	decides := staff.ApproveCase // or sees what comes of their own
	if !s.May(decides) {
		decides = staff.RequestCase
	}
	w.stopCounting()
	w.cases = newCasesPage(w, w.c.Staff, w.Recount)
	var all []office.Entry
	add := func(icon ui.Icon, p office.Page, right staff.Right) {
		if s.May(right) {
			all = append(all, office.Entry{Icon: icon, Page: p})
		}
	}
	add(ui.IconBoard, newBoardPage(w, w.c.Staff, desk.ScopeToday), staff.SeeBoard)
	add(ui.IconPeople, newBoardPage(w, w.c.Staff, desk.ScopeEverybody), staff.SeeBoard)
	if s.May(decides) {
		all = append(all, office.Entry{Icon: ui.IconShieldCheck, Page: w.cases, Count: w.cases.waiting})
		w.cases.count()
	}
	add(ui.IconKiosk, newKiosksPage(w, w.c.Staff), staff.SeeKiosks)
	if w.c.ReadList != nil {
		add(ui.IconList, newImportPage(w), staff.ImportRoster)
	}
	return all
}

func (w *Window) stopCounting() {
	if w.cases != nil {
		w.cases.stop()
		w.cases = nil
	}
}

// assist has somebody enrol beside the agent, in the place of this window; then the
// person's page shows again. Nothing keeps the shift meanwhile: after five minutes the
// agent signs in again, and whoever sat beside them finds a window that is locked.
func (w *Window) assist(s domain.SubjectID) func() {
	if w.c.Assist == nil {
		return nil
	}
	return func() {
		id := w.SignedIn().ID
		w.c.Assist(func(ctx context.Context, lang string) (desk.View, error) { return w.c.Staff.Assist(ctx, id, s, lang) })
	}
}

// openPerson shows one person, over the page that shows.
func (w *Window) openPerson(s domain.SubjectID) {
	w.Over(func() office.Page {
		if !w.SignedIn().May(staff.SeePerson) {
			return nil
		}
		return newPersonPage(w, w.c.Staff, s)
	})
}

// dropped takes a file that was dragged into the window: a list of HR's.
func (w *Window) dropped(paths []string) {
	p, ok := w.Open().(*importPage)
	if !ok {
		at := slices.IndexFunc(w.Entries(), func(e office.Entry) bool { _, is := e.Page.(*importPage); return is })
		if at < 0 {
			return
		}
		p = w.Entries()[at].Page.(*importPage) //nolint:forcetypeassert,errcheck // it is one
		w.Show(p)
	}
	p.open(paths[0])
}

func (w *Window) t(id string, args ...i18n.Args) string { return w.Printer().T(id, args...) }
