package helpdesk

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/domain"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/domain/staff"
)

// Cases are what staff do to somebody's account.
type Cases interface {
	NewCase(ctx context.Context, shift string) (string, error)
	RequestCase(ctx context.Context, shift string, r desk.CaseRequest) (desk.CaseView, error)
	ApproveCase(ctx context.Context, shift string, s domain.SubjectID, id string) (desk.CaseView, error)
	DenyCase(ctx context.Context, shift string, s domain.SubjectID, id string, why enrolment.Denial) (desk.CaseView, error)
	OpenCases(ctx context.Context, shift string) ([]desk.CaseRow, error)
	Ticket(ctx context.Context, shift string, s domain.SubjectID, id string) (string, error)
}

// Callers is how staff make sure of whom they speak with, and sit beside them.
type Callers interface {
	AskCaller(ctx context.Context, shift string, s domain.SubjectID) (desk.CallerView, error)
	ConfirmCaller(ctx context.Context, shift string, s domain.SubjectID, code string) (desk.CallerView, error)
	Caller(ctx context.Context, shift string, s domain.SubjectID, challenge string) (desk.CallerView, error)
	ShowHRNumber(ctx context.Context, shift string, s domain.SubjectID, id string) (desk.PhoneView, error)
	Assist(ctx context.Context, shift string, s domain.SubjectID, lang string) (desk.View, error)
}

// Helpers are all that a person's page asks for.
type Helpers interface {
	People
	Cases
	Callers
}

// ticketShows is for how long a ticket shows before it is taken away: long enough to be
// read aloud and written down.
const ticketShows = 2 * time.Minute

// actions is the part of a person's page where something is done: the card with what may
// be done, the form of what was chosen, and above the page what waits for somebody.
type actions struct {
	p *personPage

	open   []desk.CaseRow // cases of this person
	form   *caseForm      // nil: what may be done shows
	said   string         // what was done last
	wrong  string         // why something was not
	ticket string         // that shows
	turn   int            // of the ticket that shows
	decide *decision

	card, banner *fyne.Container
	choose       map[enrolment.Action]*ui.Button
	assist       *ui.Button
	show         *ui.Button // of the ticket
	drawn        [2]string  // what the card and the banner were made from
}

func newActions(p *personPage) *actions {
	a := &actions{p: p}
	a.decide = &decision{
		around: p, desk: p.desk, while: func() context.Context { return p.ctx }, redraw: a.redraw,
		done: func(v desk.CaseView) {
			a.wrong, a.said = "", p.w.decided(v, p.view.Name)
			p.load(max(storyRows, min(len(p.story), desk.MostRows)))
			a.redraw()
		},
		failed: func(err error) {
			a.said, a.wrong = "", p.w.caseRefusal(err)
			p.load(storyRows)
			a.redraw()
		},
	}
	return a
}

// build makes the card and the banner anew, in the language of now.
func (a *actions) build() {
	a.card, a.banner = ui.Stack(), ui.Stack()
	a.card.Hide()
	a.banner.Hide()
	a.drawn = [2]string{}
	if a.form != nil {
		a.form.keep()
	}
}

// forget drops all that is known of the person, and what was typed.
func (a *actions) forget() {
	if a.form != nil {
		a.form.wipe()
	}
	a.open, a.form, a.said, a.wrong, a.ticket = nil, nil, "", "", ""
	a.turn++
	a.decide.forget()
}

func (a *actions) redraw() {
	if a.p.got {
		a.draw()
		a.p.whole.Refresh()
		a.p.body.Refresh()
		a.p.scroll.Refresh()
	}
}

func (a *actions) draw() {
	a.drawBanner()
	a.drawCard()
}

// own says that it is the page of whoever looks.
func (a *actions) own() bool { return a.p.subject == a.p.SignedIn().Subject }

// acts says that whoever looks may do something on a page at all.
func (a *actions) acts() bool {
	s := a.p.SignedIn()
	return s.May(staff.HelpPerson) || s.May(staff.RequestCase) || s.May(staff.Assist) || s.May(staff.RequestErasure)
}

