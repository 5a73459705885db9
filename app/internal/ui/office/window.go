package office

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/dialog"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/domain"
)

// A Window is the content of a window of staff, and who has signed in there. All its
// methods are called on Fyne's goroutine.
type Window struct {
	c       Config
	p       *i18n.Printer
	win     fyne.Window
	root    *ui.Root
	options ui.Options

	shift   desk.Shift      // zero: nobody
	base    context.Context //nolint:containedctx // of everything that goes on without anybody
	ctx     context.Context //nolint:containedctx // ends with the shift
	cancel  context.CancelFunc
	signIn  *signIn // nil while somebody is signed in
	entries []Entry
	items   []*ui.NavItem
	open    Page        // what shows
	behind  Page        // over which it does; nil: it is one of the rail
	again   func() Page // makes what shows over another page
	resume  resume      // where whoever was locked out goes on

	ticker *ui.Ticker
	kept   time.Time // when the shift was last kept
	until  time.Time // when the shift locks, unless it is kept
	left   *ui.Text  // that it is about to
	veil   *ui.Veil
	listed *ui.Scroller       // the keys on the veil
	demo   *demoStrip         // nil outside a demo
	asks   *dialog.FileDialog // nil while no file is asked for
}

// resume is where somebody was when the window was locked.
type resume struct {
	subject domain.SubjectID
	page    string
	over    func() Page // what showed over it; nil: nothing did
}

// New returns a window on which nobody has signed in. Attach puts it on the screen.
func New(c Config) *Window {
	c.defaults()
	w := &Window{c: c, p: i18n.New(c.DefaultLanguage), options: ui.Options{Mode: c.Mode, Scale: ui.Normal, Class: ui.Desktop}}
	w.base = context.Background()
	w.ctx, w.cancel = context.WithCancel(w.base)
	w.signIn = newSignIn(w, "")
	if c.Demo != nil {
		w.demo = newDemoStrip(w)
	}
	return w
}

// Attach makes it the content of a window, follows its keys, and starts the clock.
// Close, or Detach, ends what Attach began.
func (w *Window) Attach(win fyne.Window) {
	w.win = win
	win.SetPadded(false)
	ui.SetTheme(w.options)
	win.SetContent(w.Content())
	w.keys(win.Canvas())
	win.SetOnDropped(w.dropped)
	ui.OnActivity(w.touched)
	if w.shift.ID != "" && !w.c.Now().Before(w.until) {
		w.lock() // it ran out while the window was off the screen, and nothing of it shows
	}
	w.rebuild()
	w.ticker = ui.NewTicker(time.Second, w.tick)
	if w.open != nil {
		w.open.Enter()
		w.keep()
	}
}

// Detach takes it off the screen; whoever has signed in stays so.
func (w *Window) Detach() {
	w.ticker.Stop()
	ui.OnActivity(nil)
	if w.open != nil {
		w.open.Leave()
	}
	w.hideVeil()
	w.hideDialog()
	w.win = nil
}

// Content returns the window as one object.
func (w *Window) Content() fyne.CanvasObject {
	if w.root == nil {
		w.root = ui.NewRoot(ui.Stack())
	}
	return w.root
}

// Close signs out and stops all.
func (w *Window) Close() {
	if w.win != nil {
		w.Detach()
	}
	if w.signIn != nil {
		w.signIn.stop()
	}
	w.end()
	w.cancel()
	if w.demo != nil {
		w.demo.stop()
	}
}

// rebuild builds what shows anew: in another language, size or mode.
func (w *Window) rebuild() {
	if w.root == nil {
		return
	}
	w.hideVeil()
	if w.win != nil {
		w.win.Canvas().Unfocus() // or what is gone keeps the focus, and takes the keys
	}
	if w.signIn != nil {
		w.root.Set(w.signIn.build())
		w.signIn.focus()
		return
	}
	w.root.Set(w.frame())
}

