package helpdesk

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/app/internal/ui/office"
	"github.com/keydesk/keydesk/app/internal/ui/office/officetest"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/staff"
	"github.com/keydesk/keydesk/domain/station"
	"github.com/keydesk/keydesk/projections/history"
)

// noon is when the tests of the pages are.
var noon = time.Date(2026, 11, 23, 10, 58, 0, 0, time.Local)

// A town is a helpdesk's desk with as many people as a test wants, whose answers can
// be held back.
type town struct {
	mu      sync.Mutex
	people  []desk.BoardRow // in the order of the board
	kiosks  []desk.Kiosk
	version uint64
	change  chan struct{}
	err     error
	asked   []desk.BoardQuery
	shown   []desk.PersonField
	hold    map[string]chan struct{} // answers to searches that wait
	view    func(*desk.PersonView)
	cases   caseTown
}

func newTown(people []desk.BoardRow) *town {
	return &town{people: people, version: 1, change: make(chan struct{}), hold: map[string]chan struct{}{}}
}

// set changes something, as an event does.
func (t *town) set(do func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	do()
	t.version++
	close(t.change)
	t.change = make(chan struct{})
}

func (t *town) AwaitBoard(ctx context.Context, _ string, seen uint64) (uint64, error) {
	for {
		t.mu.Lock()
		now, change, err := t.version, t.change, t.err
		t.mu.Unlock()
		if err != nil || now != seen {
			return now, err
		}
		select {
		case <-ctx.Done():
			return seen, ctx.Err()
		case <-change:
		}
	}
}