// possible says whether an action makes sense for somebody as they are now.
func possible(action enrolment.Action, v *desk.PersonView) bool {
	frozen, none := v.Frozen != "", v.Chosen == enrolment.NoFactor || v.Chosen == ""
	switch action {
	case enrolment.Resending:
		return !frozen && v.Started && (v.Step == enrolment.StepEmail || v.Step == enrolment.StepPhone+1)
	case enrolment.Freezing:
		return v.Started && (!frozen || v.Frozen == desk.FrozenLost)
	case enrolment.Unfreezing:
		return frozen
	case enrolment.Unlocking:
		return wrongCodes(v)
	case enrolment.CorrectingNumber:
		return !frozen && v.Chosen != enrolment.Pocket && v.Step >= enrolment.StepPhone
	case enrolment.RevokingPocket:
		return !frozen && v.Chosen == enrolment.Pocket
	case enrolment.Resetting:
		return !frozen && v.Step > enrolment.StepPassword
	case enrolment.IssuingTicket:
		return !frozen && none && v.Step > enrolment.StepPassword
	case enrolment.Erasing:
		return !v.Erased && v.Revision != domain.NoStream
	}
	return false
}

// wrongCodes says whether there is a count of them to be cleared.
func wrongCodes(v *desk.PersonView) bool {
	for _, c := range v.Diagnosis.Checks {
		if c.Name == desk.CheckUnlocked {
			n, counted := c.Detail.Params["N"]
			return counted && n != "0"
		}
	}
	return false
}

// rightFor is what it takes to ask for an action.
func rightFor(action enrolment.Action) staff.Right {
	switch {
	case action == enrolment.Erasing:
		return staff.RequestErasure
	case action.Second():
		return staff.RequestCase
	}
	return staff.HelpPerson
}

// suits are the actions that a diagnosis advises, by its own names.
var suits = map[desk.PersonAction]enrolment.Action{
	desk.ActionResend: enrolment.Resending, desk.ActionCorrectNumber: enrolment.CorrectingNumber, desk.ActionUnlock: enrolment.Unlocking,
	desk.ActionFreeze: enrolment.Freezing, desk.ActionUnfreeze: enrolment.Unfreezing, desk.ActionRevokePocket: enrolment.RevokingPocket,
	desk.ActionReset: enrolment.Resetting, desk.ActionTicket: enrolment.IssuingTicket,
}

// choices are the actions that whoever looks may choose now, those first that suit the
// cause. What takes a second person waits until the open case has ended.
func (a *actions) choices() []enrolment.Action {
	v, s := &a.p.view, a.p.SignedIn()
	var all []enrolment.Action
	add := func(action enrolment.Action) {
		right := rightFor(action)
		free := !action.Second() || len(a.open) == 0
		if free && s.May(right) && possible(action, v) && !slices.Contains(all, action) {
			all = append(all, action)
		}
	}
	for _, name := range v.Diagnosis.Actions {
		if action, ok := suits[name]; ok {
			add(action)
		}
	}
	for _, action := range enrolment.Actions() {
		add(action)
	}
	return all
}

// mayAssist says whether somebody could enrol beside whoever looks.
func (a *actions) mayAssist() bool {
	v := &a.p.view
	return a.p.SignedIn().May(staff.Assist) && a.p.assist(a.p.subject) != nil && v.Frozen == "" && !v.Erased && v.Email != "" &&
		(v.Chosen == enrolment.NoFactor || v.Chosen == "")
}

// mayTicket says whether there is a ticket that whoever looks may have asked for.
func (a *actions) mayTicket() bool {
	s := a.p.SignedIn()
	return a.p.view.Ticket != "" && (s.May(staff.RequestCase) || s.May(staff.ApproveCase))
}

