package kiosk

import (
	"context"
	"slices"
	"sync"
	"time"

	"fyne.io/fyne/v2"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/domain/enrolment"
	"github.com/keydesk/keydesk/projections/history"
)

// Visits are the use cases around one person's visit. *desk.Desk has them, as
// it has those of the other interfaces here.
type Visits interface {
	CheckEmail(typed string) (suggestion string, err error)
	Begin(ctx context.Context, email, lang string) (desk.View, error)
	View(ctx context.Context, visit string) (desk.View, error)
	Await(ctx context.Context, visit string, version uint64) (desk.View, error)
	SetLanguage(ctx context.Context, visit, lang string) (desk.View, error)
	End(ctx context.Context, visit string, why desk.WipeReason) error
}

// Mail is step 1, the ticket behind it, and the way back in for who left half-way.
type Mail interface {
	ConfirmEmail(ctx context.Context, visit, code string) (desk.View, error)
	RedeemInvitation(ctx context.Context, visit, ticket string) (desk.View, error)
	Resend(ctx context.Context, visit string) (desk.View, error)
	Resume(ctx context.Context, visit, password string) (desk.View, error)
	Restart(ctx context.Context, visit string) (desk.View, error)
	RedeemTicket(ctx context.Context, visit, ticket string) (desk.View, error)
}

// Identity is step 2.
type Identity interface {
	CheckPassword(visit, name, password string) desk.PasswordReport
	SetNameAndPassword(ctx context.Context, visit, name, password string) (desk.View, error)
}

// Phones is steps 3 and 4.
type Phones interface {
	GivePhone(ctx context.Context, visit, number string) (desk.View, error)
	ConfirmPhone(ctx context.Context, visit, code string) (desk.View, error)
}

// Factors is step 5.
type Factors interface {
	ChooseSMS(ctx context.Context, visit string) (desk.View, error)
	OfferPairing(ctx context.Context, visit string) (desk.View, error)
	CancelPairing(ctx context.Context, visit string) (desk.View, error)
	ConfirmPairing(ctx context.Context, visit, digits string) (desk.View, error)
}

// Logins is L1: the password, then the factor.
type Logins interface {
	Login(ctx context.Context, email, password, lang string) (desk.View, error)
	ConfirmLogin(ctx context.Context, visit, code string) (desk.View, error)
	AskAgain(ctx context.Context, visit string) (desk.View, error)
	WithoutPhone(ctx context.Context, visit string) (desk.View, error)
}

// Account is A1: what happened, and what comes before and after each change.
type Account interface {
	Prove(ctx context.Context, visit string, what desk.Change, password string) (desk.View, error)
	Dismiss(ctx context.Context, visit string) (desk.View, error)
	Story(ctx context.Context, visit string) ([]history.Entry, error)
}

// Changes are the changes of A1 and A2 themselves. That to Pocket is in Factors.
type Changes interface {
	ChangeName(ctx context.Context, visit, name string) (desk.View, error)
	ChangeLanguage(ctx context.Context, visit, lang string) (desk.View, error)
	ChangePassword(ctx context.Context, visit, password string) (desk.View, error)
	ChangePhone(ctx context.Context, visit, number string) (desk.View, error)
	ConfirmNewPhone(ctx context.Context, visit, code string) (desk.View, error)
	SwitchToSMS(ctx context.Context, visit string) (desk.View, error)
}

// Recovery is for who has a password and no phone.
type Recovery interface {
	ConfirmRecovery(ctx context.Context, visit, code string) (desk.View, error)
	ReportPhone(ctx context.Context, visit string, loss desk.PhoneLoss) (desk.View, error)
	FoundPhone(ctx context.Context, visit string) (desk.View, error)
}

// Help is what staff do at a kiosk, and what leads to them.
type Help interface {
	HelpCode(ctx context.Context, visit string) (string, error)
	UnlockStation(ctx context.Context) error
}

// A Desk has all use cases of a kiosk.
type Desk interface {
	Visits
	Mail
	Identity
	Phones
	Factors
	Logins
	Account
	Changes
	Recovery
	Help
}

// Speech reads aloud. Say returns at once and ends what was being said.
type Speech interface {
	Available() bool
	Say(lang, text string)
	Stop()
}

// A DemoMessage is one mail or SMS that the demo's phone received.
type DemoMessage struct {
	SMS     bool
	To      string
	Subject string // of a mail
	Text    string
	Code    string // to be highlighted; empty for none
	At      time.Time
}

// DemoPhone is the phone beside the kiosk of a demo.
type DemoPhone interface {
	// Watch gives the messages as they arrive, until ctx ends. It may call
	// from any goroutine.
	Watch(ctx context.Context, receive func(DemoMessage)) error
	// Pair scans what a QR code says. It returns the digits that the phone
	// shows, and what the phone does once they were typed.
	Pair(ctx context.Context, url string) (digits string, finish func(context.Context) error, err error)
}

// A DemoApprover is a DemoPhone that can answer a login, too.
type DemoApprover interface {
	// Approve types the digits that the screen shows into the phone that was
	// paired last; without digits it says: Not now.
	Approve(ctx context.Context, digits string) error
}

