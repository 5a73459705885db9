package office

import (
	"context"
	"errors"
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/domain/station"
)

// A signIn is what shows while nobody is signed in: address and password, then the
// factor. It holds the login's visit until that becomes a shift.
type signIn struct {
	w    *Window
	why  string          // the message that says why somebody has to sign in again; "" for none
	turn int             // what was asked in an earlier one is nobody's any more
	ctx  context.Context //nolint:containedctx // ends with the turn
	stop func()

	view   desk.View
	seen   time.Time // when view was
	active time.Time // when somebody last did something, or the phone did
	busy   bool
	wrong  string        // what is wrong, in words
	says   func() string // writes wrong anew, in the language of now; nil: nothing is wrong
	notFor string        // why they, who are logged in, cannot come in: a message; "" otherwise

	email, password *ui.Field
	digits          *ui.Digits
	primary         *ui.Button
	way             *ui.Button // the only way on: back
	resend          *ui.Button
	left            *ui.Text
	timer           *ui.TimeLeft // of the question to Pocket
	whole           time.Duration
	over            bool // the page says that the question is over
}

func newSignIn(w *Window, why string) *signIn {
	s := &signIn{w: w, why: why, active: w.c.Now()}
	s.ctx, s.stop = context.WithCancel(w.base)
	return s
}

// build builds the screen for where the login stands.
func (s *signIn) build() fyne.CanvasObject {
	w := s.w
	s.primary, s.way, s.resend, s.left, s.digits, s.timer = nil, nil, nil, nil, nil, nil
	col := ui.Column(ui.SizeGap)
	switch {
	case s.notFor != "":
		s.noRole(col)
	case s.view.Screen == desk.ScreenLoginCode:
		s.askCode(col)
	case s.view.Screen == desk.ScreenLoginApproval:
		s.askPhone(col)
	case s.view.Screen == desk.ScreenFrozen:
		s.frozen(col)
	default:
		s.askWho(col)
	}
	var langs []string
	chosen := 0
	for i, l := range w.c.Languages {
		langs = append(langs, strings.ToUpper(l))
		if l == w.p.Lang() {
			chosen = i
		}
	}
	foot := []fyne.CanvasObject{ui.NewSegmented(langs, chosen, func(i int) { w.speak(w.c.Languages[i]) })}
	if w.demo != nil {
		foot = append([]fyne.CanvasObject{w.demo.build()}, foot...)
	}
	brand := ui.Column(ui.SizeSmallGap, ui.NewBrand("Keydesk"), ui.Hint(ui.Plain(w.c.Portal)).Ink(ui.ColorRailMuted).Elide())
	page := &fyne.Container{Layout: narrow{460}, Objects: []fyne.CanvasObject{col}}
	return ui.NewFrame(brand, nil, foot, page)
}

// narrow keeps its only object from being wider than a form is, in the middle.
type narrow struct{ most float32 }

func (narrow) MinSize(o []fyne.CanvasObject) fyne.Size { return o[0].MinSize() }

func (n narrow) Layout(o []fyne.CanvasObject, s fyne.Size) {
	most := n.most * float32(ui.Current().Scale)
	width := min(most, s.Width)
	height := min(s.Height, ui.HeightFor(o[0], width))
	o[0].Move(fyne.NewPos((s.Width-width)/2, max(0, (s.Height-height)*0.4)))
	o[0].Resize(fyne.NewSize(width, height))
}

// head is what stands above a form.
func (s *signIn) head(col *fyne.Container, title, lead string) {
	col.Add(ui.Column("", ui.Heading(title), ui.Body(ui.Plain(lead)).Ink(ui.ColorMuted)))
	if s.wrong != "" {
		col.Add(ui.NewMessage(ui.Failure, "", ui.Plain(s.wrong)))
	}
}

