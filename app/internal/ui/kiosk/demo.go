package kiosk

import (
	"context"
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"

	"github.com/keydesk/keydesk/app/internal/i18n"
	"github.com/keydesk/keydesk/app/internal/ui"
	"github.com/keydesk/keydesk/domain/enrolment"
)

// keptMessages is how many messages the panel keeps.
const keptMessages = 20

// A demoPanel is the phone of a demo, in plain sight: what it received, the
// newest first, and a button that scans the QR code.
type demoPanel struct {
	k        *Kiosk
	panel    *fyne.Container
	cancel   context.CancelFunc
	ctx      context.Context //nolint:containedctx // ends with the kiosk
	messages []DemoMessage
	unseen   int
	beside   bool // there is room for it beside the kiosk
	open     bool // where there is not: it was asked for

	url    string // of the QR code that was scanned
	digits string
	busy   bool
	failed bool
}

func newDemoPanel(k *Kiosk) *demoPanel {
	d := &demoPanel{k: k, panel: ui.Stack()}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	return d
}

func (d *demoPanel) watch() {
	d.build()
	ui.Work(d.ctx, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, d.k.c.Demo.Watch(ctx, func(m DemoMessage) {
			fyne.Do(func() { d.receive(m) })
		})
	}, func(struct{}, error) {})
}

func (d *demoPanel) stop() { d.cancel() }

func (d *demoPanel) receive(m DemoMessage) {
	d.messages = append([]DemoMessage{m}, d.messages...)
	if len(d.messages) > keptMessages {
		d.messages = d.messages[:keptMessages]
	}
	if !d.beside && !d.open {
		d.unseen++
		if d.k.win != nil {
			d.k.rebuild()
		}
	}
	d.build()
}

// forget clears the phone for the next person, as the kiosk clears itself.
func (d *demoPanel) forget() {
	d.messages, d.unseen = nil, 0
	d.url, d.digits, d.failed = "", "", false
	d.build()
}

// follow keeps up with the screen: a scan is over when its screen is.
func (d *demoPanel) follow() {
	if d.url != "" && d.k.view.Pocket.Stage != enrolment.Claimed && d.k.view.Pocket.URL != d.url {
		d.url, d.digits, d.failed = "", "", false
	}
	d.build()
}

// build makes the panel anew.
func (d *demoPanel) build() {
	k := d.k
	col := ui.Column(ui.SizeSmallGap, ui.Row(ui.SizeSmallGap,
		ui.NewGlyph(ui.IconPhone, theme.ColorNameForeground),
		ui.GrowCentred(1, ui.NewText(ui.RoleSubheading, ui.Bold(k.t("kiosk-demo"))))))
	if !d.beside && d.open {
		col.Add(ui.NewButton(ui.Small, k.t("kiosk-close"), d.toggle).WithLeft(ui.IconCross))
	}
	col.Add(ui.Hint(ui.Plain(k.t("kiosk-demo-line"))))
	if p := d.phone(); p != nil {
		col.Add(p)
	}
	if len(d.messages) == 0 {
		col.Add(ui.Hint(ui.Plain(k.t("kiosk-demo-empty", i18n.Args{"Domain": k.c.Domains[0]}))))
	}
	for i, m := range d.messages {
		if i == 4 {
			break
		}
		col.Add(d.message(m, i == 0))
	}
	clip := container.NewClip(ui.NewCard(ui.Tinted, col))
	clip.ExtendBaseWidget(clip) // else its first size is lost
	d.panel.Objects = []fyne.CanvasObject{clip}
	d.panel.Refresh()
	if k.stage != nil {
		k.stage.Refresh()
	}
}

// codeRole is the text of a code on the phone, which gets no wider when the
// text of the kiosk is enlarged.
func codeRole() ui.Role {
	if ui.Current().Scale > ui.Normal {
		return ui.RoleSubheading
	}
	return ui.RoleHeading
}

// message is one mail or SMS: its code large, of the newest also its words.
func (d *demoPanel) message(m DemoMessage, newest bool) fyne.CanvasObject {
	kind, what := ui.Surface, d.k.t("kiosk-demo-mail")
	if m.SMS {
		what = d.k.t("kiosk-demo-sms")
	}
	if newest {
		kind = ui.Recommended
	}
	col := ui.Column("", ui.Hint(ui.Bold(what+" "), ui.Plain(m.At.Format("15:04"))).OneLine(), ui.Hint(ui.Plain(m.To)).Elide())
	if m.Subject != "" {
		col.Add(ui.Hint(ui.Bold(m.Subject)))
	}
	if m.Code != "" {
		col.Add(ui.NewText(codeRole(), ui.Span{Text: m.Code, Bold: true, Mono: true}).OneLine())
	} else if m.SMS {
		col.Add(ui.Hint(ui.Plain(m.Text)))
	}
	return ui.NewCard(kind, col)
}