// Config is what a Kiosk is made of. Desk and the names are needed; what is
// left out of the rest has the value that its comment says.
type Config struct {
	Desk Desk

	Portal     string   // what people log in to, as shown
	PocketName string   // "Pocket"
	Support    string   // where to get help, as shown
	Domains    []string // of e-mail addresses, for the chips
	Policy     enrolment.Policy

	Languages       []string // i18n.Languages
	DefaultLanguage string   // the first of them

	Mode     ui.Mode // at the start of each visit
	Keyboard bool    // keys on the screen

	Speech Speech    // nil: nothing is read aloud
	Demo   DemoPhone // nil outside a demo

	IdleWarn        time.Duration // 60 s: asks whether somebody is there
	IdleWipe        time.Duration // 90 s: forgets
	IdleWipeWaiting time.Duration // 5 min: the same, where people wait for a code or a phone
	VisitMax        time.Duration // 15 min: forgets whatever happens
	DoneWipe        time.Duration // 60 s: on the last screen

	StaffPIN func(string) bool // nil: nobody can leave the kiosk
	OnExit   func()            // called after the right PIN

	// Trouble says whether log, vault or service are known to be away, which the
	// start screen then tells. It is asked once a second; nil: never.
	Trouble func() bool

	Assist *Assist // nil: whoever comes enrols

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
	if c.Policy.QRLife == 0 {
		c.Policy = enrolment.DefaultPolicy()
	}
	for _, d := range []struct {
		of    *time.Duration
		value time.Duration
	}{
		{&c.IdleWarn, time.Minute},
		{&c.IdleWipe, 90 * time.Second},
		{&c.IdleWipeWaiting, 5 * time.Minute},
		{&c.VisitMax, 15 * time.Minute},
		{&c.DoneWipe, time.Minute},
	} {
		if *d.of <= 0 {
			*d.of = d.value
		}
	}
	if c.Trouble == nil {
		c.Trouble = func() bool { return false }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
}

// A Kiosk is the window's content and who is at it. All its methods are
// called on Fyne's goroutine.
type Kiosk struct {
	c     Config
	p     *i18n.Printer
	win   fyne.Window
	stage *stage
	root  *ui.Root
	demo  *demoPanel // nil outside a demo

	options ui.Options // mode and scale that were chosen; the class is the window's

	// Who is at it. A turn is from the start to the next wipe: what was asked
	// in an earlier one is nobody's business any more.
	turn            int
	ctx             context.Context //nolint:containedctx // ends with the turn
	cancel          context.CancelFunc
	view            desk.View
	seen            time.Time // when view was
	calls           int       // made in this turn
	calling, repeat desk.Call // the last call, and the one that the next is to be again
	busy            bool
	busyOn          *ui.Button
	email           string // as typed on E1 or L1
	name            string // as typed on E4
	help            string // the help code that this turn was shown
	changed         string // what A1 has to tell of the change that was just made; "" nothing

	screen  screen
	under   screen // what waits while a fault or the staff exit is shown
	page    ui.Page
	shell   *ui.Shell // nil on the start
	builtIn ui.Options

	clock   *ui.Ticker
	active  time.Time
	began   time.Time
	veil    *ui.Veil
	veiling *warning
	staff   pinGuard
}

// New returns a kiosk on its start screen. Attach puts it into a window.
func New(c Config) *Kiosk {
	c.defaults()
	if c.Assist != nil {
		c.Assist = &Assist{c.Assist.Begin, sync.OnceFunc(c.Assist.Over)}
	}
	k := &Kiosk{c: c, p: i18n.New(c.DefaultLanguage), options: ui.Options{Mode: c.Mode, Scale: ui.Normal}}
	k.active, k.began = c.Now(), c.Now()
	k.ctx, k.cancel = context.WithCancel(context.Background())
	k.screen = k.first()
	return k
}

// Attach makes the kiosk the content of a window, follows its keys, and starts
// the clock. The window is shown, sized and closed by the caller. Close ends
// what Attach began.
func (k *Kiosk) Attach(w fyne.Window) {
	k.win = w
	w.SetPadded(false)
	ui.SetTheme(k.options.For(w.Canvas().Size()))
	w.SetContent(k.Content())
	k.rebuild()
	k.keys(w.Canvas())
	ui.OnActivity(k.touched)
	fyne.CurrentApp().Settings().AddListener(func(fyne.Settings) {
		fyne.Do(func() {
			if k.win != nil && k.builtIn != ui.Current() {
				k.rebuild()
			}
		})
	})
	k.clock = ui.NewTicker(time.Second, k.tick)
	if k.demo != nil {
		k.demo.watch()
	}
}

// Content returns the kiosk as one object.
func (k *Kiosk) Content() fyne.CanvasObject {
	if k.stage == nil {
		k.root = ui.NewRoot(ui.Stack())
		if k.c.Demo != nil {
			k.demo = newDemoPanel(k)
		}
		k.stage = newStage(k)
	}
	return k.stage
}

// Close stops the clock and whatever is under way. The visit, if any, ends.
func (k *Kiosk) Close() {
	k.wipe(stopped)
	k.clock.Stop()
	k.cancel()
	if k.demo != nil {
		k.demo.stop()
	}
	ui.OnActivity(nil)
	k.win = nil
}