func (s *signIn) askWho(col *fyne.Container) {
	w := s.w
	s.head(col, w.t("office-sign-in"), w.t(w.c.Lead))
	if s.why != "" && s.wrong == "" {
		col.Add(ui.NewMessage(ui.Info, w.t(s.why), ui.Plain(w.t(s.why+"-text"))))
	}
	was, secret := "", ""
	if s.email != nil {
		was, secret = s.email.Text(), s.password.Text()
		s.password.Wipe()
	}
	s.email = ui.NewField(w.t("email"), "")
	s.password = ui.NewPasswordField(w.t("password"), "", w.t("kiosk-show"), w.t("kiosk-hide"))
	s.email.SetText(was)
	s.password.SetText(secret)
	s.email.Input().OnSubmitted = func(string) { ui.Focus(s.password.Input()) }
	s.password.Input().OnSubmitted = func(string) { s.submit() }
	s.primary = ui.NewNext(w.t("log-in"), s.submit)
	s.primary.SetBusy(s.busy)
	col.Add(ui.NewCard(ui.Surface, ui.Column(ui.SizeSmallGap, s.email, s.password, ui.Row(ui.SizeSmallGap, ui.Spring(), s.primary))))
}

func (s *signIn) submit() {
	email, password := strings.TrimSpace(s.email.Text()), s.password.Text()
	switch {
	case s.busy:
		return
	case email == "":
		ui.Focus(s.email.Input())
		return
	case password == "":
		ui.Focus(s.password.Input())
		return
	}
	lang := s.w.p.Lang()
	s.password.Wipe()
	s.call(func(ctx context.Context) (desk.View, error) { return s.w.c.Logins.Login(ctx, email, password, lang) })
}

func (s *signIn) askCode(col *fyne.Container) {
	w := s.w
	s.head(col, w.t("confirmation-code"), w.t("kiosk-login-code-lead"))
	s.digits = ui.NewDigits()
	s.digits.OnComplete = func(code string) {
		visit := s.view.Visit
		s.call(func(ctx context.Context) (desk.View, error) { return w.c.Logins.ConfirmLogin(ctx, visit, code) })
	}
	s.resend = ui.NewButton(ui.Small, w.t("resend"), func() {
		visit := s.view.Visit
		s.call(func(ctx context.Context) (desk.View, error) { return w.c.Logins.Resend(ctx, visit) })
	}).WithLeft(ui.IconRefresh)
	s.left = ui.Hint(ui.Plain(" "))
	parts := ui.Column(ui.SizeSmallGap, s.digits, ui.Row(ui.SizeSmallGap, s.resend, ui.GrowCentred(1, s.left)))
	if s.view.Code.Delivery == desk.Failing {
		parts.Add(ui.NewMessage(ui.Warning, "", ui.Plain(w.t("kiosk-stuck-login-failed"))))
	}
	col.Add(ui.NewCard(ui.Surface, parts))
	col.Add(s.backRow())
	s.tick()
}

// ended says why the question to Pocket is over; "" while it waits.
func (s *signIn) ended() desk.LoginEnd {
	if v := s.view.Login; v.Ended != "" || s.w.c.Now().Sub(s.seen) < v.Left {
		return v.Ended
	}
	return desk.EndedExpired
}

func (s *signIn) askPhone(col *fyne.Container) {
	w := s.w
	end := s.ended()
	s.over = end != ""
	if s.over {
		s.whole = 0
		s.head(col, w.t("kiosk-approve-"+string(end)), w.t("kiosk-approve-"+string(end)+"-text", w.Names()))
		s.primary = ui.NewNext(w.t("kiosk-approve-again"), func() {
			visit := s.view.Visit
			s.call(func(ctx context.Context) (desk.View, error) { return w.c.Logins.AskAgain(ctx, visit) })
		})
		s.primary.SetBusy(s.busy)
		col.Add(ui.Row(ui.SizeSmallGap, s.back(), ui.Spring(), s.primary))
		return
	}
	s.head(col, w.t("kiosk-approve-title", w.Names()), w.t("kiosk-approve-lead", w.Names()))
	s.timer, s.whole = ui.NewTimeLeft(w.t("kiosk-approve-left")), max(s.whole, s.view.Login.Left)
	col.Add(ui.NewCard(ui.Surface, ui.Column(ui.SizeSmallGap,
		ui.Label(w.t("kiosk-approve-digits")), ui.NewShownDigits(s.view.Login.Digits), ui.Hint(ui.Plain(w.t("kiosk-approve-2-line"))), s.timer)))
	col.Add(s.backRow())
	s.tick()
}