func (a *actions) drawCard() {
	p, w := a.p, a.p.w
	shows := a.said != "" || a.wrong != "" || !p.view.Erased && (a.acts() || a.mayTicket())
	if a.card.Hidden = !shows; !shows {
		return
	}
	choices := a.choices()
	key := fmt.Sprint(choices, a.own(), a.said, a.wrong, a.ticket, a.mayTicket(), a.mayAssist(), len(a.open), p.view.Name, a.form != nil)
	if a.form != nil {
		key = fmt.Sprintf("form %p", a.form)
	}
	if a.drawn[0] == key {
		return
	}
	a.drawn[0] = key
	all := ui.Column(ui.SizeGap, ui.Subheading(w.T("helpdesk-action-title")))
	switch {
	case a.own():
		all.Add(ui.NewMessage(ui.Info, "", ui.Plain(w.T("helpdesk-action-own"))))
	case a.form != nil:
		all.Add(ui.NewRule())
		all.Add(a.form.build())
	default:
		a.list(all, choices)
	}
	a.card.Objects = []fyne.CanvasObject{ui.NewCard(ui.Surface, all)}
	a.card.Refresh()
}

// list adds what may be done, a line for each.
func (a *actions) list(all *fyne.Container, choices []enrolment.Action) {
	w := a.p.w
	if a.said != "" {
		all.Add(ui.NewMessage(ui.Success, "", ui.Plain(a.said)))
	}
	if a.wrong != "" {
		all.Add(ui.NewMessage(ui.Failure, "", ui.Plain(a.wrong)))
	}
	if a.mayTicket() {
		a.drawTicket(all)
	}
	if !a.acts() || a.p.view.Erased {
		return
	}
	a.choose, a.assist = map[enrolment.Action]*ui.Button{}, nil
	for _, action := range choices {
		b := ui.NewButton(ui.Small, w.T("helpdesk-action-do-"+string(action)), func() { a.begin(action) })
		a.choose[action] = b
		icon, ink := signOf(action)
		all.Add(ui.NewRule())
		all.Add(choice(icon, ink, w.action(action), w.T("helpdesk-action-line-"+string(action), w.about(a.p.view.Name)), b))
	}
	if a.mayAssist() {
		a.assist = ui.NewButton(ui.Small, w.T("helpdesk-action-do-assist"), a.p.assist(a.p.subject))
		all.Add(ui.NewRule())
		all.Add(choice(ui.IconPeople, theme.ColorNamePrimary, w.T("helpdesk-action-assist"), w.T("helpdesk-action-line-assist", w.about(a.p.view.Name)), a.assist))
	}
	switch {
	case len(a.open) > 0:
		all.Add(ui.NewRule())
		all.Add(ui.Hint(ui.Plain(w.T("helpdesk-action-busy"))))
	case len(choices) == 0 && a.assist == nil:
		all.Add(ui.Body(ui.Plain(w.T("helpdesk-action-none"))).Ink(ui.ColorMuted))
	}
}

// choice is a line of the card: a sign, what and what for, and a button.
func choice(icon ui.Icon, ink fyne.ThemeColorName, title, line string, b *ui.Button) fyne.CanvasObject {
	words := ui.Column("", ui.Body(ui.Bold(title)), ui.Hint(ui.Plain(line)))
	return ui.Apart(190, ui.Row(ui.SizeGap, ui.NewGlyph(icon, ink), ui.GrowCentred(1, words)), b)
}

func signOf(action enrolment.Action) (ui.Icon, fyne.ThemeColorName) {
	icon := map[enrolment.Action]ui.Icon{
		enrolment.Resending: ui.IconMail, enrolment.Freezing: ui.IconLock, enrolment.Unlocking: ui.IconCheck,
		enrolment.CorrectingNumber: ui.IconPencil, enrolment.RevokingPocket: ui.IconPhone, enrolment.Unfreezing: ui.IconKey,
		enrolment.Resetting: ui.IconRefresh, enrolment.IssuingTicket: ui.IconKey, enrolment.Erasing: ui.IconTrash,
	}[action]
	if action == enrolment.Freezing || action == enrolment.Erasing {
		return icon, theme.ColorNameError
	}
	return icon, theme.ColorNamePrimary
}

// begin opens the form of an action.
func (a *actions) begin(action enrolment.Action) {
	a.said, a.wrong = "", ""
	a.hideTicket()
	a.form = newCaseForm(a, action)
	a.redraw()
	a.p.scroll.ScrollTo(a.p.aside.Position().Y + a.card.Position().Y)
	ui.Focus(a.form.first())
}