// phone is the part that pairs.
func (d *demoPanel) phone() fyne.CanvasObject {
	k := d.k
	if a, ok := k.screen.(*approvalScreen); ok && !a.over {
		return d.approval()
	}
	_, pairing := k.screen.(*pairScreen)
	if !pairing {
		return nil
	}
	switch {
	case d.digits != "":
		return ui.NewCard(ui.Recommended, ui.Column("", ui.Label(k.t("kiosk-demo-digits")),
			ui.NewText(codeRole(), ui.Span{Text: d.digits, Bold: true, Mono: true}).OneLine()))
	case k.view.Pocket.URL != "":
		b := ui.NewButton(ui.Small, k.t("kiosk-demo-scan"), d.pair)
		b.SetBusy(d.busy)
		if d.failed {
			return ui.Column(ui.SizeSmallGap, b, ui.Hint(ui.Plain(k.t("kiosk-demo-failed"))))
		}
		return b
	}
	return nil
}

// approval is the part that answers a login, or nil.
func (d *demoPanel) approval() fyne.CanvasObject {
	k := d.k
	phone, can := k.c.Demo.(DemoApprover)
	if !can || k.view.Login.Digits == "" {
		return nil
	}
	answer := func(digits string) func() {
		return func() { d.answer(phone, digits) }
	}
	yes := ui.NewButton(ui.Small, k.t("kiosk-demo-approve"), answer(k.view.Login.Digits))
	yes.SetBusy(d.busy)
	no := ui.NewButton(ui.Small, k.t("kiosk-demo-deny"), answer(""))
	no.SetEnabled(!d.busy)
	col := ui.Column(ui.SizeSmallGap, ui.Label(k.t("kiosk-demo-asks")), yes, no)
	if d.failed {
		col.Add(ui.Hint(ui.Plain(k.t("kiosk-demo-not-paired"))))
	}
	return ui.NewCard(ui.Recommended, col)
}

// answer has the phone answer a login. The kiosk shows what comes of it.
func (d *demoPanel) answer(phone DemoApprover, digits string) {
	if d.busy {
		return
	}
	d.busy, d.failed = true, false
	ui.Work(d.ctx, func(ctx context.Context) (struct{}, error) { return struct{}{}, phone.Approve(ctx, digits) },
		func(_ struct{}, err error) {
			d.busy, d.failed = false, err != nil
			d.build()
		})
	d.build()
}

// pair scans the QR code on the screen with a phone that exists for this only.
func (d *demoPanel) pair() {
	url := d.k.view.Pocket.URL
	if d.busy || url == "" {
		return
	}
	type phone struct {
		digits string
		finish func(context.Context) error
	}
	d.busy, d.failed = true, false
	ui.Work(d.ctx, func(ctx context.Context) (phone, error) {
		digits, finish, err := d.k.c.Demo.Pair(ctx, url)
		return phone{digits, finish}, err
	}, func(p phone, err error) {
		d.busy = false
		if err != nil {
			d.failed = true
			d.build()
			return
		}
		d.url, d.digits = url, p.digits
		d.build()
		ui.Work(d.ctx, func(ctx context.Context) (struct{}, error) { return struct{}{}, p.finish(ctx) },
			func(struct{}, error) { // the kiosk shows what came of it
				d.digits = ""
				d.build()
			})
	})
	d.build()
}

// demoButton opens the phone where it has no room beside the kiosk.
func (k *Kiosk) demoButton() fyne.CanvasObject {
	if k.demo == nil || k.demo.beside {
		return nil
	}
	text := k.t("kiosk-demo-button")
	if k.demo.unseen > 0 {
		text += " " + strconv.Itoa(k.demo.unseen)
	}
	return ui.NewButton(ui.Small, text, k.demo.toggle).WithLeft(ui.IconPhone)
}

func (d *demoPanel) toggle() {
	d.open, d.unseen = !d.open, 0
	d.k.rebuild()
	d.build()
}