func (s *signIn) frozen(col *fyne.Container) {
	w := s.w
	s.head(col, w.t("office-frozen"), w.t("office-frozen-text", w.Names()))
	col.Add(s.onlyBack())
}

func (s *signIn) noRole(col *fyne.Container) {
	w := s.w
	s.head(col, w.t("office-no-role"), w.t(s.notFor, w.Names()))
	col.Add(s.onlyBack())
}

func (s *signIn) back() *ui.Button { return ui.NewBack(s.w.t("back"), s.again) }

func (s *signIn) backRow() fyne.CanvasObject { return ui.Row(ui.SizeSmallGap, s.back(), ui.Spring()) }

// onlyBack is backRow where nothing else can be done.
func (s *signIn) onlyBack() fyne.CanvasObject {
	s.way = s.back()
	return ui.Row(ui.SizeSmallGap, s.way, ui.Spring())
}

// again ends the login, and begins anew, for whoever it is.
func (s *signIn) again() {
	s.forget()
	s.wipe()
	s.wrong, s.email, s.password = "", nil, nil
	s.w.rebuild()
}

// forget ends the visit of the login, if there is one.
func (s *signIn) forget() {
	s.turn++
	s.stop()
	s.ctx, s.stop = context.WithCancel(s.w.base)
	if visit := s.view.Visit; visit != "" {
		ui.Work(s.w.base, func(ctx context.Context) (struct{}, error) {
			return struct{}{}, s.w.c.Logins.End(ctx, visit, station.Stopped)
		}, func(struct{}, error) {}) // one that cannot be ended now ends by itself
	}
	s.view, s.busy, s.notFor = desk.View{}, false, ""
}

// call asks a use case of the login, and goes where its view says.
func (s *signIn) call(do func(context.Context) (desk.View, error)) {
	if s.busy {
		return
	}
	s.busy, s.wrong = true, ""
	if s.primary != nil {
		s.primary.SetBusy(true)
	}
	turn := s.turn
	ui.Work(s.ctx, do, func(v desk.View, err error) {
		if s.turn != turn || s.w.signIn != s {
			return
		}
		s.busy = false
		if err != nil {
			s.failed(v, err)
			return
		}
		s.took(v)
	})
}

func (s *signIn) failed(v desk.View, err error) {
	r, ok := errors.AsType[*desk.Refusal](err)
	over := ok && (r.Code == desk.VisitOver || r.Code == desk.LoginStale || r.Code == desk.NotProved)
	switch {
	case over:
		s.forget()
	case v.Visit != "":
		s.see(v)
	}
	s.says = func() string { return s.w.Says(err) }
	if ok && r.Code == desk.OutOfOrder && s.view.Visit == "" { // the right password, and no factor yet
		s.says = func() string { return s.w.t("office-unfinished") }
	}
	s.wrong = s.says()
	s.w.rebuild()
}

func (s *signIn) see(v desk.View) {
	s.view, s.seen = v, s.w.c.Now()
	s.active = s.seen
}

// took goes on from a view; from that of somebody who is logged in, to a shift.
func (s *signIn) took(v desk.View) {
	first := s.view.Visit != v.Visit
	s.see(v)
	if v.Screen == desk.ScreenAccount {
		s.start()
		return
	}
	s.w.rebuild()
	if first {
		s.watch()
	}
}