func (t *town) Board(ctx context.Context, _ string, q desk.BoardQuery) (desk.BoardPage, error) {
	t.mu.Lock()
	t.asked = append(t.asked, q)
	hold := t.hold[q.Search]
	t.mu.Unlock()
	if hold != nil {
		<-hold // also where nobody waits for it any more
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil {
		return desk.BoardPage{}, t.err
	}
	page := desk.BoardPage{At: noon, Names: desk.DirectoryState{Open: true, Ready: true}}
	var hits []desk.BoardRow
	for i := range t.people {
		r := &t.people[i]
		if !strings.Contains(strings.ToLower(r.Name+" "+r.HelpCode), strings.ToLower(q.Search)) {
			continue
		}
		count(&page.Counts, r)
		if q.Filter == desk.FilterAll && r.Group != desk.GroupGone || string(q.Filter) == string(r.Group) || q.Filter == desk.FilterFrozen && r.Frozen {
			hits = append(hits, *r)
		}
	}
	page.Total = len(hits)
	from := min(q.Offset, len(hits))
	page.Rows = slices.Clone(hits[from:min(len(hits), from+q.Limit)])
	return page, nil
}

func count(c *desk.BoardCounts, r *desk.BoardRow) {
	if r.Frozen {
		c.Frozen++
	}
	switch r.Group {
	case desk.GroupStuck:
		c.Stuck++
	case desk.GroupBusy:
		c.Busy++
	case desk.GroupWaiting:
		c.Waiting++
	case desk.GroupDone:
		c.Done++
	case desk.GroupGone:
		c.Gone++
		return
	}
	c.All++
}

func (t *town) Person(_ context.Context, _ string, s domain.SubjectID) (desk.PersonView, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil {
		return desk.PersonView{}, t.err
	}
	for _, r := range t.people {
		if r.Subject != s {
			continue
		}
		v := desk.PersonView{
			Subject: s, Name: r.Name, Team: r.Team, HelpCode: r.HelpCode, Email: "s•••@voorbeeld.nl", Phone: "+31 •• ••• •• 78",
			PhoneSource: enrolment.FromSelf, HRPhone: true, Registered: true, Started: true, Step: 4, Steps: r.Steps, Group: r.Group,
			Factor: enrolment.NoFactor, LastSeen: noon.Add(-12 * time.Minute), LastAt: "Hal 2", Language: "nl", Employee: "100234", At: noon,
			Diagnosis: desk.Diagnosis{
				Cause: said("desk-cause-sms-refused", "N", "3"),
				Checks: []desk.Check{
					{Name: desk.CheckExists, State: desk.CheckOK, Detail: said("desk-detail-on-roster")},
					{Name: desk.CheckEmail, State: desk.CheckOK, Detail: said("desk-detail-email-proved", "At", noon.Add(-27*time.Minute).UTC().Format(time.RFC3339))},
					{Name: desk.CheckPassword, State: desk.CheckOK, Detail: said("desk-detail-password-set", "At", noon.Add(-24*time.Minute).UTC().Format(time.RFC3339))},
					{Name: desk.CheckUnlocked, State: desk.CheckOK, Detail: said("desk-detail-unlocked", "N", "0")},
					{Name: desk.CheckPhone, State: desk.CheckBad, Detail: said("desk-detail-sms-undelivered", "N", "3")},
					{Name: desk.CheckFactor, State: desk.CheckOpen, Detail: said("desk-detail-phone-open")},
					{Name: desk.CheckSystem, State: desk.CheckUnknown, Detail: said("desk-detail-unknown")},
				},
				Advice: []desk.Phrase{said("desk-advice-read-number"), said("desk-advice-mobile-number"), said("desk-advice-resend-sms")},
			},
		}
		if t.view != nil {
			t.view(&v)
		}
		return v, nil
	}
	return desk.PersonView{}, &desk.Refusal{Code: desk.Unavailable}
}

func (t *town) Timeline(_ context.Context, _ string, _ domain.SubjectID, q desk.TimelineQuery) (desk.TimelinePage, error) {
	all := make([]desk.TimelineEntry, 0, 120)
	for i := range 120 {
		e := desk.TimelineEntry{Kind: desk.TimelineEnrolment}
		e.At, e.Station = noon.Add(-time.Duration(i)*37*time.Minute), "Hal 2"
		e.Actor.Kind = domain.ActorPerson
		switch i % 4 {
		case 0:
			e.Message, e.Outcome, e.Kind, e.Params = "history-CodeUndeliverable", history.Failed, desk.TimelineMessages, map[string]string{"Number": "3"}
			e.Actor.Kind, e.Station = domain.ActorService, ""
		case 1:
			e.Message, e.Outcome, e.Params = "history-PhoneGiven-self", history.Note, map[string]string{"Country": "NL"}
		case 2:
			e.Message, e.Outcome = "history-PasswordSet", history.Progress
		case 3:
			e.Message, e.Outcome, e.Kind, e.Params = "history-CodeRejected-wrong", history.Refused, desk.TimelineRefusals, map[string]string{"Attempt": "2"}
		}
		all = append(all, e)
	}
	page := desk.TimelinePage{Counts: map[desk.TimelineKind]int{}}
	var some []desk.TimelineEntry
	for _, e := range all {
		page.Counts[e.Kind]++
		if len(q.Kinds) == 0 || slices.Contains(q.Kinds, e.Kind) {
			some = append(some, e)
		}
	}
	page.Total = len(some)
	page.Entries = some[min(q.Offset, len(some)):min(len(some), q.Offset+q.Limit)]
	return page, nil
}

func (t *town) Reveal(_ context.Context, _ string, _ domain.SubjectID, f desk.PersonField) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.shown = append(t.shown, f)
	return map[desk.PersonField]string{desk.FieldEmail: "sanne.devries@voorbeeld.nl", desk.FieldPhone: "+31 6 12 34 56 78"}[f], t.err
}

func (t *town) Kiosks(context.Context, string) ([]desk.Kiosk, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.kiosks), t.err
}

// said is a phrase, of names and values that take turns.
func said(id string, params ...string) desk.Phrase {
	p := desk.Phrase{ID: id, Params: map[string]string{}}
	for i := 0; i+1 < len(params); i += 2 {
		p.Params[params[i]] = params[i+1]
	}
	return p
}

// queries returns what was asked since the last time.
func (t *town) queries() []desk.BoardQuery {
	t.mu.Lock()
	defer t.mu.Unlock()
	asked := t.asked
	t.asked = nil
	return asked
}