func (w *Window) frame() fyne.CanvasObject {
	w.items = w.items[:0]
	items := make([]fyne.CanvasObject, 0, len(w.entries))
	for _, e := range w.entries {
		item := ui.NewNavItem(e.Icon, e.Page.Title(), func() { w.Show(e.Page) })
		item.SetOn(e.Page == w.open || e.Page == w.behind)
		if e.Count != nil {
			item.SetCount(e.Count())
		}
		w.items, items = append(w.items, item), append(items, item)
	}
	w.left = ui.Hint().Ink(ui.ColorSun)
	w.left.Hide()
	roles := make([]string, len(w.shift.Roles))
	for i, r := range w.shift.Roles {
		roles[i] = w.t("office-role-" + string(r))
	}
	foot := []fyne.CanvasObject{
		w.left,
		ui.NewSomebody(w.shift.Name, strings.Join(roles, ", ")),
		ui.NewNavItem(ui.IconQuestion, w.t("office-keys-short"), w.help),
		ui.NewNavItem(ui.IconSignOut, w.t("office-sign-out"), w.signOut),
	}
	brand := ui.Column(ui.SizeSmallGap, ui.NewBrand("Keydesk"), ui.Hint(ui.Plain(w.c.Portal)).Ink(ui.ColorRailMuted).Elide())
	return ui.NewFrame(brand, items, foot, w.open.Content())
}

// Show shows a page of the rail.
func (w *Window) Show(p Page) {
	w.present(p, nil, nil)
}

// Over shows a page over the one of the rail that shows, until Back. make makes it: now,
// and after a lock once more; one that is nil is not shown.
func (w *Window) Over(make func() Page) {
	if p := make(); p != nil {
		from := w.open
		if w.behind != nil {
			from = w.behind
		}
		w.present(p, from, make)
	}
}

// Back leaves a page that shows over another one. Where none does, nothing happens.
func (w *Window) Back() {
	if w.behind != nil {
		w.Show(w.behind)
	}
}

func (w *Window) present(p, behind Page, again func() Page) {
	w.hideDialog()
	if w.open != nil {
		w.open.Leave()
	}
	w.open, w.behind, w.again = p, behind, again
	w.rebuild()
	p.Enter()
}

// Open returns the page that shows; nil: nobody is signed in.
func (w *Window) Open() Page { return w.open }

// Entries returns what stands on the rail.
func (w *Window) Entries() []Entry { return w.entries }

// Redraw builds a page anew, if it is what shows.
func (w *Window) Redraw(p Page) {
	if w.open == p {
		w.rebuild()
	}
}

// begin is the window of somebody who has just signed in.
func (w *Window) begin(s desk.Shift) {
	w.cancel()
	w.ctx, w.cancel = context.WithCancel(w.base)
	w.shift, w.signIn = s, nil
	if w.demo != nil {
		w.demo.forget()
	}
	w.kept, w.until = w.c.Now(), w.c.Now().Add(s.Left)
	back := w.resume
	w.resume = resume{}
	if w.entries = w.c.Pages(s); len(w.entries) == 0 {
		w.notYours()
		return
	}
	at := w.entries[0].Page
	if back.subject == s.Subject {
		for _, e := range w.entries {
			if e.Page.ID() == back.page {
				at = e.Page
			}
		}
	}
	w.Show(at)
	if back.subject == s.Subject && back.over != nil {
		w.Over(back.over)
	}
}

// notYours signs out whoever has no pages here, and says so.
func (w *Window) notYours() {
	w.end()
	w.signIn = newSignIn(w, "")
	w.signIn.notFor = w.c.NotYours
	w.rebuild()
}

// Recount shows on the rail how much waits.
func (w *Window) Recount() {
	for i, e := range w.entries {
		if e.Count != nil && i < len(w.items) {
			w.items[i].SetCount(e.Count())
		}
	}
}

func (w *Window) dropped(_ fyne.Position, files []fyne.URI) {
	if w.c.Dropped == nil || w.shift.ID == "" || len(files) == 0 {
		return
	}
	paths := make([]string, len(files))
	for i, f := range files {
		paths[i] = f.Path()
	}
	w.c.Dropped(paths)
}

// end forgets who had signed in, and all that showed.
func (w *Window) end() {
	if w.shift.ID == "" {
		return
	}
	if w.open != nil && w.win != nil {
		w.open.Leave()
	}
	w.cancel()
	id := w.shift.ID
	ui.Work(w.base, func(ctx context.Context) (struct{}, error) { return struct{}{}, w.c.Shifts.EndShift(ctx, id) },
		func(struct{}, error) {}) // one that cannot be ended now ends by itself
	w.ctx, w.cancel = context.WithCancel(w.base)
	w.hideDialog()
	w.c.Ended()
	w.shift, w.entries, w.items, w.open, w.behind, w.again = desk.Shift{}, nil, nil, nil, nil, nil
	fyne.CurrentApp().Clipboard().SetContent("")
}

// signOut signs out at one's own wish: whoever comes next begins anew.
func (w *Window) signOut() {
	w.end()
	w.resume = resume{}
	w.signIn = newSignIn(w, "")
	w.rebuild()
}