// end closes the form. said is what came of it.
func (a *actions) end(said string) {
	action := a.form.action
	a.form.wipe()
	a.form, a.said = nil, said
	a.redraw()
	if b := a.choose[action]; b != nil {
		ui.Focus(b)
		return
	}
	ui.Focus(a.p.bord)
}

// --- what waits

func (a *actions) drawBanner() {
	p, w, me := a.p, a.p.w, a.p.SignedIn()
	a.banner.Hidden = len(a.open) == 0
	key := fmt.Sprint(a.open, a.decide.key(), w.Hour(p.Clock()), me.Rights, p.view.Name)
	if a.drawn[1] == key {
		return
	}
	a.drawn[1] = key
	col := ui.Column(ui.SizeSmallGap)
	for i := range a.open {
		r := &a.open[i]
		title, icon := "helpdesk-case-waiting", ui.IconPeople
		if r.Stage == desk.CaseApproved {
			title, icon = "helpdesk-case-approved", ui.IconClock
		}
		col.Add(ui.NewBanner(icon, w.T(title), ui.Body(ui.Plain(w.caseLine(r))), a.decide.buttons(w, r)...))
	}
	a.banner.Objects = []fyne.CanvasObject{col}
	a.banner.Refresh()
	a.decide.refocus()
}

// --- the ticket

func (a *actions) drawTicket(all *fyne.Container) {
	w := a.p.w
	name := w.about(a.p.view.Name)
	a.show = ui.NewButton(ui.Small, w.T("helpdesk-ticket-show"), a.toTicket).WithLeft(ui.IconEye)
	if a.ticket == "" {
		all.Add(ui.NewCard(ui.Tinted, ui.Column(ui.SizeSmallGap,
			ui.Body(ui.Bold(w.T("helpdesk-ticket"))), ui.Hint(ui.Plain(w.T("helpdesk-ticket-line", name))), ui.Row("", a.show))))
		return
	}
	a.show.Text, a.show.Left, a.show.OnTapped = w.T("helpdesk-hide"), ui.IconEyeOff, func() {
		a.hideTicket()
		a.redraw()
		ui.Focus(a.show)
	}
	groups := ui.Flow(ui.SizeGap)
	for g := range strings.SplitSeq(a.ticket, "-") {
		groups.Add(ui.NewText(ui.RoleHeading, ui.Span{Text: g, Bold: true, Mono: true}).OneLine())
	}
	all.Add(ui.NewCard(ui.Tinted, ui.Column(ui.SizeSmallGap,
		ui.Body(ui.Bold(w.T("helpdesk-ticket"))), groups, ui.Hint(ui.Plain(w.spelled(a.ticket))),
		ui.Hint(ui.Plain(w.T("helpdesk-ticket-how", name))), ui.Row("", a.show))))
}

// toTicket shows the ticket for a while. Desk records that before it answers.
func (a *actions) toTicket() {
	p := a.p
	open, shift, id := p.turn, p.SignedIn().ID, p.view.Ticket
	a.show.SetBusy(true)
	ui.Work(p.ctx, func(ctx context.Context) (string, error) { return p.desk.Ticket(ctx, shift, p.subject, id) },
		func(ticket string, err error) {
			if open != p.turn {
				return
			}
			a.said, a.wrong = "", ""
			if err != nil {
				a.show.SetBusy(false)
				if p.Refused(err) {
					return
				}
				a.wrong = p.w.ticketRefusal(err)
			} else {
				a.ticket = ticket
				a.turn++
				turn := a.turn
				ui.Later(p.ctx, ticketShows, func() {
					if turn == a.turn {
						a.hideTicket()
						a.redraw()
					}
				})
			}
			a.redraw()
			ui.Focus(a.show)
		})
}

func (a *actions) hideTicket() {
	a.ticket = ""
	a.turn++
}

// key is a key that nothing took.
func (a *actions) key(e *fyne.KeyEvent) bool {
	if e.Name != fyne.KeyEscape {
		return false
	}
	switch {
	case a.decide.asks():
		a.decide.stopAsking()
	case a.form != nil:
		a.end("")
	default:
		return false
	}
	return true
}