// watch follows what happens to the login elsewhere: on the phone, say.
func (s *signIn) watch() {
	turn, visit, version := s.turn, s.view.Visit, s.view.Version
	ui.Work(s.ctx, func(ctx context.Context) (desk.View, error) {
		v, err := s.w.c.Logins.Await(ctx, visit, version)
		if err != nil && ctx.Err() == nil { // not a busy loop while the log is away
			select {
			case <-ctx.Done():
			case <-time.After(2 * time.Second):
			}
		}
		return v, err
	}, func(v desk.View, err error) {
		if s.turn != turn || s.w.signIn != s || s.view.Visit != visit {
			return
		}
		r, ok := errors.AsType[*desk.Refusal](err)
		switch {
		case ok && r.Code == desk.VisitOver:
			s.failed(desk.View{}, err)
			return
		case err == nil && !s.busy:
			was := s.view
			s.see(v)
			if v.Screen == desk.ScreenAccount {
				s.start()
				return
			}
			if v.Screen != was.Screen || v.Login != was.Login || v.Code.Delivery != was.Code.Delivery {
				s.w.rebuild()
			}
		case err == nil:
			time.AfterFunc(200*time.Millisecond, func() { fyne.Do(func() { s.watchOn(turn, visit) }) })
			return
		}
		s.watch()
	})
}

// watchOn goes on watching, if the login is still there.
func (s *signIn) watchOn(turn int, visit string) {
	if s.turn == turn && s.view.Visit == visit && s.w.signIn == s {
		s.watch()
	}
}

// start makes a shift of the login.
func (s *signIn) start() {
	s.busy = true
	turn, visit := s.turn, s.view.Visit
	ui.Work(s.ctx, func(ctx context.Context) (desk.Shift, error) { return s.w.c.Shifts.StartShift(ctx, visit) },
		func(shift desk.Shift, err error) {
			if s.turn != turn || s.w.signIn != s {
				return
			}
			s.busy = false
			r, ok := errors.AsType[*desk.Refusal](err)
			switch {
			case err == nil:
				s.turn++
				s.stop()
				s.wipe()
				s.w.begin(shift)
			case ok && r.Code == desk.NotStaff:
				s.forget()
				s.notFor = "refusal-not-staff"
				s.w.rebuild()
			default:
				s.failed(s.view, err)
			}
		})
}

// wipe empties what was typed.
func (s *signIn) wipe() {
	if s.email != nil {
		s.email.Wipe()
		s.password.Wipe()
	}
	if s.digits != nil {
		s.digits.Wipe()
	}
}

// idleLogin is after how long a login that nobody goes on with is forgotten, and what was
// typed.
const idleLogin = 5 * time.Minute

// begun says whether something of somebody is here that is not to stay.
func (s *signIn) begun() bool {
	return s.view.Visit != "" || s.notFor != "" || s.wrong != "" || s.email != nil && s.email.Text()+s.password.Text() != ""
}

// tick is called once a second.
func (s *signIn) tick() {
	now := s.w.c.Now()
	if s.begun() && now.Sub(s.active) >= idleLogin {
		s.again()
		return
	}
	switch {
	case s.timer != nil && s.ended() != "" && !s.over:
		s.w.rebuild()
		return
	case s.timer != nil:
		s.timer.Set(s.view.Login.Left-now.Sub(s.seen), s.whole)
	}
	if s.resend == nil {
		return
	}
	wait := s.view.Code.ResendIn - now.Sub(s.seen)
	s.resend.SetEnabled(wait <= 0 && !s.busy)
	if wait > 0 {
		s.left.SetText(s.w.t("office-resend-in", i18n.Args{"Wait": s.w.wait(wait)}))
	} else {
		s.left.SetText(s.w.t("office-resend-now"))
	}
}

// focus puts the cursor where it goes on.
func (s *signIn) focus() {
	switch {
	case s.way != nil:
		ui.Focus(s.way)
	case s.digits != nil:
		ui.Focus(s.digits)
	case s.primary != nil && s.email != nil && s.view.Visit == "":
		if s.email.Text() == "" {
			ui.Focus(s.email.Input())
		} else {
			ui.Focus(s.password.Input())
		}
	case s.primary != nil:
		ui.Focus(s.primary)
	}
}