// lock takes everything away until somebody signs in again; the same person goes on
// where they were.
func (w *Window) lock() {
	at := resume{subject: w.shift.Subject, over: w.again}
	switch {
	case w.behind != nil:
		at.page = w.behind.ID()
	case w.open != nil:
		at.page = w.open.ID()
	}
	w.end()
	w.resume = at
	w.signIn = newSignIn(w, "office-locked")
	w.rebuild()
}

// lockWarns is how long before the lock it is told.
const lockWarns = 30 * time.Second

// keepEvery is how often at most the shift is kept while somebody does something.
const keepEvery = 20 * time.Second

// touched notes a sign of life.
func (w *Window) touched() {
	if w.signIn != nil {
		w.signIn.active = w.c.Now()
	}
	if w.shift.ID != "" && w.c.Now().Sub(w.kept) >= min(keepEvery, w.until.Sub(w.kept)/2) {
		w.keep()
	}
}

// keep says that somebody is there, and learns what they may do now.
func (w *Window) keep() {
	id := w.shift.ID
	if id == "" {
		return
	}
	w.kept = w.c.Now()
	ui.Work(w.ctx, func(ctx context.Context) (desk.Shift, error) { return w.c.Shifts.KeepShift(ctx, id) },
		func(s desk.Shift, err error) {
			if w.shift.ID != id || err != nil {
				if w.shift.ID == id {
					w.Refused(err)
				}
				return // of a server that is away the pages tell
			}
			w.until = w.c.Now().Add(s.Left)
			changed := !slices.Equal(s.Rights, w.shift.Rights)
			w.shift = s
			if changed {
				if w.entries = w.c.Pages(s); len(w.entries) == 0 {
					w.notYours()
					return
				}
				w.Show(w.entries[0].Page)
			}
			w.tellLeft()
		})
}

// tick is called once a second.
func (w *Window) tick() {
	if w.signIn != nil {
		w.signIn.tick()
		return
	}
	if !w.c.Now().Before(w.until) {
		w.lock()
		return
	}
	w.tellLeft()
}

// tellLeft says that the window is about to lock.
func (w *Window) tellLeft() {
	if w.left == nil {
		return
	}
	left := w.until.Sub(w.c.Now())
	if left > lockWarns {
		if w.left.Visible() {
			w.left.Hide()
			w.root.Refresh()
		}
		return
	}
	w.left.SetText(w.p.N("office-locks-in", ui.Seconds(left)))
	w.left.Show()
	w.root.Refresh()
}

// What a page has around it; see Around.

// Printer returns the words in the language of now.
func (w *Window) Printer() *i18n.Printer { return w.p }

// Clock returns the time of now.
func (w *Window) Clock() time.Time { return w.c.Now() }

// SignedIn returns the shift of whoever has signed in; the zero one: nobody has.
func (w *Window) SignedIn() desk.Shift { return w.shift }

// Life returns what ends with the shift.
func (w *Window) Life() context.Context { return w.ctx }

// Refused locks where the shift is over, and says whether it is.
func (w *Window) Refused(err error) bool {
	r, ok := errors.AsType[*desk.Refusal](err)
	if !ok || r.Code != desk.ShiftOver {
		return false
	}
	if w.shift.ID != "" {
		w.lock()
	}
	return true
}

func (w *Window) t(id string, args ...i18n.Args) string { return w.p.T(id, args...) }

// Names returns the values that texts may use.
func (w *Window) Names() i18n.Args {
	return i18n.Args{"Portal": w.c.Portal, "Pocket": w.c.PocketName, "Support": w.c.Support}
}

// Says puts a refusal in words.
func (w *Window) Says(err error) string {
	r, ok := errors.AsType[*desk.Refusal](err)
	if !ok {
		r = &desk.Refusal{Code: desk.Unavailable}
	}
	args := w.Names()
	args["Wait"] = w.wait(r.Wait)
	switch id := "refusal-" + string(r.Code); r.Code { //nolint:exhaustive // the others count nothing
	case desk.WrongCode, desk.WrongPassword, desk.WrongDigits:
		return w.p.N(id, r.Left, args)
	default:
		said := w.t(id, args)
		if r.Incident != "" { // with which somebody finds it in the program's log
			said += " " + w.t("office-incident", i18n.Args{"Incident": r.Incident})
		}
		return said
	}
}

// wait returns a time in words.
func (w *Window) wait(d time.Duration) string {
	if s := ui.Seconds(d); s < 90 {
		return w.p.N("kiosk-seconds", max(1, s))
	}
	return w.p.N("kiosk-minutes", int((d+time.Minute-1)/time.Minute))
}