// numbered is the id of the n-th person.
func numbered(n int) domain.SubjectID {
	s, err := domain.ParseSubjectID(fmt.Sprintf("00000000-0000-4000-8000-%012x", n))
	if err != nil {
		panic(err)
	}
	return s
}

// someone makes a row.
func someone(n int, name string, g desk.BoardGroup, step int) desk.BoardRow {
	r := desk.BoardRow{
		Subject: numbered(n), Name: name, Team: "De Kleurendans", Group: g,
		Since: noon.Add(-time.Duration(n%50) * time.Minute), Station: "Hal 2",
	}
	for i := range r.Steps {
		switch {
		case i+1 < step:
			r.Steps[i] = desk.StepReady
		case i+1 == step && g == desk.GroupStuck:
			r.Steps[i] = desk.StepStuck
		case i+1 == step && g != desk.GroupWaiting:
			r.Steps[i] = desk.StepNow
		default:
			r.Steps[i] = desk.StepOpen
		}
	}
	r.Now = desk.Phrase{ID: map[desk.BoardGroup]string{
		desk.GroupStuck: "desk-now-sms-no-route", desk.GroupBusy: "desk-now-phone", desk.GroupWaiting: "desk-now-not-begun", desk.GroupDone: "desk-now-done-sms",
	}[g]}
	return r
}

// morning is the people of the mockup.
func morning() []desk.BoardRow {
	all := []desk.BoardRow{
		someone(1, "Sanne de Vries", desk.GroupStuck, 4), someone(2, "Mehmet Yılmaz", desk.GroupStuck, 1), someone(3, "Lotte Jansen", desk.GroupStuck, 5),
		someone(4, "Amara Okafor", desk.GroupBusy, 3), someone(5, "Pieter van Dam", desk.GroupBusy, 2), someone(6, "Yara el Amrani", desk.GroupBusy, 5),
		someone(7, "Bram Hoekstra", desk.GroupBusy, 1), someone(8, "Noor Willems", desk.GroupBusy, 4),
		someone(9, "Daan Smit", desk.GroupWaiting, 0), someone(10, "Eva Bos", desk.GroupWaiting, 0), someone(11, "Chen Wei", desk.GroupWaiting, 0),
	}
	all[0].HelpCode = "K7204"
	for i := range 7 {
		all = append(all, someone(20+i, fmt.Sprintf("Collega %d", i), desk.GroupDone, 7))
	}
	return all
}

// crowd is many people, of whom the first are stuck.
func crowd(n int) []desk.BoardRow {
	all := make([]desk.BoardRow, n)
	for i := range all {
		g := desk.GroupDone
		switch {
		case i < n/100:
			g = desk.GroupStuck
		case i < n/20:
			g = desk.GroupBusy
		case i < n/5:
			g = desk.GroupWaiting
		}
		all[i] = someone(i+1, fmt.Sprintf("Collega %d", i), g, i%6+1)
	}
	return all
}

// machines are stations in every state.
func machines() []desk.Kiosk {
	return []desk.Kiosk{
		{ID: "Hal 1", Kind: station.Kiosk, State: desk.KioskAlive, Seen: noon.Add(-time.Minute), Called: true, Version: "1.4.0", Opened: noon.Add(-3 * time.Hour), LastDone: noon.Add(-9 * time.Minute), DoneToday: 6, CertificateEnds: noon.AddDate(0, 2, 0)},
		{ID: "Hal 2", Kind: station.Kiosk, State: desk.KioskQuiet, Seen: noon.Add(-time.Hour), Version: "1.4.0", Opened: noon.Add(-3 * time.Hour), LastError: station.SMSFailed, LastErrorAt: noon.Add(-20 * time.Minute), CertificateEnds: noon.AddDate(0, 0, 2), EndsSoon: true},
		{ID: "Loods", Kind: station.Kiosk, State: desk.KioskSilent, Seen: noon.AddDate(0, 0, -3), Version: "1.3.2"},
		{ID: "Kelder", Kind: station.Kiosk, State: desk.KioskRevoked, Revoked: station.Stolen, Refused: 3},
		{ID: "Zolder", State: desk.KioskUnclear},
		{ID: "Servicedesk", Kind: station.Desk, State: desk.KioskAlive, Seen: noon, Version: "1.4.0", LastError: station.MailFailed, LastErrorAt: noon.AddDate(0, 0, -2)},
	}
}

