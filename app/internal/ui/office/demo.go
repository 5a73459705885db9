package office

import (
	"context"

	"fyne.io/fyne/v2"

	"github.com/keydesk/keydesk/app/internal/desk"
	"github.com/keydesk/keydesk/app/internal/ui"
)

// A demoStrip is the phone of a demo, on the rail of the sign-in: the newest code, and
// an answer for Pocket.
type demoStrip struct {
	w      *Window
	ctx    context.Context //nolint:containedctx // ends with the window
	stop   func()
	last   DemoMessage
	busy   bool
	failed bool
}

func newDemoStrip(w *Window) *demoStrip {
	d := &demoStrip{w: w}
	d.ctx, d.stop = context.WithCancel(w.base)
	ui.Work(d.ctx, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, w.c.Demo.Watch(ctx, func(m DemoMessage) {
			fyne.Do(func() { d.receive(m) })
		})
	}, func(struct{}, error) {})
	return d
}

func (d *demoStrip) receive(m DemoMessage) {
	if m.Code == "" {
		return
	}
	d.last = m
	if d.w.signIn != nil {
		d.w.rebuild()
	}
}

// digits are those that Pocket is asked for now; "" none.
func (d *demoStrip) digits() string {
	s := d.w.signIn
	if s == nil || s.view.Screen != desk.ScreenLoginApproval || s.ended() != "" {
		return ""
	}
	return s.view.Login.Digits
}

// forget forgets the code: whoever it was for has signed in.
func (d *demoStrip) forget() { d.last, d.failed = DemoMessage{}, false }

// build returns the phone for the rail.
func (d *demoStrip) build() fyne.CanvasObject {
	w := d.w
	col := ui.Column(ui.SizeSmallGap, ui.Label(w.t("kiosk-demo")))
	switch {
	case d.last.Code == "" && d.digits() != "":
	case d.last.Code == "":
		col.Add(ui.Hint(ui.Plain(w.t("office-demo-empty"))))
	default:
		what := w.t("kiosk-demo-mail")
		if d.last.SMS {
			what = w.t("kiosk-demo-sms")
		}
		col.Add(ui.Column("", ui.Hint(ui.Bold(what+" "), ui.Plain(d.last.At.Format("15:04"))).OneLine(), ui.Hint(ui.Plain(d.last.To)).Elide(),
			ui.NewText(ui.RoleSubheading, ui.Span{Text: d.last.Code, Bold: true, Mono: true}).OneLine()))
	}
	if d.digits() != "" {
		yes := ui.NewButton(ui.Small, w.t("kiosk-demo-approve"), d.approve)
		yes.SetEnabled(!d.busy)
		col.Add(yes)
		if d.failed {
			col.Add(ui.Hint(ui.Plain(w.t("kiosk-demo-not-paired"))))
		}
	}
	return ui.NewCard(ui.Recommended, col)
}

func (d *demoStrip) approve() {
	digits := d.digits()
	if d.busy || digits == "" {
		return
	}
	d.busy = true
	ui.Work(d.ctx, func(ctx context.Context) (struct{}, error) { return struct{}{}, d.w.c.Demo.Approve(ctx, digits) },
		func(_ struct{}, err error) {
			d.busy, d.failed = false, err != nil
			if d.w.signIn != nil {
				d.w.rebuild()
			}
		})
}
