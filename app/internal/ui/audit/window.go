package audit

import (
	"time"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/app/internal/ui/office"
	"github.com/keydesk/keydesk/domain/staff"
)

// Auditor is all that an auditor may ask for once they have signed in. *desk.Auditor has
// it, as it has the interfaces here.
type Auditor interface {
	Tapes
	Bundles
	Seals
}

// Config is what a Window is made of. Logins, Shifts, Auditor and the names are needed;
// what is left out of the rest has the value that its comment says.
type Config struct {
	Logins  office.Logins
	Shifts  office.Shifts
	Auditor Auditor

	Portal     string
	PocketName string // "Pocket"
	Support    string // where staff themselves get help

	Languages       []string // i18n.Languages
	DefaultLanguage string   // the first of them
	Mode            ui.Mode

	Demo office.Demo // nil outside a demo

	Now func() time.Time // time.Now
}

// A Window is the content of a window of the auditor, and who has signed in there. All its
// methods are called on Fyne's goroutine.
type Window struct {
	*office.Window

	c     Config
	watch *sealWatch // nil: nobody is signed in
}

// around is what a page has around it: the window.
type around interface {
	office.Around
	office.Files

	// seal is how the log is sealed, as far as it is known.
	seal() *sealWatch
	// toBundles shows Bundels, for what was recorded up to a position; 0: for all.
	toBundles(upTo uint64)
	// toMoment shows Terugspelen as it was at a position.
	toMoment(position uint64)
}

// New returns a window on which nobody has signed in. Attach puts it on the screen.
func New(c Config) *Window {
	w := &Window{c: c}
	w.Window = office.New(office.Config{
		Logins: c.Logins, Shifts: c.Shifts, Pages: w.pages, Ended: w.ended,
		Lead: "audit-sign-in-lead", NotYours: "audit-not-yours",
		Portal: c.Portal, PocketName: c.PocketName, Support: c.Support,
		Languages: c.Languages, DefaultLanguage: c.DefaultLanguage, Mode: c.Mode, Demo: c.Demo, Now: c.Now,
	})
	return w
}

// pages are the auditor's, for whoever may audit; nobody else has any.
func (w *Window) pages(s desk.Shift) []office.Entry {
	w.ended()
	if !s.May(staff.Audit) {
		return nil
	}
	w.watch = newSealWatch(w, w.c.Auditor)
	w.watch.begin()
	return []office.Entry{
		{Icon: ui.IconClock, Page: newTapePage(w, w.c.Auditor)},
		{Icon: ui.IconDownload, Page: newBundlesPage(w, w.c.Auditor)},
		{Icon: ui.IconShieldCheck, Page: newWitnessesPage(w)},
	}
}

func (w *Window) ended() {
	if w.watch != nil {
		w.watch.end()
		w.watch = nil
	}
}

func (w *Window) seal() *sealWatch { return w.watch }

// toBundles shows the page Bundels; see around.
func (w *Window) toBundles(upTo uint64) {
	for _, e := range w.Entries() {
		if p, ok := e.Page.(*bundlesPage); ok {
			p.upTo(upTo)
			w.Show(p)
		}
	}
}

// A rewinder is a page that shows how it was.
type rewinder interface{ rewind(position uint64) }

// toMoment shows the page Terugspelen; see around.
func (w *Window) toMoment(position uint64) {
	for _, e := range w.Entries() {
		if p, ok := e.Page.(rewinder); ok {
			p.rewind(position)
			w.Show(e.Page)
		}
	}
}