// A desktop is a window with one page in it.
type desktop struct {
	t         *testing.T
	w         fyne.Window
	open      func() office.Page // what shows, where it is the whole window
	app       *officetest.App
	lang      string
	rights    []staff.Right
	now       time.Time
	opened    []domain.SubjectID
	assisted  []domain.SubjectID
	recounted int
	me        domain.SubjectID
	left      int
	locked    int
	ctx       context.Context //nolint:containedctx // ends with the test
}

func (d *desktop) Printer() *i18n.Printer { return i18n.New(d.lang) }
func (d *desktop) Clock() time.Time       { return d.now }
func (d *desktop) Names() i18n.Args {
	return i18n.Args{"Portal": "Mijn OPO-R", "Pocket": "Pocket", "Support": "servicedesk@voorbeeld.nl"}
}
func (d *desktop) Life() context.Context { return d.ctx }
func (d *desktop) Back()                 { d.left++ }

func (d *desktop) assist(s domain.SubjectID) func() {
	return func() { d.assisted = append(d.assisted, s) }
}

func (d *desktop) openPerson(s domain.SubjectID) { d.opened = append(d.opened, s) }

func (d *desktop) SignedIn() desk.Shift {
	return desk.Shift{ID: "shift", Subject: d.me, Rights: d.rights}
}

func (d *desktop) Refused(err error) bool {
	r, ok := err.(*desk.Refusal) //nolint:errorlint // the town does not wrap
	if ok && r.Code == desk.ShiftOver {
		d.locked++
		return true
	}
	return false
}

// A page as the window shows it.
type shownPage interface {
	Content() fyne.CanvasObject
	Enter()
	Leave()
	Key(e *fyne.KeyEvent) bool
}

// newDesktop stands a window without a page in it.
func newDesktop(t *testing.T, o ui.Options, lang string) *desktop {
	t.Helper()
	app := officetest.NewApp(t, o)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	d := &desktop{t: t, app: app, lang: lang, now: noon, ctx: ctx, rights: []staff.Right{staff.SeeBoard, staff.SeePerson, staff.RevealData}}
	t.Cleanup(cancel)
	return d
}

// show puts a page into the window.
func (d *desktop) show(p shownPage, size fyne.Size) {
	d.t.Helper()
	d.w = test.NewTempWindow(d.t, framed(p.Content()))
	d.w.SetPadded(false)
	d.w.Resize(size)
	p.Enter()
	d.t.Cleanup(p.Leave)
}

// rebuild shows the page anew, as at a switch of language.
func (d *desktop) rebuild(p shownPage) {
	size := d.w.Canvas().Size()
	d.w.SetContent(framed(p.Content()))
	d.w.Resize(size)
}

// framed gives a page the room that the window gives it.
func framed(o fyne.CanvasObject) fyne.CanvasObject {
	return ui.NewRoot(&fyne.Container{Layout: frameLayout{}, Objects: []fyne.CanvasObject{o}})
}

type frameLayout struct{}

func (frameLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.Size{} }

func (frameLayout) Layout(o []fyne.CanvasObject, s fyne.Size) {
	o[0].Move(fyne.NewPos(216+32, 24))
	o[0].Resize(s.SubtractWidthHeight(216+64, 48))
}

func (d *desktop) until(what string, holds func() bool) {
	d.t.Helper()
	d.app.Until(what, holds)
}

func (d *desktop) settle() { d.app.Settle() }

// press types a key as Fyne gives it to what has the focus, or to the page.
func (d *desktop) press(p shownPage, names ...fyne.KeyName) {
	for _, n := range names {
		e := &fyne.KeyEvent{Name: n}
		switch f := d.w.Canvas().Focused(); {
		case n == fyne.KeyTab:
			d.w.Canvas().FocusNext()
		case f != nil:
			d.w.Canvas().SetOnTypedKey(func(e *fyne.KeyEvent) { p.Key(e) })
			f.TypedKey(e)
		default:
			p.Key(e)
		}
	}
}
